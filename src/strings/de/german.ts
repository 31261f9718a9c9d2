import type { Catalogue } from '../catalogue.ts'
import { account } from './account.ts'
import { elsewhere } from './elsewhere.ts'
import { mails } from './mails.ts'
import { openid } from './openid.ts'
import { refusals } from './refusals.ts'
import { services } from './services.ts'
import { sign_in } from './sign_in.ts'

export const german: Catalogue = {
  lang: 'de',
  dir: 'ltr',
  sign_in,
  elsewhere,
  account,
  services,
  openid,
  mails,
  refusals,
}
