import { AppError, errorTable } from '../../contract/errors.ts'
import { readBody } from '../../wire/request_body.ts'
import type { CallbackResult, Callbacks } from '../../federation/callback.ts'
import { flowLifetimeSeconds } from '../../federation/outgoing_sign_ins.ts'
import { pendingLifetimeSeconds } from '../../federation/pending_links.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ownHeaders, send } from '../../wire/responses.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { flowCookie, linkCookie } from '../../wire/cookies.ts'
import { faults, gone, linkAtHome, refusals } from './provider_problems.ts'
import { inWords, secondStep } from './complete_sign_in.ts'
import { continuePage } from '../openid/openid_views.ts'
import { linkPage } from './link_view.ts'
import { returnPath } from '../return_path.ts'
import type { Keepsake, PageRequest } from '../page_request.ts'
import { showSignIn } from './show_sign_in.ts'
import type { FederationParts } from './provider_parts.ts'

// The pages on the way to identity providers and back. They decide nothing: the steps are the federation's.
const flow = (id: string) => (secure: boolean) => flowCookie(secure, id)
const link = (value: string): Keepsake => ({ name: linkCookie, value, maxAge: pendingLifetimeSeconds })

/**
 * `/login?next=&provider=&prompt=`: to the provider that is named, or the only one; to the sign-in page where there are several.
 * `prompt=login` wants a fresh proof of it.
 */
export const login = async ({ arrivals }: FederationParts, visit: PageRequest): Promise<void> => {
  const next = returnPath(visit.query.get('next') ?? visit.query.get('return_to'))
  const named = visit.query.get('provider')
  const anew = visit.query.get('prompt') === 'login'
  const { providers } = await visit.offers()
  const name = named ?? (providers.length === 1 ? providers[0]!.provider : undefined)
  // Also for whoever is signed in: what sent them here takes no other session.
  if (name !== undefined) return depart(arrivals, visit, name, { next, anew })
  if (providers.length > 1) return showSignIn(visit, { returnTo: next })
  visit.go(302, `/auth/login?return_to=${encodeURIComponent(next)}`)
}

const depart = async (
  arrivals: Callbacks,
  visit: PageRequest,
  name: string,
  where: { readonly next: string; readonly anew: boolean },
  linking = false,
): Promise<void> => {
  const { next } = where
  const caller = linking ? ((await visit.caller()) ?? visit.guest()) : visit.guest()
  try {
    const { url, cookie } = await arrivals.begin(name, { host: visit.asked.host, ...where }, caller, linking)
    const kept = { name: flow(cookie.id), value: cookie.value, maxAge: flowLifetimeSeconds }
    // Browsers let no answer to a form lead to another site; a page that goes on by itself is none.
    if (linking) await visit.page(200, (_, words) => continuePage(words, visit.asked.host, url), {}, [kept])
    else await visit.goKeeping(302, url, kept)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { fault, title } = error.data as { fault?: keyof typeof faults; title?: string }
    if (fault !== undefined) return visit.tell(faults[fault](title!, next))
    visit.tell({
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

/** `/oauth/callback` and `/oauth/callback/<provider>`: what the provider sent the browser back with. */
export const callback = async (
  { arrivals, publicUrl }: FederationParts,
  visit: PageRequest,
): Promise<void> => {
  const read = await visit.keepsakes()
  const at = {
    path: visit.asked.path,
    host: visit.asked.host,
    home: visit.atHome,
    cookieOf: (id: string) => read(flow(id)),
  }
  const guest = visit.guest()
  const answer = visit.query
  const arrival = await arrivals.complete(answer, at, (await visit.caller()) ?? guest, guest)
  const name = flow(arrivals.cookieOf(answer.get('state') ?? ''))
  // However it ended: what stayed behind of journeys that came to nothing would fill up what a browser may send.
  const used = read(name) === undefined ? [] : [{ name, value: '', maxAge: 0 }]
  return show(visit, arrival, used, publicUrl)
}

const show = async (
  visit: PageRequest,
  arrival: CallbackResult,
  used: readonly Keepsake[],
  publicUrl: string,
): Promise<void> => {
  switch (arrival.act) {
    case 'gone':
      return visit.tellKeeping(gone, ...used)
    case 'elsewhere': {
      // From our own records and configuration alone: nothing in the request says where.
      const there = new URL(visit.asked.path, publicUrl)
      there.hostname = arrival.host
      there.search = visit.query.toString()
      return visit.go(302, there.href)
    }
    case 'fault':
      return visit.tellKeeping(faults[arrival.fault](arrival.title, returnPath(arrival.next)), ...used)
    case 'refused':
      return visit.tellKeeping(refusals[arrival.why](arrival.title, returnPath(arrival.next)), ...used)
    case 'second step':
      return secondStep(visit, arrival, returnPath(arrival.next), undefined, used)
    case 'link':
      if (!visit.atHome) return visit.tellKeeping(linkAtHome(visit.home('/auth/me')), ...used)
      return visit.goKeeping(303, '/auth/link', ...used, link(arrival.token))
    case 'enter': {
      const { access_token, expires_in } = arrival.opened
      return visit.goWithSession(returnPath(arrival.next), access_token, expires_in, used)
    }
  }
}

/** Whose the identity is that has just come back: asks whoever is signed in. */
export const confirmLink = async (
  { linking }: FederationParts,
  visit: PageRequest,
  problem?: string,
  status = 200,
): Promise<void> => {
  const read = await visit.keepsakes()
  const waiting = await linking.findPending(read(linkCookie) ?? '')
  if (!waiting) return visit.tell(gone)
  const caller = await visit.caller()
  await visit.page(status, (token, words) =>
    linkPage(words, { place: visit.asked.host, token, ...waiting, user: caller?.name, problem }),
  )
}

export const postLink = async (parts: FederationParts, visit: PageRequest): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  if (form.get('answer') !== 'link') return visit.goKeeping(303, '/auth/me', link(''))
  const caller = await visit.caller()
  if (!caller) return visit.go(303, '/auth/login?return_to=/auth/link')
  const read = await visit.keepsakes()
  try {
    await visit.call('users.identities.link', { link: read(linkCookie) || '-' }, caller)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.error === 'proof_required' && visit.atHome)
      return visit.go(303, '/auth/prove?return_to=/auth/link')
    if (error.error === 'not_found') return visit.tell(gone)
    if (error.error === 'unauthenticated') return visit.go(303, '/auth/login?return_to=/auth/link')
    return confirmLink(parts, visit, await inWords(visit, error), errorTable[error.error].http)
  }
  await visit.goKeeping(303, '/auth/me?done=link', link(''))
}

/** From the account page to a provider, to bring an identity back. */
export const postBeginLink = async ({ arrivals }: FederationParts, visit: PageRequest): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const caller = await visit.caller()
  if (!caller) return visit.go(303, '/auth/login?return_to=/auth/me')
  await depart(arrivals, visit, form.get('provider') ?? '', { next: '/auth/me', anew: false }, true)
}

/** OpenID Connect Back-Channel Logout section 2.8. */
export const backchannelLogout = async (
  { logouts }: FederationParts,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const body = await readBody(request, response, 64 * 1024)
  if (body === undefined) return
  const answer = (status: number, told: object) =>
    send(response, status, 'application/json', JSON.stringify(told), ownHeaders(asked))
  const [token = '', ...more] = new URLSearchParams(body.toString('utf8')).getAll('logout_token')
  try {
    if (token === '' || more.length > 0) throw new AppError('invalid_request', 'There is no one logout_token')
    await logouts.receive(token, visit.guest())
    answer(200, {})
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    answer(error.error === 'invalid_request' ? 400 : errorTable[error.error].http, {
      error: error.error === 'invalid_request' ? 'invalid_request' : 'temporarily_unavailable',
      error_description: error.message.replaceAll(/[^\x20-\x7e]|["\\]/g, ''),
    })
  }
}
