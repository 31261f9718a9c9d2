import type { AccessRequests, Standing } from '../../asking/access_requests.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import type { Refusal } from '../../wire/refusal.ts'
import { inWords } from '../sign_in/complete_sign_in.ts'
import type { PageRequest } from '../page_request.ts'
import { askPage } from './ask_view.ts'

/** What these pages need to know of requests for access. */
export type Asking = Pick<AccessRequests, 'offered' | 'standings'>

const back = { link: { href: '/auth/services', name: 'your_services' } } as const

/** One answer for every token that does not count, whatever is wrong with it. */
const over: Refusal = { ...back, status: 400, reason: 'ask_over', code: 'invalid_params' }

/** Why there is nothing to ask for now, in the words of the same refusal of requests.add. */
const notNow = (standing: Exclude<Standing, { may: 'ask' }>): Refusal => {
  const reasons = { wait: 'ask_waiting', nothing: 'ask_useless', 'ask later': 'ask_refused' } as const
  const problem = { code: 'conflict', reason: reasons[standing.may], ...standing }
  return { ...back, status: 409, reason: 'ask_not_now', code: 'conflict', problem }
}

/** Shows the form by which people ask for access to what refused them. Opening it changes nothing. */
export const ask =
  (asking: Asking) =>
  async (page: PageRequest): Promise<void> => {
    const token = page.query.get('token') ?? ''
    const session = await page.session()
    if (!session) {
      if (!page.navigates) return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
      const here = `/auth/ask?token=${encodeURIComponent(token)}`
      return page.go(302, `/auth/login?return_to=${encodeURIComponent(here)}`)
    }
    const caller = await page.caller()
    if (caller?.on_behalf !== undefined)
      return page.tell({
        status: 409,
        reason: 'impersonating',
        values: { user: caller.on_behalf },
        code: 'conflict',
        link: { href: '/auth/me', name: 'your_account' },
      })
    const offer = await asking.offered(session, token)
    if (!offer) return page.tell(over)
    const standing = (await asking.standings(session, [offer])).get(offer.ref)!
    if (standing.may !== 'ask') return page.tell(notNow(standing))
    const { title } = offer
    await page.page(200, (formToken, words) =>
      askPage(words, { place: page.asked.host, formToken, title, token, reason: '', problem: undefined }),
    )
  }

/** Asks. The reason is one line, however it was typed. */
export const postAsk =
  (asking: Asking) =>
  async (page: PageRequest): Promise<void> => {
    const form = await page.form()
    if (!form) return
    const token = form.get('token') ?? ''
    const reason = (form.get('reason') ?? '').replaceAll(/\s+/g, ' ').trim()
    const caller = await page.caller()
    const session = await page.session()
    if (!caller || !session) return page.go(303, '/auth/login')
    try {
      await page.call('requests.add', { token, reason }, caller)
      page.go(303, '/auth/services')
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const offer = await asking.offered(session, token)
      if (!offer) return page.tell(over)
      const problem = await inWords(page, error)
      await page.page(errorTable[error.error].http, (formToken, words) =>
        askPage(words, {
          place: page.asked.host,
          formToken,
          title: offer.title,
          token,
          reason,
          problem,
        }),
      )
    }
  }
