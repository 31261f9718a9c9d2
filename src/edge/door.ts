import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { switchesOf, type RoutePlan, type RouteTable } from '../routes/route_table.ts'
import { isNavigation, problem, redirect, send } from '../wire/responses.ts'
import { notFoundRefusal, type Refusal } from '../wire/refusal.ts'
import { isRequestError, readRequest, type EdgeRequest } from '../wire/request.ts'
import type { Decision } from './decide/decision.ts'
import { answerInternalError } from './serve/internal_error.ts'
import { Forwarder } from './forward/forwarder.ts'
import { ForwardAuth } from './forward_auth/forward_auth.ts'
import { forwardedRequest } from './forward/forwarded_request.ts'
import { SignedBodies } from './forward/signed_bodies.ts'
import { KeptRequests } from './decide/kept_requests.ts'
import { loopDetected } from './forward/loop_detection.ts'
import { Revalidation } from './decide/revalidation.ts'
import type { Body, ClientResponse, ReceivedRequest } from '../wire/client_response.ts'
import { asksForWorker, sendRemovingWorker } from './serve/service_worker.ts'
import { headTooLarge } from './decide/large_head.ts'
import { isMisdirected, misdirected } from './decide/misdirected.ts'
import { isOldForm, turnBackForm } from './decide/old_forms.ts'
import { ambiguousPath, badRequest, mayNotAsk } from './decide/refusals.ts'
import { isUnreadable, spellsForwardAuth } from './decide/forward_auth_spelling.ts'
import { arrivalWithout } from '../identity/signed_request.ts'
import { forwardUpgrade } from './forward/upgrade_exchange.ts'
import { UsualRequest } from '../wire/usual_request.ts'
import type { Forwarded } from './forward/forwarded.ts'
import type { Pass } from './forward/pass.ts'
import { failures } from './forward/failures.ts'
import type { Handler } from './serve/handler.ts'
import { routesForProbe } from './serve/probes.ts'
import { logRequest } from './serve/request_log.ts'
import { sendUpgradeRefusal } from './serve/upgrade_response.ts'
import type { DoorParts, Own } from './door_parts.ts'

/**
 * Whether a path of home lies below the prefix of a route: its service may have workers there. The script of a worker at the prefix
 * itself would control what lies beside it.
 */
const isBelow = (path: string, plan: RoutePlan | 'ambiguous' | undefined): boolean =>
  typeof plan === 'object' && plan.route.path_prefix !== '/' && path.startsWith(`${plan.route.path_prefix}/`)

/** The steps of every request: parse it, find its route, identify the caller, decide, forward. The same for upgrades. */
export class Door implements Handler {
  readonly #parts: DoorParts
  readonly #forwarder: Forwarder
  readonly #forwardAuth: ForwardAuth
  readonly #openConnections: Revalidation
  readonly #signedBodies = new SignedBodies()
  readonly #keptRequests: KeptRequests

  constructor(parts: DoorParts) {
    this.#parts = parts
    this.#forwarder = new Forwarder(parts.log, parts.upstreams)
    this.#forwardAuth = new ForwardAuth(parts)
    this.#keptRequests = new KeptRequests(parts)
    this.#openConnections = new Revalidation({
      forwarder: this.#forwarder,
      changes: parts.changes,
      warmUp: parts.warmUp,
      holds: ({ asked, pass }) => this.#holds(asked, pass),
    })
  }

  close(): void {
    this.#forwarder.close()
    this.#openConnections.close()
  }

  /** Serves a request that node:http has read, including requests for our own pages. */
  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#parts.counters.requests++
    const own = await this.#serve(request, response, request)
    if (own && (await own.show(request, response, own.asked)) === 'route')
      await this.#decideRoute(request, response, request, own.asked, own.plan)
  }

  /** Serves a request of the fast lane. Returns false if node:http has to serve it. */
  serveFast(request: UsualRequest, to: ClientResponse, body: Body | undefined): boolean | Promise<boolean> {
    const kept = this.#keptRequests.forwarded(request, body)
    if (kept) {
      logRequest(this.#parts.log, request, to, kept.asked, 'kept')
      this.#forward(kept, request, to)
      return this.#countServed(undefined)
    }
    const served = this.#serve(request, to, body)
    if (served instanceof Promise) return served.then((own) => this.#countServed(own))
    return this.#countServed(served)
  }

  /** Answers a request whose handling threw `fault`. */
  broke(fault: unknown, sent: ReceivedRequest, to: ClientResponse): void {
    answerInternalError(fault, sent, to, this.#parts)
  }

  #countServed(own: Own | undefined): boolean {
    if (own === undefined) this.#parts.counters.requests++
    return own === undefined
  }

  /**
   * Forwards or refuses a request. A request for one of our own pages is returned, and `request` shows the page.
   * Returns no promise if everything needed is cached.
   */
  #serve(
    sent: ReceivedRequest,
    to: ClientResponse,
    body: Body | undefined,
  ): Own | undefined | Promise<Own | undefined> {
    const asked = readRequest(sent, this.#parts.peers)
    const lane = sent instanceof UsualRequest ? 'fast' : 'full'
    logRequest(this.#parts.log, sent, to, isRequestError(asked) ? undefined : asked, lane)
    if (isRequestError(asked)) {
      const refusal = badRequest(asked)
      // It is unclear where this message ends, so nothing after it is read as a request.
      to.shouldKeepAlive = false
      return void send(to, refusal.status, 'application/problem+json', problem(refusal), {})
    }
    const table = this.#parts.routes()
    return table instanceof Promise
      ? routesForProbe(asked, table, this.#parts).then((loaded) =>
          this.#decide(sent, to, body, asked, loaded),
        )
      : this.#decide(sent, to, body, asked, table)
  }

  #decide(
    sent: ReceivedRequest,
    to: ClientResponse,
    body: Body | undefined,
    asked: EdgeRequest,
    table: RouteTable,
  ) {
    const { ownPaths, home, tellUnrouted } = this.#parts
    const routes = table.at(asked.host)
    const kind = ownPaths.kindOf(asked.host, routes !== undefined)
    const large = headTooLarge(sent, asked, this.#parts.maxHeadBytes)
    if (large) {
      const clears = kind === 'home' || kind === 'routed'
      return void this.#parts[clears ? 'tellLargeHead' : 'tellUnrouted'](sent, to, asked, large)
    }
    if (isUnreadable(asked.path)) return void tellUnrouted(sent, to, asked, ambiguousPath)
    // In a forward-auth request the host that counts is the one asked about, not the name that the proxy uses for us.
    if (spellsForwardAuth(asked.path)) return this.#forwardAuth.answer(sent, to, asked, table)
    const plan = routes?.match(asked.path)
    if (kind === 'previous' && asksForWorker(sent)) return void sendRemovingWorker(to, asked)
    const show = ownPaths.find(asked, kind, switchesOf(plan))
    if (show && !(kind === 'routed' && isMisdirected(sent, asked.host, routes))) return { show, asked, plan }
    if (kind !== 'home' && isMisdirected(sent, asked.host, routes))
      return void tellUnrouted(sent, to, asked, misdirected)
    if (kind === 'unrouted') return void tellUnrouted(sent, to, asked, notFoundRefusal)
    if (kind === 'home' && asksForWorker(sent) && !isBelow(asked.path, plan))
      return void sendRemovingWorker(to, asked)
    if (isOldForm(asked, home)) return void turnBackForm(to, asked, plan, home)
    return this.#decideRoute(sent, to, body, asked, plan)
  }

  /** Decides about a request that none of our own paths covers. */
  #decideRoute(
    sent: ReceivedRequest,
    to: ClientResponse,
    body: Body | undefined,
    asked: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
  ): undefined | Promise<undefined> {
    const { decisions, loops, tell } = this.#parts
    if (loops.hasPassed(asked)) return void tell(sent, to, asked, loopDetected)
    const decision = decisions.decide(asked, plan, this.#signedBodies.arrival(sent, to, body, asked, plan))
    if (decision instanceof Promise)
      return decision.then(async (made) => {
        // A body may take a minute to arrive, and the decision began before it.
        const arrived = made.act === 'forward' && made.body !== undefined
        if (arrived && !(await this.#holds(asked, made))) tell(sent, to, asked, failures.ended)
        else this.#follow(made, sent, to, body, asked, plan as RoutePlan)
        return undefined
      })
    if (decision.act === 'forward') this.#keptRequests.keep(sent, asked, plan as RoutePlan, decision)
    return this.#follow(decision, sent, to, body, asked, plan as RoutePlan)
  }

  #follow(
    decision: Decision,
    sent: ReceivedRequest,
    to: ClientResponse,
    body: Body | undefined,
    asked: EdgeRequest,
    plan: RoutePlan,
  ): undefined {
    const { tell, loops } = this.#parts
    if (decision.act === 'tell') {
      tell(sent, to, asked, decision.refusal)
      return
    }
    if (decision.act === 'sign in') {
      const { location, refusal, missing } = decision
      const navigation = isNavigation(sent)
      if (navigation && !missing) redirect(to, asked, 302, location)
      else tell(sent, to, asked, navigation && missing ? missing : refusal)
      return
    }
    this.#forward(forwardedRequest(sent, asked, plan, decision, body, loops), sent, to)
  }

  #forward(out: Forwarded, sent: ReceivedRequest, to: ClientResponse): void {
    this.#forwarder.forward(out, to, (failure) => this.#parts.tell(sent, to, out.asked, failures[failure]))
  }

  async upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    const { peers, ownPaths, decisions, counters, loops } = this.#parts
    counters.requests++
    const refuse = (refusal: Refusal) => sendUpgradeRefusal(socket, refusal)
    const asked = readRequest(request, peers)
    if (isRequestError(asked)) return refuse(badRequest(asked))
    if (isUnreadable(asked.path)) return refuse(ambiguousPath)
    if (spellsForwardAuth(asked.path)) return refuse(mayNotAsk)
    const large = headTooLarge(request, asked, this.#parts.maxHeadBytes)
    if (large) return refuse(large)
    const known = await this.#routesFor(asked)
    const plan = known?.routes?.match(asked.path)
    if (!known || ownPaths.find(asked, known.kind, switchesOf(plan))) return refuse(notFoundRefusal)
    if (known.kind === 'routed' && isMisdirected(request, asked.host, known.routes))
      return refuse(misdirected)
    if (loops.hasPassed(asked)) return refuse(loopDetected)
    // A body before the switch could be read as the first bytes of the new protocol.
    if (asked.body !== undefined) {
      return refuse(badRequest({ status: 400, message: 'An upgrade request must not have a body' }))
    }
    const decision = await decisions.decide(asked, plan, arrivalWithout(request))
    if (decision.act !== 'forward') return refuse(decision.refusal)
    const out = forwardedRequest(request, asked, plan as RoutePlan, decision, undefined, loops)
    const failure = await forwardUpgrade(this.#forwarder, socket, early, out)
    if (failure) refuse(failures[failure])
  }

  /** Whether a new decision about the request would be the same. */
  async #holds(asked: EdgeRequest, pass: Pass): Promise<boolean> {
    const present = (await this.#routesFor(asked))?.routes?.match(asked.path)
    // That a stream goes on is no use of the session.
    const still = { ...asked, background: true }
    const current = await this.#parts.decisions.again(still, present, pass.pubkey)
    return current.act === 'forward' && current.who === pass.who
  }

  /** The routes of the requested host; undefined for a host that we do not serve. */
  async #routesFor(asked: EdgeRequest) {
    const routes = (await this.#parts.routes()).at(asked.host)
    const kind = this.#parts.ownPaths.kindOf(asked.host, routes !== undefined)
    return kind === 'unrouted' ? undefined : { routes, kind }
  }
}
