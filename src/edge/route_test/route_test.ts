import { isIP } from 'node:net'
import type { Claims } from '../../claims/claims.ts'
import { invalidParams } from '../../contract/errors.ts'
import type { Route } from '../../routes/route.ts'
import type { RoutePlan, RouteTable } from '../../routes/route_table.ts'
import type { Trial, TrialParams } from '../../routes/route_test.ts'
import { maySignIn } from '../../storage/schema.ts'
import type { User } from '../../users/user.ts'
import type { Users } from '../../users/users.ts'
import { isNavigation } from '../../wire/responses.ts'
import { isRefusal, readAsked, type Asked } from '../../wire/request.ts'
import { authModes, type Credential } from '../../routes/auth_modes.ts'
import type { CookiePolicy } from '../../wire/cookie_policy.ts'
import type { Decision, Decisions } from '../decide/decision.ts'
import { requestHeaders } from '../forward/request_headers.ts'
import { onward } from '../forward/upstream_target.ts'
import type { OwnPathTable } from '../../wire/own_path.ts'
import type { Peers } from '../../wire/client_address.ts'
import type { Sent } from '../../wire/client_response.ts'
import { badRequest } from '../decide/refusals.ts'
import type { Upstreams } from '../../upstream/choice.ts'
import type { Visitor } from '../../identity/visitors.ts'
import * as why from './reasons.ts'
import type { Pass } from '../forward/pass.ts'
import { notHere, type Told } from '../../wire/refusal.ts'

interface Parts {
  readonly peers: Peers
  readonly publicHost: string
  readonly routes: () => RouteTable | Promise<RouteTable>
  /** Writes nothing down: what is only thought of has not happened. */
  readonly decisions: Decisions
  readonly ownPaths: OwnPathTable
  readonly upstreams: Upstreams
  readonly cookies: CookiePolicy
  readonly users: Users
  readonly claims: Claims
}

const kinds: Readonly<Record<NonNullable<TrialParams['kind']>, readonly string[]>> = {
  navigation: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'],
  fetch: ['Accept', '*/*', 'Sec-Fetch-Mode', 'cors'],
  websocket: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'],
}

/** The request as it would arrive, but for what proves who sends it. */
const sentBy = ({ url, method = 'GET', kind = 'navigation', address = '127.0.0.1' }: TrialParams): Sent => {
  if (isIP(address) === 0) throw invalidParams('address', 'an IPv4 or IPv6 address')
  const [, scheme, host, rest = '/'] = /^(https?):\/\/([^/?#]+)([^]*)$/.exec(url)!
  return {
    method,
    // What browsers and programs send for an address without a path.
    url: rest.startsWith('/') ? rest : `/${rest}`,
    rawHeaders: ['Host', host!, ...kinds[kind]],
    httpVersion: '1.1',
    socket: { remoteAddress: address, encrypted: scheme === 'https' },
  }
}

/** What differs from request to request, and what would let whoever reads it in. */
const masked: Readonly<Record<string, string>> = {
  'X-Request-Id': '(one for each request)',
  'X-Hero-Assertion': '(signed)',
  'X-Proxy-Provider-Token': '(where one is kept of this person)',
}

/** With what somebody would come, the first that counts: browsers before programs. */
const proofs: readonly [Credential, Pick<Visitor, 'method' | 'byCookie' | 'ownToken'>][] = [
  ['session', { method: 'local', byCookie: true, ownToken: false }],
  ['provider session', { method: 'oauth', byCookie: true, ownToken: false }],
  ['access token', { method: 'bearer', byCookie: false, ownToken: true }],
  ['signature', { method: 'signature', byCookie: false, ownToken: false }],
]

const nothing: Pick<Trial, 'route' | 'upstream' | 'target' | 'headers' | 'location'> = {
  route: null,
  upstream: null,
  target: null,
  headers: [],
  location: null,
}

const refused = ({ status }: Told, why: string): Trial => ({ ...nothing, act: 'refuse', status, why })
const redirected = (location: string, why: string): Trial => ({
  ...nothing,
  act: 'redirect',
  status: 302,
  why,
  location,
})

/** Tells what would happen to a request and why, by the same functions that requests go through. */
export class Trials {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async run(params: TrialParams): Promise<Trial> {
    const { peers, publicHost, routes, ownPaths } = this.#parts
    const user = params.user ? await this.#parts.users.get({ username: params.user }) : undefined
    const sent = sentBy(params)
    const asked = readAsked(sent, peers)
    if (isRefusal(asked)) return refused(badRequest(asked), asked.message)
    const found = (await routes()).at(asked.host)
    if (!found && asked.host !== publicHost) return refused(notHere, why.noHost(asked))
    if (ownPaths.find(asked)) {
      const text = why.ownPath(asked)
      return asked.upgrade === undefined
        ? { ...nothing, act: 'own', status: null, why: text }
        : refused(notHere, text)
    }
    if (asked.path === '/' && !found && asked.upgrade === undefined)
      return redirected('/auth/me', why.noRoutes(asked))
    const plan = found?.match(asked.path)
    if (plan === undefined || plan === 'ambiguous' || !plan.route.enabled) {
      const decision = await this.#parts.decisions.decide(asked, plan)
      const text = why.noPlan(asked, plan)
      const route = typeof plan === 'object' ? plan.route.id : null
      return { ...refused((decision as { told: Told }).told, text), route }
    }
    const visitor = user && (await this.#visitor(asked, plan.route, user))
    const decision = await (visitor
      ? this.#parts.decisions.judge(asked, plan.route, visitor)
      : this.#parts.decisions.decide(asked, plan))
    const text = await this.#why(asked, plan.route, decision, user, visitor)
    return { ...this.#outcome(sent, asked, plan, decision, text), route: plan.route.id }
  }

  #outcome(sent: Sent, asked: Asked, plan: RoutePlan, decision: Decision, text: string): Trial {
    if (decision.act === 'forward') return this.#forwarded(asked, plan, decision, text)
    if (decision.act === 'tell') return refused(decision.told, text)
    const { way, told, missing } = decision
    if (!isNavigation(sent)) return refused(told, text)
    return missing ? refused(missing, text) : redirected(`${way}${encodeURIComponent(asked.target)}`, text)
  }

  #forwarded(asked: Asked, plan: RoutePlan, pass: Pass, text: string): Trial {
    const { target, prefix } = onward(asked, plan)
    const list = requestHeaders([], asked, plan, pass, prefix)
    const headers: { name: string; value: string }[] = []
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!
      headers.push({ name, value: masked[name] ?? list[i + 1]! })
    }
    const upstream = this.#parts.upstreams.peek(plan).name
    return { ...nothing, act: 'forward', status: null, why: text, upstream, target, headers }
  }

  /** Somebody with the first proof that counts here; undefined where none does: a guest. */
  async #visitor(asked: Asked, route: Route, user: User): Promise<Visitor | undefined> {
    if (!maySignIn(user)) return undefined
    const refused = (await this.#parts.cookies.at(asked)) === 'refused'
    const { credentials } = authModes[route.auth_mode]
    const proof = proofs.find(([credential]) => credentials.includes(credential))
    if (!proof || (proof[1].byCookie && refused)) return undefined
    const { id, username, email, email_verified_at, context } = user
    const known = {
      proof: { by: 'route_test' as const, id },
      user_id: id,
      username,
      email,
      email_verified_at,
      context,
    }
    return { ...proof[1], known: { ...known, overlay: undefined }, staleCookie: undefined }
  }

  async #why(
    asked: Asked,
    route: Route,
    decision: Decision,
    user: User | undefined,
    visitor: Visitor | undefined,
  ): Promise<string> {
    if (!visitor || !user) return why.guest(route, decision, user, await this.#parts.cookies.at(asked))
    const { required_claims, service } = route
    if (required_claims.length === 0) return why.known(route, decision, visitor)
    const where = { ...(service !== null && { service }), context: user.context }
    return why.claims(decision, user, await this.#parts.claims.check(user.username, required_claims, where))
  }
}
