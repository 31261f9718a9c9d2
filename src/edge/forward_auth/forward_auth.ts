import { switchesOf, type RouteTable } from '../../routes/route_table.ts'
import { isNavigation, redirect } from '../../wire/responses.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import type { ShowRefusal } from '../../html/show_refusal.ts'
import { isRequestError, type EdgeRequest } from '../../wire/request.ts'
import { asksByPath, readAbout } from './question.ts'
import { withoutOwnCookies } from '../../wire/cookies.ts'
import type { Decision, Decisions } from '../decide/decision.ts'
import { type OwnPathTable, isForwardAuth } from '../../wire/own_path.ts'
import type { ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import type { Home } from '../../contract/home.ts'
import { isOldForm } from '../decide/old_forms.ts'
import { isUnreadable, spellsForwardAuth } from '../decide/forward_auth_spelling.ts'
import { ambiguousPath, badRequest, mayNotAsk, ownPath } from '../decide/refusals.ts'
import type { Askers } from './askers.ts'
import type { Pass } from '../forward/pass.ts'
import { identityHeaders, identityHeaderNames } from '../../identity/identity_headers.ts'

interface Parts {
  readonly home: Home
  readonly askers: Askers
  readonly decisions: Decisions
  readonly ownPaths: OwnPathTable
  readonly tell: ShowRefusal
  readonly tellUnrouted: ShowRefusal
}

/** The headers that a 200 decides about. None of them may reach the service as the client sent it. */
const names = [...identityHeaderNames, 'Cookie', 'Authorization']

/**
 * Answers another proxy that carries the bytes and asks about each request. The decision is the same as for a request that comes
 * here directly. Only proxies in forward_auth_from get an answer: anybody else could choose which request we decide about, and read
 * the identity and the service's cookies from the answer.
 */
export class ForwardAuth {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  answer(
    sent: ReceivedRequest,
    to: ClientResponse,
    request: EdgeRequest,
    table: RouteTable,
  ): undefined | Promise<undefined> {
    const { askers, decisions, ownPaths, home, tell } = this.#parts
    if (!askers.mayAsk(sent) || !isForwardAuth(request.path))
      return void this.#refuse(sent, to, request, table)
    if (!asksByPath(request) && request.method !== 'GET' && request.method !== 'HEAD')
      return void tell(sent, to, request, onlyGet)
    const about = readAbout(sent, request, askers.addresses)
    if (isRequestError(about)) return void tell(sent, to, request, badRequest(about))
    if (isUnreadable(about.path)) return void tell(sent, to, request, ambiguousPath)
    const { rawHeaders, httpVersion, socket } = sent
    // If the path in question follows ours, the query is the client's own.
    const wishes = new URLSearchParams(asksByPath(request) ? '' : request.target.slice(request.path.length))
    const question: Question = {
      about,
      // The client's own headers show whether this is a navigation of a person.
      sent: { method: about.method, rawHeaders, httpVersion, socket },
      redirects: wishes.get('redirect') !== 'off',
      absent: asksByPath(request) ? 'listed' : wishes.get('empty') === 'off' ? 'left out' : 'empty',
    }
    const routes = table.at(about.host)
    const plan = routes?.match(about.path)
    // The proxy has to send our paths to us at each of its hosts, and it asks about none that it does not serve.
    const isOwn = ownPaths.find(about, ownPaths.kindOf(about.host, true), switchesOf(plan)) !== undefined
    if (spellsForwardAuth(about.path) || isOwn) return void tell(question.sent, to, about, ownPath)
    if (!routes) return void tell(question.sent, to, about, notFoundRefusal)
    if (isOldForm(about, home)) return void tell(question.sent, to, about, ownPath)
    const decision = decisions.decide(about, plan)
    return decision instanceof Promise
      ? decision.then((made) => follow(made, question, to, tell))
      : follow(decision, question, to, tell)
  }

  #refuse(sent: ReceivedRequest, to: ClientResponse, request: EdgeRequest, table: RouteTable): void {
    const { ownPaths, tell, tellUnrouted } = this.#parts
    const kind = ownPaths.kindOf(request.host, table.at(request.host) !== undefined)
    const show = kind === 'unrouted' ? tellUnrouted : tell
    show(sent, to, request, mayNotAsk)
  }
}

interface Question {
  readonly about: EdgeRequest
  readonly sent: ReceivedRequest
  /** False for proxies that cannot pass on a redirect (auth_request of nginx): they get a 401 with the same Location. */
  readonly redirects: boolean
  /**
   * How a 200 states that a header does not apply. A proxy that copies only the headers of the answer would keep what the client
   * sent (CVE-2026-30851), so empty headers replace it. Envoy removes the headers that are listed. Others remove all of them first.
   */
  readonly absent: 'empty' | 'listed' | 'left out'
}

const follow = (decision: Decision, question: Question, to: ClientResponse, tell: ShowRefusal): undefined => {
  const { about, sent, redirects } = question
  if (decision.act === 'forward') return permit(question, decision, to)
  if (decision.act === 'tell') return void tell(sent, to, about, decision.refusal)
  const { location, refusal, missing } = decision
  const people = isNavigation(sent)
  if (!people || missing) return void tell(sent, to, about, (people && missing) || refusal)
  if (redirects) redirect(to, about, 302, location)
  else tell(sent, to, about, { ...refusal, headers: { ...refusal.headers, location } })
  return undefined
}

const permit = ({ about, absent }: Question, pass: Pass, to: ClientResponse): undefined => {
  const list = identityHeaders(pass)
  // Cookie and Authorization can carry our own secrets: the service gets them without those.
  const cookies = about.cookies.map(withoutOwnCookies).filter((kept) => kept !== undefined)
  if (cookies.length > 0) list.push('Cookie', cookies.join('; '))
  const [authorization, ...more] = pass.authorizationUsed ? [] : about.authorizations
  if (authorization !== undefined && more.length === 0) list.push('Authorization', authorization)
  if (absent !== 'left out') {
    const missing = names.filter((name) => !holds(list, name))
    if (absent === 'listed') list.push('X-Envoy-Auth-Headers-To-Remove', missing.join(','))
    else for (const name of missing) list.push(name, '')
  }
  list.push('Content-Length', '0', 'Cache-Control', 'no-store')
  to.writeHead(200, 'OK', list)
  to.end()
  return undefined
}

/** Whether a flat list holds a header. Only even places are names; a value may look like one. */
const holds = (list: readonly string[], name: string): boolean => {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true
  return false
}

const onlyGet: Refusal = {
  status: 405,
  reason: 'forward_auth_method',
  code: 'method_not_allowed',
  headers: { allow: 'GET, HEAD' },
}
