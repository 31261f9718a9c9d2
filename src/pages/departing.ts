import { AppError, errorTable } from '../contract/errors.ts'
import type { Callbacks } from '../federation/callback.ts'
import { flowLifetimeSeconds } from '../federation/outgoing_sign_ins.ts'
import { flowCookie } from '../wire/cookies.ts'
import { continuePage } from './openid/openid_views.ts'
import type { PageRequest } from './page_request.ts'
import { wishesIn } from './sign_in/complete_sign_in.ts'
import type { FederationParts } from './sign_in/provider_parts.ts'
import { faults } from './sign_in/provider_problems.ts'

// The way to a provider.

/** How many unfinished sign-ins at providers a browser keeps. */
const maxOpenFlows = 5

/** The cookie of one sign-in at a provider. */
export const flow = (id: string) => (secure: boolean) => flowCookie(secure, id)

/** Goes to the provider whose button the person has pressed on the sign-in page, with the box that they ticked there. */
export const departFromForm = (
  { arrivals }: FederationParts,
  page: PageRequest,
  form: URLSearchParams,
  next: string,
): Promise<void> => {
  const choose = form.get('prompt') === 'select_account'
  const where = { next, anew: false, choose, remember: wishesIn(form).remember }
  return depart(arrivals, page, form.get('provider') ?? '', where, 'form')
}

/** Goes to the provider by which a signed-in person proves again who they are. It must ask them anew, and only this session gains. */
export const departToProve = (
  { arrivals }: FederationParts,
  page: PageRequest,
  { provider, next, session }: { provider: string; next: string; session: string | undefined },
): Promise<void> =>
  depart(
    arrivals,
    page,
    provider,
    { next, anew: true, choose: false, remember: false, proves: session },
    'form',
  )

/** A form leads there to sign in, or to link an identity; anything else that leads there is a link. */
export const depart = async (
  arrivals: Callbacks,
  page: PageRequest,
  name: string,
  where: Parameters<Callbacks['begin']>[1],
  by: 'link' | 'form' | 'linking form' = 'link',
): Promise<void> => {
  const { next } = where
  const linking = by === 'linking form'
  const caller = linking ? ((await page.caller()) ?? page.guest()) : page.guest()
  try {
    const { url, cookie } = await arrivals.begin(name, where, caller, linking)
    const kept = [
      { name: flow(cookie.id), value: cookie.value, maxAge: flowLifetimeSeconds },
      // Otherwise sign-ins that nobody finishes would fill up the Cookie header.
      ...(await page.flowIds())
        .slice(0, 1 - maxOpenFlows)
        .map((id) => ({ name: flow(id), value: '', maxAge: 0 })),
    ]
    // The CSP (form-action) forbids a redirect from a form to another site, so a page goes on by itself.
    if (by !== 'link') await page.page(200, (_, words) => continuePage(words, page.asked.host, url), {}, kept)
    else await page.goKeeping(302, url, ...kept)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { fault, title } = error.data as { fault?: keyof typeof faults; title?: string }
    if (fault !== undefined) return page.tell(faults[fault](title!, next))
    page.tell({
      status: errorTable[error.error].http,
      reason: 'sign_in_failed',
      problem: error.data,
      code: error.error,
      ...(typeof error.data.retry_after === 'number' && {
        headers: { 'retry-after': String(error.data.retry_after) },
      }),
      link: { href: `/auth/login?return_to=${encodeURIComponent(next)}`, name: 'other_ways' },
    })
  }
}
