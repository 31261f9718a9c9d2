import { isIP } from 'node:net'
import type { Claims } from '../../claims/claims.ts'
import { invalidParams } from '../../contract/errors.ts'
import type { Route } from '../../routes/route.ts'
import { switchesOf, type RoutePlan, type RouteTable } from '../../routes/route_table.ts'
import type { CheckName, Trial, TrialParams } from '../../routes/route_test.ts'
import { maySignIn } from '../../storage/schema.ts'
import type { User } from '../../users/user.ts'
import type { Users } from '../../users/users.ts'
import { isNavigation } from '../../wire/responses.ts'
import { isRequestError, readRequest, type EdgeRequest } from '../../wire/request.ts'
import { authModes, type Credential } from '../../routes/auth_modes.ts'
import type { CookiePolicy } from '../../wire/cookie_policy.ts'
import { sentByBrowser, type AuthMethod } from '../../contract/principal.ts'
import type { Decision, Decisions } from '../decide/decision.ts'
import { requestHeaders } from '../forward/request_headers.ts'
import { upstreamTarget } from '../forward/upstream_target.ts'
import { type OwnPathTable, isForwardAuth } from '../../wire/own_path.ts'
import type { ClientAddresses } from '../../wire/client_address.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { isUnreadable, spellsForwardAuth } from '../decide/forward_auth_spelling.ts'
import { ambiguousPath, badRequest, mayNotAsk } from '../decide/refusals.ts'
import type { UpstreamChoice } from '../../upstream/choice.ts'
import { nobody, type Identified } from '../../identity/identify.ts'
import * as why from './reasons.ts'
import type { Pass } from '../forward/pass.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'

interface Parts {
  readonly peers: ClientAddresses
  readonly routes: () => RouteTable | Promise<RouteTable>
  /** Records nothing, because the request does not really happen. */
  readonly decisions: Decisions
  readonly ownPaths: OwnPathTable
  readonly upstreams: UpstreamChoice
  readonly cookies: CookiePolicy
  readonly users: Users
  readonly claims: Claims
}

const kinds: Readonly<Record<NonNullable<TrialParams['kind']>, readonly string[]>> = {
  navigation: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'],
  fetch: ['Accept', '*/*', 'Sec-Fetch-Mode', 'cors'],
  websocket: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'],
}

/** Makes the request as it would arrive, but without credentials. */
const sentBy = ({
  url,
  method = 'GET',
  kind = 'navigation',
  address = '127.0.0.1',
}: TrialParams): ReceivedRequest => {
  if (isIP(address) === 0) throw invalidParams('address', 'an IPv4 or IPv6 address')
  const [, scheme, host, rest = '/'] = /^(https?):\/\/([^/?#]+)([^]*)$/.exec(url)!
  return {
    method,
    // Browsers and programs send `/` for a URL without a path.
    url: rest.startsWith('/') ? rest : `/${rest}`,
    rawHeaders: ['Host', host!, ...kinds[kind]],
    httpVersion: '1.1',
    socket: { remoteAddress: address, encrypted: scheme === 'https' },
  }
}

/** Headers that differ from request to request, or that would give access to anyone who reads them. */
const masked: Readonly<Record<string, string>> = {
  'X-Request-Id': '(one for each request)',
  'X-Hero-Assertion': '(signed)',
  'X-Proxy-Provider-Token': '(if one is stored for this person)',
}

/** How a user would prove who they are, in order of precedence: browsers before programs. */
const proofs: readonly [Credential, AuthMethod][] = [
  ['session', 'local'],
  ['provider session', 'oauth'],
  ['access token', 'bearer'],
  ['signature', 'signature'],
]

const nothing: Pick<Trial, 'route' | 'upstream' | 'target' | 'headers' | 'location'> = {
  route: null,
  upstream: null,
  target: null,
  headers: [],
  location: null,
}

const refused = (check: CheckName, { status }: Refusal, why: string): Trial => ({
  ...nothing,
  act: 'refuse',
  status,
  check,
  why,
})

/** Reports what would happen to a request and why, with the same functions that decide about real requests. */
export class RouteTests {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async run(params: TrialParams): Promise<Trial> {
    const { peers, routes, ownPaths } = this.#parts
    const user = params.user ? await this.#parts.users.get({ username: params.user }) : undefined
    const sent = sentBy(params)
    const request = readRequest(sent, peers)
    if (isRequestError(request)) return refused('request', badRequest(request), request.message)
    const found = (await routes()).at(request.host)
    if (isUnreadable(request.path)) return refused('path', ambiguousPath, why.noPlan(request, 'ambiguous'))
    if (spellsForwardAuth(request.path) && !isForwardAuth(request.path))
      return refused('own_path', mayNotAsk, why.forwardAuth(request))
    const kind = ownPaths.kindOf(request.host, found !== undefined)
    const plan = found?.match(request.path)
    if (ownPaths.find(request, kind, switchesOf(plan))) {
      const text = why.ownPath(request)
      return request.upgrade === undefined
        ? { ...nothing, act: 'own', status: null, check: 'own_path', why: text }
        : refused('own_path', notFoundRefusal, text)
    }
    if (kind === 'unrouted') return refused('host', notFoundRefusal, why.noHost(request))
    const identified =
      user && typeof plan === 'object' ? await this.#assume(request, plan.route, user) : undefined
    const decision = await this.#parts.decisions.decide(request, plan, undefined, identified)
    const text = await this.#why(request, plan, decision, user, identified)
    return {
      ...this.#outcome(sent, request, plan, decision, text),
      route: typeof plan === 'object' ? plan.route.id : null,
    }
  }

  #outcome(
    sent: ReceivedRequest,
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    decision: Decision,
    text: string,
  ): Trial {
    if (decision.act === 'forward') return this.#forwarded(request, plan as RoutePlan, decision, text)
    const { check, refusal } = decision
    if (decision.act === 'tell' || !isNavigation(sent)) return refused(check, refusal, text)
    const { location, missing } = decision
    if (missing) return refused(check, missing, text)
    return redirected(check, location, text)
  }

  #forwarded(request: EdgeRequest, plan: RoutePlan, pass: Pass, text: string): Trial {
    const { target, prefix } = upstreamTarget(request, plan)
    const list = requestHeaders([], request, plan, pass, prefix)
    const headers: { name: string; value: string }[] = []
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!
      headers.push({ name, value: masked[name] ?? list[i + 1]! })
    }
    const upstream = this.#parts.upstreams.peek(plan).name
    return { ...nothing, act: 'forward', status: null, check: null, why: text, upstream, target, headers }
  }

  /** Identifies a user by the first proof that counts here; undefined for a guest, if none counts. */
  async #assume(request: EdgeRequest, route: Route, user: User): Promise<Identified | undefined> {
    if (!maySignIn(user)) return undefined
    const { credentials } = authModes[route.auth_mode]
    const [, method] = proofs.find(([credential]) => credentials.includes(credential)) ?? []
    if (method === undefined) return undefined
    if (sentByBrowser[method] && (await this.#parts.cookies.at(request)) === 'refused') return undefined
    const { id, username, email, email_verified_at, context } = user
    const principal = {
      proof: { by: 'route_test' as const, id },
      method,
      user_id: id,
      username,
      email,
      email_verified_at,
      context,
    }
    return { ...nobody, principal, ownToken: method === 'bearer' }
  }

  async #why(
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    decision: Decision,
    user: User | undefined,
    identified: Identified | undefined,
  ): Promise<string> {
    if (typeof plan !== 'object' || !plan.route.enabled) return why.noPlan(request, plan)
    const { route } = plan
    if (!identified?.principal || !user)
      return why.guest(route, decision, user, await this.#parts.cookies.at(request))
    const { required_claims, service } = route
    if (required_claims.length === 0) return why.known(route, decision, identified.principal)
    const where = { ...(service !== null && { service }), context: user.context }
    return why.claims(decision, user, await this.#parts.claims.check(user.username, required_claims, where))
  }
}

const redirected = (check: CheckName, location: string, why: string): Trial => ({
  ...nothing,
  act: 'redirect',
  status: 302,
  check,
  why,
  location,
})
