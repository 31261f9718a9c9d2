import { randomBytes } from 'node:crypto'
import type { PreviousHostProofs } from '../../auth/previous_host_proofs.ts'
import { AppError } from '../../contract/errors.ts'
import { digest } from '../../secrets/digest.ts'
import { arrivalCookie } from '../../wire/cookies.ts'
import type { Refusal } from '../../wire/refusal.ts'
import { notFoundRefusal } from '../../wire/refusal.ts'
import { goOn } from '../handover/at_home.ts'
import { refusesJourney } from '../handover/at_service.ts'
import { continuePage } from '../openid/openid_views.ts'
import type { PageRequest } from '../page_request.ts'
import { onwardPath } from '../return_path.ts'
import { openSession, wishesIn } from './complete_sign_in.ts'

// Home's part of a passkey that the browser uses at the host of an earlier public URL.

const arrivalSeconds = 600
const looksLikeArrival = (value: string | undefined): value is string =>
  value !== undefined && /^[A-Za-z0-9_-]{22}$/.test(value)

/** Sends the browser to the host for which the passkey was made. Only this browser can come back with its answer. */
export const postBegin =
  (proofs: PreviousHostProofs) =>
  async (page: PageRequest): Promise<void> => {
    const form = await page.form({ forGuests: true })
    if (!form) return
    const returnTo = onwardPath(page, form.get('return_to'))
    const session = form.get('prove') === '1' ? await page.session() : undefined
    const shown = (await page.keepsakes())(arrivalCookie)
    const arrival = looksLikeArrival(shown) ? shown : randomBytes(16).toString('base64url')
    const to = proofs.begin({
      host: form.get('rp_id') ?? '',
      arrivalHash: digest(arrival),
      purpose: session ? `prove ${session.id}` : 'sign_in',
      signIn: form.get('sign_in') ?? '',
      ...wishesIn(form),
      returnTo,
    })
    if (to === undefined) return page.tell(notFoundRefusal)
    const kept = { name: arrivalCookie, value: arrival, maxAge: arrivalSeconds }
    await page.page(200, (_, words) => continuePage(words, page.asked.host, to), {}, [kept])
  }

/** `/auth/passkey/arrive?code=`: the browser comes back, and is signed in or has confirmed who it is. */
export const arrive =
  (proofs: PreviousHostProofs) =>
  async (page: PageRequest): Promise<void> => {
    if (refusesJourney(page)) return
    const code = page.query.get('code') ?? ''
    const begun = await proofs.purposeOf(code)
    const returnTo = onwardPath(page, begun?.returnTo)
    if (!begun) return page.tell(refused(returnTo))
    const passkey_code = `${code}.${(await page.keepsakes())(arrivalCookie) ?? ''}`
    const again = async (data: AppError['data']) => page.tell(refused(returnTo, data))
    if (begun.purpose === 'sign_in') {
      const params = { passkey_code, ...(begun.signIn !== '' && { sign_in: begun.signIn }) }
      return openSession(
        page,
        {
          method: 'auth.login_by_passkey',
          params,
          returnTo,
          wishes: { remember: begun.remember, trust: begun.trust },
        },
        (_problem, _status, _headers, data) => again(data),
      )
    }
    const caller = await page.caller()
    if (!caller) return page.tell(refused(returnTo))
    try {
      await page.call('auth.prove', { passkey_code }, caller)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return again(error.data)
    }
    await goOn(page, returnTo)
  }

const refused = (
  returnTo: string,
  problem: Refusal['problem'] = { code: 'unauthenticated', reason: 'passkey_refused' },
): Refusal => ({
  status: 401,
  reason: 'sign_in_failed',
  code: 'unauthenticated',
  problem,
  link: { href: `/auth/login?return_to=${encodeURIComponent(returnTo)}`, name: 'try_again' },
})
