import type { Log } from '../log.ts'
import type { RoutePlan } from '../routes/table.ts'
import { OpenList, type Listed } from '../wire/open_list.ts'
import type { Asked } from './asked.ts'
import type { Pass } from './decision.ts'
import { Exchange } from './exchange.ts'
import type { KeptHead } from './kept_head.ts'
import type { Body, Recipient } from './recipient.ts'
import { UpstreamPool } from './upstream_pool.ts'
import type { Upstreams } from './upstreams.ts'

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

/** In milliseconds: how exactly the time limits of routes are kept. */
const tick = 250

/** Carries requests to upstreams and answers back: streams both ways, passes aborts both ways, keeps connections. */
export class Forwarder {
  readonly pool = new UpstreamPool()
  readonly log: Log
  readonly upstreams: Upstreams
  /** Seconds since the start, in steps of a tick: a clock that costs nothing to ask. */
  clock = 0
  readonly open = new OpenList<Timed>()
  readonly #timer = setInterval(() => {
    this.clock += tick / 1000
    for (const exchange of this.open) exchange.watchTime(this.clock)
  }, tick).unref()

  constructor(log: Log, upstreams: Upstreams) {
    this.log = log
    this.upstreams = upstreams
  }

  close(): void {
    clearInterval(this.#timer)
    this.upstreams.close()
    this.pool.close()
  }

  /** `fail` is called, instead of an answer being passed on, when there is none. */
  forward(out: Forwarded, to: Recipient, fail: (failure: Failure) => void): void {
    const { max_body } = out.plan.route
    if (max_body !== null && out.asked.length > max_body) return fail('large body')
    const exchange = new Exchange(this, out, to, fail)
    this.open.add(exchange)
    exchange.begin()
  }

  began(timed: Timed): void {
    this.open.add(timed)
  }

  ended(timed: Timed): void {
    this.open.delete(timed)
  }
}
