import { signInPage } from './sign_in_view.ts'
import type { PageRequest } from '../page_request.ts'

/** The sign-in page, with everything that is offered. */
export const showSignIn = async (
  visit: PageRequest,
  shown: { returnTo: string; login?: string; problem?: string },
  status = 200,
  headers: Record<string, string> = {},
): Promise<void> => {
  const offers = await visit.offers()
  const passkey = visit.atHome ? await visit.call('auth.passkey_options', {}, visit.guest()) : undefined
  await visit.pageWithScript(
    status,
    (token, words) => signInPage(words, { place: visit.asked.host, token, offers, passkey, ...shown }),
    headers,
  )
}
