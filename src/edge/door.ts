import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '../log/log.ts'
import type { RoutePlan, RouteTable } from '../routes/route_table.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import type { Changes } from '../storage/change_watch.ts'
import type { Revisions } from '../storage/revisions.ts'
import { isNavigation, problem, redirect, send } from '../wire/responses.ts'
import { notHere, type Told } from '../wire/refusal.ts'
import type { Tell } from '../html/show_refusal.ts'
import { isRefusal, readAsked, type Asked } from '../wire/request.ts'
import { setCookie } from '../wire/cookies.ts'
import type { Decision, Decisions } from './decide/decision.ts'
import { answerFault } from './serve/internal_error.ts'
import { Forwarder } from './forward/forwarder.ts'
import { ForwardAuth } from './forward_auth/forward_auth.ts'
import { requestHeaders } from './forward/request_headers.ts'
import { HeldBodies, heldRequest } from './forward/signed_bodies.ts'
import { KeptRequests } from './decide/kept_requests.ts'
import { loopDetected, type LoopGuard } from './forward/loop_detection.ts'
import { onward } from './forward/upstream_target.ts'
import { OpenConnections } from './decide/revalidation.ts'
import type { Peers } from '../wire/client_address.ts'
import type { Body, Recipient, Sent } from '../wire/client_response.ts'
import { badRequest } from './decide/refusals.ts'
import { maxSignedBody, type Arrival } from '../identity/signed_request.ts'
import { forwardUpgrade } from './forward/upgrade_exchange.ts'
import type { Upstreams } from '../upstream/choice.ts'
import { UsualRequest } from '../wire/usual_request.ts'
import type { Pass } from './forward/pass.ts'
import type { Forwarded } from './forward/forwarded.ts'
import { failures } from './forward/failures.ts'
import type { Handler } from './serve/handler.ts'
import { tellUpgrade } from './serve/upgrade_response.ts'
import { asksAbout } from '../wire/forward_auth_path.ts'
import type { OwnPath, OwnPathTable } from '../wire/own_path.ts'

export interface DoorParts {
  readonly peers: Peers
  readonly publicHost: string
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly knownRoutes: () => RouteTable | undefined
  readonly decisions: Decisions
  readonly changes: Changes
  readonly revisions: Pick<Revisions, 'stamp'>
  readonly sessions: Pick<LiveSessions, 'goesOn'>
  /** Reads what decisions about these sessions will ask for, at once. */
  readonly warmUp: (sessionIds: readonly string[]) => Promise<void>
  readonly ownPaths: OwnPathTable
  readonly upstreams: Upstreams
  readonly loops: LoopGuard
  readonly log: Log
  readonly counters: { requests: number }
  readonly tell: Tell
}

/** A page of ours that was asked for. */
export interface Own {
  readonly show: OwnPath
  readonly asked: Asked
}

/** Every request's way: what is asked, which route, who asks, may they, forward. The same for upgrades. */
export class Door implements Handler {
  readonly #parts: DoorParts
  readonly #forwarder: Forwarder
  readonly #forwardAuth: ForwardAuth
  readonly #connections: OpenConnections
  readonly #held = new HeldBodies()
  readonly #kept: KeptRequests

  constructor(parts: DoorParts) {
    this.#parts = parts
    this.#forwarder = new Forwarder(parts.log, parts.upstreams)
    this.#forwardAuth = new ForwardAuth(parts)
    this.#kept = new KeptRequests(parts)
    this.#connections = new OpenConnections({
      forwarder: this.#forwarder,
      changes: parts.changes,
      warmUp: parts.warmUp,
      holds: async ({ asked, pass }) => {
        const present = (await this.#plans(asked))?.routes?.match(asked.path)
        const now = await parts.decisions.decide(asked, present, { provenKey: pass.pubkey })
        return now.act === 'forward' && now.who === pass.who
      },
    })
  }

  close(): void {
    this.#forwarder.close()
    this.#connections.close()
  }

  /** Serves a request that node:http has read, the pages of ours among them. */
  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#parts.counters.requests++
    const own = await this.#serve(request, response, request)
    if (own) await own.show(request, response, own.asked)
  }

  /** Serves a request of the fast lane, or returns false where node:http has to serve it. */
  serveFast(request: UsualRequest, to: Recipient, body: Body | undefined): boolean | Promise<boolean> {
    const kept = this.#kept.forwarded(request, body)
    if (kept) {
      this.#note(request, to, kept.asked, 'kept')
      this.#forward(kept, request, to)
      return this.#counted(undefined)
    }
    const served = this.#serve(request, to, body)
    if (served instanceof Promise) return served.then((own) => this.#counted(own))
    return this.#counted(served)
  }

  /** Answers what could not be served. */
  broke(fault: unknown, sent: Sent, to: Recipient): void {
    answerFault(fault, sent, to, this.#parts)
  }

  #counted(own: Own | undefined): boolean {
    if (own === undefined) this.#parts.counters.requests++
    return own === undefined
  }

  /**
   * Forwards a request or tells why not. What asks for a page of ours is not answered but returned: pages are shown by
   * `request`. Warm, it returns no promise.
   */
  #serve(sent: Sent, to: Recipient, body: Body | undefined): Own | undefined | Promise<Own | undefined> {
    const asked = readAsked(sent, this.#parts.peers)
    this.#note(sent, to, isRefusal(asked) ? undefined : asked, sent instanceof UsualRequest ? 'fast' : 'full')
    if (isRefusal(asked)) {
      const told = badRequest(asked)
      // Nothing behind a message whose borders are in doubt is read as a request.
      to.shouldKeepAlive = false
      return void send(to, told.status, 'application/problem+json', problem(told), {})
    }
    const table = this.#parts.routes()
    return table instanceof Promise
      ? table.then((loaded) => this.#lead(sent, to, body, asked, loaded))
      : this.#lead(sent, to, body, asked, table)
  }

  #lead(sent: Sent, to: Recipient, body: Body | undefined, asked: Asked, table: RouteTable) {
    const { ownPaths, decisions, publicHost, loops, tell } = this.#parts
    // Whatever name the asking proxy calls us by: the host that counts is the one it asks about.
    if (asksAbout(asked.path)) return this.#forwardAuth.answer(sent, to, asked, table)
    const routes = table.at(asked.host)
    if (!routes && asked.host !== publicHost) return void tell(sent, to, asked, notHere)
    const show = ownPaths.find(asked)
    if (show) return { show, asked }
    if (asked.path === '/' && !routes) return void redirect(to, asked, 302, '/auth/me')
    if (loops.hasPassed(asked)) return void tell(sent, to, asked, loopDetected)
    const plan = routes?.match(asked.path)
    const decision = decisions.decide(asked, plan, this.#arrival(sent, to, body, asked, plan))
    if (decision instanceof Promise)
      return decision.then((made) => this.#follow(made, sent, to, body, asked, plan as RoutePlan))
    if (decision.act === 'forward') this.#kept.keep(sent, asked, plan as RoutePlan, decision)
    return this.#follow(decision, sent, to, body, asked, plan as RoutePlan)
  }

  #follow(
    decision: Decision,
    sent: Sent,
    to: Recipient,
    body: Body | undefined,
    asked: Asked,
    plan: RoutePlan,
  ): undefined {
    const { tell } = this.#parts
    if (decision.act === 'tell') {
      tell(sent, to, asked, decision.told)
      return
    }
    if (decision.act === 'sign in') {
      const { way, told, missing } = decision
      const people = isNavigation(sent)
      if (people && !missing) redirect(to, asked, 302, `${way}${encodeURIComponent(asked.target)}`)
      else tell(sent, to, asked, people && missing ? missing : told)
      return
    }
    this.#forward(this.#outgoing(sent, asked, plan, decision, body), sent, to)
  }

  #forward(out: Forwarded, sent: Sent, to: Recipient): void {
    this.#forwarder.forward(out, to, (failure) => this.#parts.tell(sent, to, out.asked, failures[failure]))
  }

  async upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    const { peers, ownPaths, decisions, counters, loops } = this.#parts
    counters.requests++
    const refuse = (told: Told) => tellUpgrade(socket, told)
    const asked = readAsked(request, peers)
    if (isRefusal(asked)) return refuse(badRequest(asked))
    const known = await this.#plans(asked)
    if (!known || ownPaths.find(asked)) return refuse(notHere)
    if (loops.hasPassed(asked)) return refuse(loopDetected)
    // A body before the switch could be read as the first bytes after it.
    if (asked.body !== undefined) {
      return refuse(badRequest({ status: 400, message: 'An upgrade has no body' }))
    }
    const plan = known.routes?.match(asked.path)
    const decision = await decisions.decide(asked, plan, arrivalWithout(request))
    if (decision.act !== 'forward') return refuse(decision.told)
    const out = this.#outgoing(request, asked, plan as RoutePlan, decision, undefined)
    const failure = await forwardUpgrade(this.#forwarder, socket, early, out)
    if (failure) refuse(failures[failure])
  }

  /** What a signature is shown by: the body is read only where one covers it. */
  #arrival(
    sent: Sent,
    to: Recipient,
    body: Body | undefined,
    asked: Asked,
    plan: RoutePlan | string | undefined,
  ): Arrival {
    if (!asked.body || !body || typeof plan !== 'object') return arrivalWithout(sent)
    const most = Math.min(plan.route.max_body ?? maxSignedBody, maxSignedBody)
    return { rawHeaders: sent.rawHeaders, body: () => this.#held.take(asked, body, to, most) }
  }

  /** With the log level debug, a line for every request; never its query, which may hold what is secret. */
  #note(sent: Sent, to: Recipient, asked: Asked | undefined, lane: 'kept' | 'fast' | 'full'): void {
    const { log } = this.#parts
    if (!log.isLevelEnabled('debug')) return
    const { method } = sent
    const { host, path, requestId: request_id, address } = asked ?? {}
    to.once('close', () =>
      log.debug({ method, host, path, status: to.statusCode, request_id, address, lane }, 'request'),
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
  #outgoing(sent: Sent, asked: Asked, plan: RoutePlan, pass: Pass, body: Body | undefined): Forwarded {
    const { target, prefix } = onward(asked, plan)
    const headers = requestHeaders(sent.rawHeaders, asked, plan, pass, prefix)
    // Behind what proxies before us wrote: they are named in the order of the way.
    headers.push('Via', this.#parts.loops.entry(sent.httpVersion))
    const clear =
      pass.staleCookie === undefined
        ? none
        : ['Set-Cookie', setCookie(pass.staleCookie, '', 0), 'Cache-Control', 'no-store']
    const whole = pass.body && heldRequest(asked, pass.body)
    return {
      asked: whole?.asked ?? asked,
      pass,
      plan,
      target,
      headers,
      answerHeaders: clear,
      body: whole ? whole.body : asked.body && body,
    }
  }
}

const none: readonly string[] = []
const nothing = Buffer.alloc(0)

/** The arrival of a request without a body. */
const arrivalWithout = ({ rawHeaders }: Sent): Arrival => ({ rawHeaders, body: async () => nothing })
