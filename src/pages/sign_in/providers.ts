import { AppError, errorTable } from '../../contract/errors.ts'
import { readBody } from '../../wire/request_body.ts'
import type { CallbackResult } from '../../federation/callback.ts'
import { pendingLifetimeSeconds } from '../../federation/pending_links.ts'
import { nameParameter, postedName } from '../../federation/posted_name.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ownHeaders, redirect, send } from '../../wire/responses.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { linkCookie } from '../../wire/cookies.ts'
import { faults, gone, refusals } from './provider_problems.ts'
import type { HomeParts } from '../handover/at_home.ts'
import { afterProof } from './after_proof.ts'
import { inWords, lastWay } from './complete_sign_in.ts'
import { depart, flow } from '../departing.ts'
import { signingIn } from './device.ts'
import { leftHow } from './just_left.ts'
import { linkPage } from './link_view.ts'
import { goOn } from '../handover/at_home.ts'
import { onwardPath, returnPath } from '../return_path.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { showSignIn } from './show_sign_in.ts'
import type { FederationParts } from './provider_parts.ts'

// The pages on the way to identity providers and back. They decide nothing: the federation decides every step.
/** Where a link that the account page begins comes back to. */
const accountPath = '/auth/security'
const link = (value: string): Keepsake => ({ name: linkCookie, value, maxAge: pendingLifetimeSeconds })

/**
 * `/login?next=&provider=&prompt=`: redirects to the named provider, or to the only one, or to the sign-in page if there are several.
 * `prompt=login` requires a fresh proof from the provider, `prompt=select_account` makes it ask which account to use.
 */
export const login = async (
  { arrivals }: FederationParts,
  page: PageRequest,
  { destinations }: HomeParts,
): Promise<void> => {
  const next = onwardPath(page, page.query.get('next') ?? page.query.get('return_to'))
  const named = page.query.get('provider')
  const prompt = page.query.get('prompt')
  // Only the form on our own page keeps a sign-in: a link must not tick the box for the person.
  const where = { next, anew: prompt === 'login', choose: prompt === 'select_account', remember: false }
  const { providers } = await page.offers()
  const left = await leftHow(page)
  const lone = providers.length === 1 && left === undefined ? providers[0]!.provider : undefined
  const name = named ?? lone
  // Also for a person who is signed in, because the route that sent them here accepts no other session.
  if (name !== undefined) return depart(arrivals, page, name, where)
  if (providers.length > 1 || left !== undefined) return showSignIn(page, destinations, { returnTo: next })
  page.go(302, `/auth/login?return_to=${encodeURIComponent(next)}`)
}

/** The parameters of an answer that we read. */
const answerParameters: ReadonlySet<string> = new Set(['code', 'state', 'iss', 'error', 'error_description'])

/**
 * Receives an answer as a form (OAuth 2.0 Form Post Response Mode). Browsers send no cookie of ours with a form of another site, so the
 * same answer comes again as a link.
 */
export const postedCallback = async (
  page: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const body = await readBody(request, response, 64 * 1024)
  if (body === undefined) return
  const form = new URLSearchParams(body.toString('utf8'))
  const answer = new URLSearchParams([...form].filter(([name]) => answerParameters.has(name)))
  const name = postedName(form.get('user') ?? '')
  if (name !== '') answer.set(nameParameter, name)
  // A longer head would be refused, and without a state no sign-in waits for the answer.
  if (!answer.has('state') || String(answer).length > 8192) return page.tell(gone)
  redirect(response, asked, 303, `${asked.path}?${answer}`)
}

/** `/oauth/callback` and `/oauth/callback/<provider>`: receives the answer with which a provider sends the browser back. */
export const callback = async ({ arrivals }: FederationParts, page: PageRequest): Promise<void> => {
  const read = await page.keepsakes()
  const at = {
    path: page.asked.path,
    cookieOf: (id: string) => read(flow(id)),
  }
  const { caller: guest, kept: device } = await signingIn(page)
  const answer = page.query
  const arrival = await arrivals.complete(answer, at, (await page.caller()) ?? guest, guest)
  const name = flow(arrivals.cookieOf(answer.get('state') ?? ''))
  // Remove the cookie whatever the result: leftovers of failed sign-ins would fill up the Cookie header.
  const isOver = read(name) === undefined
  // Going back to a sign-in that is finished: the person has what it was for.
  if (arrival.act === 'gone' && isOver && (await page.caller())) return page.go(302, page.landing)
  const used = isOver ? [] : [{ name, value: '', maxAge: 0 }]
  const signsIn = arrival.act === 'enter' || arrival.act === 'second step'
  return show(page, arrival, signsIn ? [...used, device] : used)
}

const show = async (page: PageRequest, arrival: CallbackResult, used: readonly Keepsake[]): Promise<void> => {
  switch (arrival.act) {
    case 'gone':
      return page.tellKeeping(gone, ...used)
    case 'fault':
      return page.tellKeeping(
        faults[arrival.fault](arrival.title, onwardPath(page, arrival.next), arrival.reported),
        ...used,
      )
    case 'refused':
      return page.tellKeeping(refusals[arrival.why](arrival.title, onwardPath(page, arrival.next)), ...used)
    case 'second step':
    case 'enter': {
      const came = arrival.act === 'enter' ? arrival.opened : arrival
      return afterProof(page, came, onwardPath(page, arrival.next), [...used, lastWay(arrival.provider)])
    }
    case 'link':
      return page.goKeeping(303, '/auth/link', ...used, link(arrival.token))
  }
}

/** Asks the person who is signed in whether the identity that a provider has just returned is theirs. */
export const confirmLink = async (
  { linking }: FederationParts,
  page: PageRequest,
  problem?: string,
  status = 200,
): Promise<void> => {
  const read = await page.keepsakes()
  const waiting = await linking.findPending(read(linkCookie) ?? '')
  if (!waiting) return page.tell(gone)
  const caller = await page.caller()
  await page.page(status, (token, words) =>
    linkPage(words, { place: page.asked.host, token, ...waiting, user: caller?.name, problem }),
  )
}

export const postLink = async (parts: FederationParts, page: PageRequest): Promise<void> => {
  const form = await page.form()
  if (!form) return
  if (form.get('answer') !== 'link') return page.goKeeping(303, '/auth/me', link(''))
  const caller = await page.caller()
  if (!caller) return page.go(303, '/auth/login?return_to=/auth/link')
  const token = (await page.keepsakes())(linkCookie) || '-'
  const waiting = await parts.linking.findPending(token)
  try {
    await page.call('users.identities.link', { link: token }, caller)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.error === 'proof_required') return page.go(303, '/auth/prove?return_to=/auth/link')
    if (error.error === 'not_found') return page.tell(gone)
    if (error.error === 'unauthenticated') return page.go(303, '/auth/login?return_to=/auth/link')
    return confirmLink(parts, page, await inWords(page, error), errorTable[error.error].http)
  }
  const next = returnPath(waiting?.next, accountPath)
  // A person who was going to no page in particular reads that it is done.
  const to = [page.landing, '/auth/me', accountPath].includes(next) ? `${accountPath}?done=link` : next
  await goOn(page, to, undefined, [link('')])
}

/** Sends a person from the account page to a provider, to link an identity there. */
export const postBeginLink = async ({ arrivals }: FederationParts, page: PageRequest): Promise<void> => {
  const form = await page.form()
  if (!form) return
  const caller = await page.caller()
  if (!caller) return page.go(303, '/auth/login?return_to=/auth/me')
  await depart(
    arrivals,
    page,
    form.get('provider') ?? '',
    { next: accountPath, anew: false, choose: false, remember: false },
    'linking form',
  )
}

/** OpenID Connect Back-Channel Logout section 2.8. */
export const backchannelLogout = async (
  { logouts }: FederationParts,
  page: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const body = await readBody(request, response, 64 * 1024)
  if (body === undefined) return
  const answer = (status: number, content: object) =>
    send(response, status, 'application/json', JSON.stringify(content), ownHeaders(asked))
  const [token = '', ...more] = new URLSearchParams(body.toString('utf8')).getAll('logout_token')
  try {
    if (token === '' || more.length > 0)
      throw new AppError('invalid_request', 'There must be exactly one logout_token')
    await logouts.receive(token, page.guest())
    answer(200, {})
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    answer(error.error === 'invalid_request' ? 400 : errorTable[error.error].http, {
      error: error.error === 'invalid_request' ? 'invalid_request' : 'temporarily_unavailable',
      error_description: error.message.replaceAll(/[^\x20-\x7e]|["\\]/g, ''),
    })
  }
}
