import { AppError } from '../../contract/errors.ts'
import type { Destinations } from '../../handover/destination.ts'
import { wayCookie } from '../../wire/cookies.ts'
import { notFoundRefusal } from '../../wire/refusal.ts'
import type { PageRequest } from '../page_request.ts'
import { passkeyOffers } from './passkey_offers.ts'
import { leftHow } from './just_left.ts'
import { isByAnotherDevice } from './sign_in_anew.ts'
import { signInPage, type SignInPage } from './sign_in_view.ts'

/** Finds the service that a path of home leads on to. */
export const serviceOf = async (destinations: Destinations, path: string): Promise<SignInPage['service']> => {
  const { pathname, searchParams } = new URL(path, 'http://door.invalid')
  if (pathname !== '/auth/login') return undefined
  const to = await destinations.ofService(searchParams.get('service') ?? '')
  return to && { host: to.host, title: to.plan.route.title }
}

/** Shows the sign-in page, with every way that is available. */
export const showSignIn = async (
  page: PageRequest,
  destinations: Destinations,
  shown: Pick<SignInPage, 'returnTo' | 'login' | 'problem' | 'anew'>,
  status = 200,
  headers: Record<string, string> = {},
): Promise<void> => {
  const offers = await page.offers()
  const passkeys = await passkeyOffers(page, page.guest(), offers.rpIds)
  const service = await serviceOf(destinations, shown.returnTo)
  const byAnother = await isByAnotherDevice(page)
  const chooses = (await leftHow(page)) === 'switch'
  const lastWay = (await page.keepsakes())(wayCookie)
  await page.pageWithScript(
    status,
    (token, words) =>
      signInPage(words, {
        place: page.asked.host,
        token,
        offers,
        passkeys,
        service,
        lastWay,
        chooses,
        anew: byAnother ? 'another_device' : undefined,
        ...shown,
      }),
    headers,
  )
}

/** New options for the passkeys of a sign-in page that is still open. They are the same for everybody, so asking for them uses no session. */
export const passkeyOptions = async (page: PageRequest): Promise<void> => {
  const rp_id = page.query.get('rp_id')
  try {
    page.json(await page.call('auth.passkey_options', rp_id === null ? {} : { rp_id }, page.guest()))
  } catch (error) {
    // The name is no longer ours.
    if (!(error instanceof AppError)) throw error
    page.tell(notFoundRefusal)
  }
}
