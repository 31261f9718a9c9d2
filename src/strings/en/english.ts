import { account } from './account.ts'
import { elsewhere } from './elsewhere.ts'
import { mails } from './mails.ts'
import { openid } from './openid.ts'
import { refusals } from './refusals.ts'
import { services } from './services.ts'
import { sign_in } from './sign_in.ts'

/** The first language: it says which strings there are, and every other language has the same. */
export const english = {
  lang: 'en',
  dir: 'ltr' as 'ltr' | 'rtl',
  sign_in,
  elsewhere,
  account,
  services,
  openid,
  mails,
  refusals,
}
