import type { RouteTable, RoutePlan } from '../../routes/route_table.ts'
import type { LiveSessions } from '../../sessions/live_sessions.ts'
import { now } from '../../storage/ids.ts'
import type { Revisions } from '../../storage/revisions.ts'
import { detached } from '../../wire/detached.ts'
import { isRequestError, parseTarget, type EdgeRequest } from '../../wire/request.ts'
import { requestHeaders } from '../forward/request_headers.ts'
import { KeptDecisions } from './kept_decisions.ts'
import { KeptHead } from '../forward/kept_head.ts'
import type { LoopDetection } from '../forward/loop_detection.ts'
import { upstreamTarget } from '../forward/upstream_target.ts'
import type { OwnPathTable } from '../../wire/own_path.ts'
import type { ClientAddresses } from '../../wire/client_address.ts'
import type { Body, ReceivedRequest } from '../../wire/client_response.ts'
import { UsualRequest } from '../../wire/usual_request.ts'
import type { Pass } from '../forward/pass.ts'
import type { Forwarded } from '../forward/forwarded.ts'

interface Parts {
  readonly peers: ClientAddresses
  /** All routes, if they are certain to be current; otherwise the request is decided about. */
  readonly knownRoutes: () => RouteTable | undefined
  readonly revisions: Pick<Revisions, 'stamp'>
  readonly sessions: Pick<LiveSessions, 'isStillValid'>
  readonly ownPaths: OwnPathTable
  readonly loops: LoopDetection
}

/**
 * Lets requests pass by the decision about an earlier one. Host, cookies, scheme and rule are the same, the session
 * still counts, and nothing in the database has changed: deciding again would give the same answer. All else is read anew.
 */
export class KeptRequests {
  readonly #parts: Parts
  readonly #ofPeople = new KeptDecisions()
  /** Apart, so that strangers who make up cookies push out nobody's. */
  readonly #ofGuests = new KeptDecisions()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** What goes to the upstream, or undefined where the request has to be decided about. */
  forwarded(request: UsualRequest, body: Body | undefined): Forwarded | undefined {
    const { host, cookie } = request
    if (!request.ordinary || host === undefined) return undefined
    const { peers, knownRoutes, revisions, sessions, ownPaths } = this.#parts
    // This looks whether anything has changed; what is read below counts from then on.
    const table = knownRoutes()
    if (table === undefined) return undefined
    const place = parseTarget(host, request.url)
    if (isRequestError(place)) return undefined
    const plan = table.at(place.host)?.match(place.path)
    if (typeof plan !== 'object') return undefined
    const peer = peers.ofFast(request)
    const { stamp } = revisions
    const found =
      this.#ofPeople.find(host, cookie, peer.secure, plan, stamp) ??
      this.#ofGuests.find(host, cookie, peer.secure, plan, stamp)
    if (!found) return undefined
    const { session, until } = found.lasting
    if (until <= now() || (session && !sessions.isStillValid(session))) return undefined
    const asked: EdgeRequest = {
      ...found.asked,
      method: request.method,
      target: place.target,
      path: place.path,
      address: peer.address,
      forwardedFor: peer.forwardedFor,
      requestId: peer.requestId,
      origin: request.origin,
      body: request.length ? 'length' : undefined,
      length: request.length ?? 0,
    }
    // The forward-auth endpoint is one of them.
    if (ownPaths.find(asked)) return undefined
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
   * Keeps a decision that was made without waiting, so that everything it was made from belongs to the present stamp. Nothing is kept that
   * depends on more than the request's Host, cookies, scheme and rule.
   */
  keep(sent: ReceivedRequest, asked: EdgeRequest, plan: RoutePlan, pass: Pass): void {
    if (!(sent instanceof UsualRequest) || !sent.ordinary || !pass.lasting) return
    const host = detached(sent.host!)
    const cookie = sent.cookie === undefined ? undefined : detached(sent.cookie)
    const { loops, revisions } = this.#parts
    const cookies = cookie === undefined ? [] : ['Cookie', cookie]
    const headers = requestHeaders(cookies, asked, plan, pass, upstreamTarget(asked, plan).prefix)
    headers.push('Via', loops.entry(sent.httpVersion))
    const kept = pass.lasting.session ? this.#ofPeople : this.#ofGuests
    kept.keep({
      host,
      cookie,
      secure: asked.secure,
      plan,
      stamp: revisions.stamp,
      // What each request has of its own is left out.
      asked: {
        ...asked,
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
