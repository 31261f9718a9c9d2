import type { Log } from '../../log/log.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import type { Listed } from '../../wire/open_list.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { KeptHead } from './kept_head.ts'
import type { Body } from '../../wire/client_response.ts'
import type { UpstreamPool } from '../../upstream/pool.ts'
import type { UpstreamChoice } from '../../upstream/choice.ts'
import type { Pass } from './pass.ts'

/** Why a response of an upstream is missing; `ended`: access was withdrawn while the request was in progress. */
export type Failure = 'unreachable' | 'timeout' | 'slow body' | 'large body' | 'ended'

/** A request as it is sent upstream. */
export interface Forwarded {
  readonly asked: EdgeRequest
  /** Why it is forwarded. As long as it is in progress, a new decision must have the same result. */
  readonly pass: Pass
  readonly plan: RoutePlan
  /** Path and query as the upstream sees them. */
  readonly target: string
  /** A flat list, Host first, complete except for the framing of the body. */
  readonly headers: readonly string[]
  /** Replaces `headers`: the head of a kept decision, and the header lines of the client that are passed on. */
  readonly kept?: { readonly head: KeptHead; readonly passed: string } | undefined
  /** Headers that we add to the response, for example to clear a cookie. */
  readonly answerHeaders: readonly string[]
  /** The body, if the request has one. */
  readonly body: Body | undefined
}

/** Something in progress. It has time limits, and it ends when access is withdrawn. */
export interface Timed extends Listed {
  readonly out: Forwarded
  /** Ends it so that a transfer in progress looks broken to both sides, never complete. */
  breakOff(): void
  /** Called on every tick; `now` is the clock in seconds. */
  watchTime(now: number): void
}

/** What an exchange needs from the forwarder. */
export interface Carrier {
  readonly pool: UpstreamPool
  readonly log: Log
  readonly upstreams: UpstreamChoice
  /** Seconds since the start, in steps of one tick. Reading it costs nothing. */
  readonly clock: number
  began(timed: Timed): void
  ended(timed: Timed): void
}

/** Whether the request may be sent again on a new connection if a kept-alive one was closed (RFC 9110 section 9.2.2). */
export const isRepeatable = ({ asked: { method }, body }: Forwarded): boolean =>
  body === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
