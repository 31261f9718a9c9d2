import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { satisfiesRule } from '../claims/rule.ts'
import type { Assertions } from '../keys/assertions.ts'
import type { Log } from '../log.ts'
import type { RoutePlan, RouteTable } from '../routes/table.ts'
import { isNavigation, notHere, problem, redirect, send, tell, type Told } from './answers.ts'
import { readAsked, type Asked, type Refusal } from './asked.ts'
import { authModes } from './auth_modes.ts'
import { setCookie } from './cookies.ts'
import { Forwarder, type Forwarded } from './forward.ts'
import { requestHeaders, type Identity } from './headers.ts'
import { OpenUpgrades } from './open_upgrades.ts'
import type { OwnPaths } from './own_paths.ts'
import type { Peers } from './peers.ts'
import { claimMissing, failures, signInNeeded } from './refusals.ts'
import { forwardUpgrade, refuseUpgrade } from './upgrade.ts'
import type { Visitor, Visitors } from './visitor.ts'

/** A claims header beyond this is refused, never shortened: a list with a part missing is another identity. */
const maxClaimsText = 8192

export interface DoorParts {
  readonly peers: Peers
  readonly publicHost: string
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly visitors: Visitors
  readonly ownPaths: OwnPaths
  readonly assertions: Assertions
  readonly log: Log
  readonly counters: { requests: number }
  /** Writes down that somebody's claims did not fit. */
  readonly reportOversize: (username: string, domain: string) => void
}

type Decision =
  | { readonly act: 'forward'; readonly out: Forwarded; readonly who: string | undefined }
  | { readonly act: 'tell'; readonly told: Told }
  | { readonly act: 'sign in' }

const isRefusal = (asked: Asked | Refusal): asked is Refusal => 'message' in asked

/** Every request's way: what is asked, which route, who asks, may they, forward. The same for upgrades. */
export class Door {
  readonly #parts: DoorParts
  readonly #forwarder: Forwarder
  readonly #upgrades = new OpenUpgrades()

  constructor(parts: DoorParts) {
    this.#parts = parts
    this.#forwarder = new Forwarder(parts.log)
  }

  close(): void {
    this.#forwarder.close()
    this.#upgrades.close()
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { peers, ownPaths, counters } = this.#parts
    counters.requests++
    const asked = readAsked(request, peers)
    this.#note(request, response, isRefusal(asked) ? undefined : asked)
    if (isRefusal(asked)) {
      const told: Told = {
        status: asked.status,
        title: 'Bad request',
        text: asked.message,
        code: 'bad_request',
      }
      // Nothing behind a message whose borders are in doubt is read as a request.
      response.shouldKeepAlive = false
      return send(response, told.status, 'application/problem+json', problem(told), {})
    }
    const known = await this.#plans(asked)
    if (!known) return tell(request, response, asked, notHere)
    const own = ownPaths.find(asked.path)
    if (own) return own(request, response, asked)
    if (asked.path === '/' && asked.host === this.#parts.publicHost && !known.routes) {
      return redirect(response, asked, 302, '/auth/me')
    }
    const decision = await this.#decide(request, asked, known.routes?.match(asked.path))
    if (decision.act === 'tell') return tell(request, response, asked, decision.told)
    if (decision.act === 'sign in') {
      if (!isNavigation(request)) return tell(request, response, asked, signInNeeded)
      return redirect(response, asked, 302, `/auth/login?return_to=${encodeURIComponent(asked.target)}`)
    }
    const failure = await this.#forwarder.forward(request, response, decision.out)
    if (failure) tell(request, response, asked, failures[failure])
  }

  async upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    const { peers, ownPaths, counters, log } = this.#parts
    counters.requests++
    const refuse = (told: Told) => refuseUpgrade(socket, told.status, problem(told), challenge(told))
    const asked = readAsked(request, peers)
    if (isRefusal(asked))
      return refuse({ ...notHere, status: asked.status, title: 'Bad request', text: asked.message })
    const known = await this.#plans(asked)
    if (!known || ownPaths.find(asked.path)) return refuse(notHere)
    // A body before the switch could be read as the first bytes after it.
    if (
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0
    ) {
      return refuse({
        status: 400,
        title: 'Bad request',
        text: 'An upgrade has no body',
        code: 'bad_request',
      })
    }
    const decision = await this.#decide(request, asked, known.routes?.match(asked.path))
    if (decision.act === 'tell') return refuse(decision.told)
    if (decision.act === 'sign in') return refuse(signInNeeded)
    this.#upgrades.watch(socket, async () => {
      const plan = (await this.#plans(asked))?.routes?.match(asked.path)
      const now = await this.#decide(request, asked, plan)
      return now.act === 'forward' && now.who === decision.who
    })
    const failure = await forwardUpgrade(request, socket, early, decision.out, log)
    if (failure) refuse(failures[failure])
  }

  /** With the log level debug, a line for every request; never its query, which may hold what is secret. */
  #note({ method }: IncomingMessage, response: ServerResponse, asked: Asked | undefined): void {
    const { log } = this.#parts
    if (!log.isLevelEnabled('debug')) return
    const { host, path, requestId: request_id, address } = asked ?? {}
    response.once('close', () =>
      log.debug({ method, host, path, status: response.statusCode, request_id, address }, 'request'),
    )
  }

  /** The routes of the asked host; undefined for a host that is none of ours. */
  async #plans(asked: Asked) {
    const found = this.#parts.routes()
    const table = found instanceof Promise ? await found : found
    const routes = table.at(asked.host)
    return routes || asked.host === this.#parts.publicHost ? { routes } : undefined
  }

  async #decide(
    request: IncomingMessage,
    asked: Asked,
    plan: RoutePlan | 'ambiguous' | undefined,
  ): Promise<Decision> {
    if (plan === undefined || (plan !== 'ambiguous' && !plan.route.enabled))
      return { act: 'tell', told: notHere }
    if (plan === 'ambiguous') {
      const text = 'This path could be read as belonging to more than one service.'
      return { act: 'tell', told: { status: 400, title: 'Ambiguous path', text, code: 'bad_request' } }
    }
    const { route } = plan
    const { visitors } = this.#parts
    const mode = authModes[route.auth_mode]
    const visitor = await visitors.identify(request, asked, mode.credentials)
    if (!visitor.session) {
      const guestsPass = mode.without === 'forward as guest' && route.required_claims.length === 0
      return guestsPass ? this.#forward(request, asked, plan, visitor, undefined) : { act: 'sign in' }
    }
    if (crossesOrigin(request, asked, visitor)) {
      const text = 'A page of another site tried to connect with your sign-in.'
      return { act: 'tell', told: { status: 403, title: 'Refused', text, code: 'cross_origin' } }
    }
    const person = await visitors.person(visitor.session, route.service)
    if (!person) return { act: 'sign in' }
    if (!satisfiesRule(route.required_claims, person.claims)) {
      return { act: 'tell', told: claimMissing(route, person) }
    }
    const claims = visitors.claimsText(person.claims)
    if (claims.length > maxClaimsText) {
      this.#parts.reportOversize(person.username, route.domain)
      const words = 'Your account has more claims than fit into one request. Ask an administrator.'
      return {
        act: 'tell',
        told: { status: 500, title: 'Too many claims', text: words, code: 'claims_too_large' },
      }
    }
    const assertion =
      route.audience === null ? undefined : this.#parts.assertions.assert(person, route.audience)
    return this.#forward(request, asked, plan, visitor, {
      ...person,
      claims,
      assertion: assertion instanceof Promise ? await assertion : assertion,
    })
  }

  #forward(
    request: IncomingMessage,
    asked: Asked,
    plan: RoutePlan,
    visitor: Visitor,
    identity: Identity | undefined,
  ): Decision {
    const { strip_prefix, path_prefix } = plan.route
    const strips = strip_prefix && path_prefix !== '/'
    const rest = strips ? asked.target.slice(path_prefix.length) : asked.target
    const headers = requestHeaders(request.rawHeaders, {
      asked,
      plan,
      identity,
      method: identity ? (visitor.proof === 'token' ? 'bearer' : 'local') : 'none',
      authorizationUsed: visitor.ownToken,
      prefix: strips ? path_prefix : undefined,
    })
    const clear =
      visitor.staleCookie === undefined
        ? []
        : ['Set-Cookie', setCookie(visitor.staleCookie, '', 0), 'Cache-Control', 'no-store']
    const target = rest.startsWith('/') ? rest : `/${rest}`
    return {
      act: 'forward',
      out: { plan, target, headers, answerHeaders: clear },
      who: visitor.session && `${visitor.session.id} ${identity?.username}`,
    }
  }
}

const challenge = ({ headers = {} }: Told): string[] =>
  Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [name, value] : []))

/** A WebSocket is open to every page of the world and sends our cookie along: its Origin must be this one (RFC 6455 section 10.2). */
const crossesOrigin = (request: IncomingMessage, asked: Asked, { proof }: Visitor): boolean => {
  const { upgrade, origin } = request.headers
  return upgrade !== undefined && proof === 'cookie' && origin !== undefined && origin !== asked.origin
}
