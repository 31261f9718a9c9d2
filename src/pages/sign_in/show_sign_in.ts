import { signInPage } from './sign_in_view.ts'
import type { PageRequest } from '../page_request.ts'

/** Shows the sign-in page, with every way that is available. */
export const showSignIn = async (
  page: PageRequest,
  shown: { returnTo: string; login?: string; problem?: string },
  status = 200,
  headers: Record<string, string> = {},
): Promise<void> => {
  const offers = await page.offers()
  const passkey = await page.call('auth.passkey_options', {}, page.guest())
  await page.pageWithScript(
    status,
    (token, words) => signInPage(words, { place: page.asked.host, token, offers, passkey, ...shown }),
    headers,
  )
}
