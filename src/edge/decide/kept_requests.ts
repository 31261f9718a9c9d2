import type { RouteTable, RoutePlan } from '../../routes/route_table.ts'
import type { LiveSessions } from '../../sessions/live_sessions.ts'
import { now } from '../../storage/ids.ts'
import type { Revisions } from '../../storage/revisions.ts'
import { showsFormCookie } from '../../wire/cookies.ts'
import { detached } from '../../wire/detached.ts'
import { isRequestError, parseTarget, type EdgeRequest } from '../../wire/request.ts'
import { requestHeaders } from '../forward/request_headers.ts'
import { isMisdirected } from './misdirected.ts'
import { KeptDecisions } from './kept_decisions.ts'
import { KeptHead } from '../forward/kept_head.ts'
import type { LoopDetection } from '../forward/loop_detection.ts'
import { upstreamTarget } from '../forward/upstream_target.ts'
import type { OwnPathTable } from '../../wire/own_path.ts'
import type { ClientAddresses } from '../../wire/client_address.ts'
import { spellsForwardAuth } from './forward_auth_spelling.ts'
import type { Body, ReceivedRequest } from '../../wire/client_response.ts'
import { UsualRequest } from '../../wire/usual_request.ts'
import type { Pass } from '../forward/pass.ts'
import type { Forwarded } from '../forward/forwarded.ts'

interface Parts {
  readonly peers: ClientAddresses
  /** Returns all routes, or undefined if they may be out of date: then the request needs a new decision. */
  readonly knownRoutes: () => RouteTable | undefined
  readonly revisions: Pick<Revisions, 'stamp'>
  readonly sessions: Pick<LiveSessions, 'isStillValid'>
  readonly ownPaths: OwnPathTable
  readonly loops: LoopDetection
}

/**
 * Lets a request pass by the decision about an earlier one. Host, cookies, scheme and rule are the same, the session is still
 * valid, and nothing in the database has changed, so a new decision would be the same. Everything else is read again.
 */
export class KeptRequests {
  readonly #parts: Parts
  readonly #ofPeople = new KeptDecisions()
  /** Separate, so that strangers with invented cookies cannot displace the decisions about people. */
  readonly #ofGuests = new KeptDecisions()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns what goes to the upstream, or undefined if the request needs a new decision. */
  forwarded(request: UsualRequest, body: Body | undefined): Forwarded | undefined {
    const { host, cookie } = request
    if (!request.ordinary || host === undefined) return undefined
    const { peers, knownRoutes, revisions, sessions, ownPaths } = this.#parts
    // This checks for changes first, so that everything below is read after the check.
    const table = knownRoutes()
    if (table === undefined) return undefined
    const place = parseTarget(host, request.url)
    if (isRequestError(place)) return undefined
    const plan = table.at(place.host)?.match(place.path)
    if (typeof plan !== 'object') return undefined
    if (plan.siblings.wildcard && isMisdirected(request, place.host, plan.siblings)) return undefined
    const peer = peers.ofFast(request)
    const { stamp } = revisions
    const found =
      this.#ofPeople.find(host, cookie, peer.secure, plan, stamp) ??
      this.#ofGuests.find(host, cookie, peer.secure, plan, stamp)
    if (!found) return undefined
    const { session, until } = found.lasting
    if (until <= now() || (session && !sessions.isStillValid(session))) return undefined
    const asked: EdgeRequest = {
      ...found.request,
      method: request.method,
      target: place.target,
      path: place.path,
      address: peer.address,
      addressKnown: peer.addressKnown,
      forwardedFor: peer.forwardedFor,
      requestId: peer.requestId,
      origin: request.origin,
      body: request.length ? 'length' : undefined,
      length: request.length ?? 0,
    }
    if (spellsForwardAuth(asked.path)) return undefined
    if (ownPaths.find(asked, ownPaths.kindOf(asked.host, true), plan.switches)) return undefined
    return {
      asked,
      pass: found.pass,
      plan,
      target: upstreamTarget(asked, plan).target,
      headers: none,
      kept: { head: found.head, passed: request.passed },
      answerHeaders: none,
      body,
    }
  }

  /**
   * Keeps a decision that was made without waiting, so that everything behind it belongs to the present stamp. It must depend on
   * nothing but the request's Host, cookies, scheme and rule.
   */
  keep(sent: ReceivedRequest, request: EdgeRequest, plan: RoutePlan, pass: Pass): void {
    if (!(sent instanceof UsualRequest) || !sent.ordinary || !pass.lasting) return
    // A POST with it may be a form of ours from before, which the service must not get.
    if (showsFormCookie(request.cookies, request.secure)) return
    const host = detached(sent.host!)
    const cookie = sent.cookie === undefined ? undefined : detached(sent.cookie)
    const { loops, revisions } = this.#parts
    const cookies = cookie === undefined ? [] : ['Cookie', cookie]
    const headers = requestHeaders(cookies, request, plan, pass, upstreamTarget(request, plan).prefix)
    headers.push('Via', loops.entry(sent.httpVersion))
    const kept = pass.lasting.session ? this.#ofPeople : this.#ofGuests
    kept.keep({
      host,
      cookie,
      secure: request.secure,
      plan,
      stamp: revisions.stamp,
      // Empty: these differ from request to request.
      request: {
        ...request,
        cookies: cookie === undefined ? [] : [cookie],
        target: '',
        path: '',
        address: '',
        forwardedFor: '',
        requestId: '',
        origin: undefined,
      },
      pass,
      lasting: pass.lasting,
      head: new KeptHead(headers),
    })
  }
}

const none: readonly string[] = []
