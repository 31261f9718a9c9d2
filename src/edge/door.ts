import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '../log.ts'
import type { RoutePlan, RouteTable } from '../routes/table.ts'
import { isNavigation, notHere, problem, redirect, send, tell, type Told } from './answers.ts'
import { isRefusal, readAsked, type Asked } from './asked.ts'
import { setCookie } from './cookies.ts'
import type { Decisions, Pass } from './decision.ts'
import { Forwarder, type Forwarded } from './forward.ts'
import { requestHeaders } from './headers.ts'
import { OpenUpgrades } from './open_upgrades.ts'
import type { OwnPaths } from './own_paths.ts'
import type { Peers } from './peers.ts'
import { badRequest, failures, signInNeeded } from './refusals.ts'
import { forwardUpgrade, refuseUpgrade } from './upgrade.ts'

export interface DoorParts {
  readonly peers: Peers
  readonly publicHost: string
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly decisions: Decisions
  readonly ownPaths: OwnPaths
  readonly log: Log
  readonly counters: { requests: number }
}

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
    const { peers, ownPaths, decisions, counters } = this.#parts
    counters.requests++
    const asked = readAsked(request, peers)
    this.#note(request, response, isRefusal(asked) ? undefined : asked)
    if (isRefusal(asked)) {
      const told = badRequest(asked)
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
    const plan = known.routes?.match(asked.path)
    const decision = await decisions.decide(asked, plan)
    if (decision.act === 'tell') return tell(request, response, asked, decision.told)
    if (decision.act === 'sign in') {
      if (!isNavigation(request)) return tell(request, response, asked, signInNeeded)
      return redirect(response, asked, 302, `/auth/login?return_to=${encodeURIComponent(asked.target)}`)
    }
    const out = this.#outgoing(request, asked, plan as RoutePlan, decision)
    this.#forwarder.forward(request, response, out, (failure) =>
      tell(request, response, asked, failures[failure]),
    )
  }

  async upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    const { peers, ownPaths, decisions, counters } = this.#parts
    counters.requests++
    const refuse = (told: Told) => refuseUpgrade(socket, told.status, problem(told), challenge(told))
    const asked = readAsked(request, peers)
    if (isRefusal(asked)) return refuse(badRequest(asked))
    const known = await this.#plans(asked)
    if (!known || ownPaths.find(asked.path)) return refuse(notHere)
    // A body before the switch could be read as the first bytes after it.
    if (
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0
    ) {
      return refuse(badRequest({ status: 400, message: 'An upgrade has no body' }))
    }
    const plan = known.routes?.match(asked.path)
    const decision = await decisions.decide(asked, plan)
    if (decision.act === 'tell') return refuse(decision.told)
    if (decision.act === 'sign in') return refuse(signInNeeded)
    this.#upgrades.watch(socket, async () => {
      const present = (await this.#plans(asked))?.routes?.match(asked.path)
      const now = await decisions.decide(asked, present)
      return now.act === 'forward' && now.who === decision.who
    })
    const out = this.#outgoing(request, asked, plan as RoutePlan, decision)
    const failure = await forwardUpgrade(this.#forwarder, request, socket, early, out)
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

  /** What is sent upstream, built from the decision and from what was asked; never patched together from the request. */
  #outgoing(request: IncomingMessage, asked: Asked, plan: RoutePlan, pass: Pass): Forwarded {
    const { strip_prefix, path_prefix } = plan.route
    const strips = strip_prefix && path_prefix !== '/'
    const rest = strips ? asked.target.slice(path_prefix.length) : asked.target
    const prefix = strips ? path_prefix : undefined
    const clear =
      pass.staleCookie === undefined
        ? none
        : ['Set-Cookie', setCookie(pass.staleCookie, '', 0), 'Cache-Control', 'no-store']
    return {
      plan,
      target: rest.startsWith('/') ? rest : `/${rest}`,
      headers: requestHeaders(request.rawHeaders, asked, plan, pass, prefix),
      answerHeaders: clear,
    }
  }
}

const none: readonly string[] = []

const challenge = ({ headers = {} }: Told): string[] =>
  Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [name, value] : []))
