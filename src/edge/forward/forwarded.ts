import type { Log } from '../../log/log.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import type { Listed } from '../../wire/open_list.ts'
import type { Asked } from '../../wire/request.ts'
import type { KeptHead } from './kept_head.ts'
import type { Body } from '../../wire/client_response.ts'
import type { UpstreamPool } from '../../upstream/pool.ts'
import type { Upstreams } from '../../upstream/choice.ts'
import type { Pass } from './pass.ts'

/** Why there is no answer of an upstream; `ended`: it was not allowed any more when it would have come. */
export type Failure = 'unreachable' | 'timeout' | 'slow body' | 'large body' | 'ended'

export interface Forwarded {
  readonly asked: Asked
  /** By what it goes on; while it lasts, the same must come out of another decision. */
  readonly pass: Pass
  readonly plan: RoutePlan
  /** Path and query as the upstream gets them. */
  readonly target: string
  /** Flat list, Host first, complete but for the framing of the body. */
  readonly headers: readonly string[]
  /** In place of headers: the head of a kept decision, and the client's own lines that go on. */
  readonly kept?: { readonly head: KeptHead; readonly passed: string } | undefined
  /** Headers of ours in the answer, such as a cookie that is cleared. */
  readonly answerHeaders: readonly string[]
  /** The body that goes along, if the request has one. */
  readonly body: Body | undefined
}

/** What is under way: it has time limits, and lasts no longer than the right by which it began. */
export interface Timed extends Listed {
  readonly out: Forwarded
  /** Ends it: what has begun looks broken to both sides, never complete. */
  breakOff(): void
  /** Called every tick with the seconds of the clock. */
  watchTime(now: number): void
}

/** What an exchange needs of the forwarder that carries it. */
export interface Carrier {
  readonly pool: UpstreamPool
  readonly log: Log
  readonly upstreams: Upstreams
  /** Seconds since the start, in steps of a tick: a clock that costs nothing to ask. */
  readonly clock: number
  began(timed: Timed): void
  ended(timed: Timed): void
}

/** Whether it may be sent again on a fresh connection when a kept one turned out to be closed (RFC 9110 section 9.2.2). */
export const isRepeatable = ({ asked: { method }, body }: Forwarded): boolean =>
  body === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
