import type { RoutePlan } from '../routes/table.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import type { Asked } from './asked.ts'
import type { Pass } from './decision.ts'
import type { KeptHead } from './kept_head.ts'

/** Decisions that one connection keeps, at most: a proxy in front of us mixes people on it. */
const most = 8

/** What lets a decision hold for later requests. */
export interface Lasting {
  /** The session that decided; undefined for a guest. */
  readonly session: LiveSession | undefined
  /** Unix seconds: the earliest time at which the answer could change by itself. */
  readonly until: number
}

/** A request that passed, and why the next one that is alike may pass too. */
export interface KeptDecision {
  /** The bytes of these two headers as they came. */
  readonly host: string
  readonly cookie: string | undefined
  readonly secure: boolean
  /** The rule that decided. */
  readonly plan: RoutePlan
  /** Of everything in the database at the time. */
  readonly stamp: number
  readonly asked: Asked
  readonly pass: Pass
  readonly lasting: Lasting
  readonly head: KeptHead
}

/** The decisions that a connection keeps, the latest first. */
export class KeptDecisions {
  readonly #all: KeptDecision[] = []

  get any(): boolean {
    return this.#all.length > 0
  }

  /** The decision about a request with these bytes, by this rule, while nothing has changed since. */
  find(
    host: string,
    cookie: string | undefined,
    secure: boolean,
    plan: RoutePlan,
    stamp: number,
  ): KeptDecision | undefined {
    const all = this.#all
    for (let i = 0; i < all.length; i++) {
      const one = all[i]!
      if (one.plan !== plan || one.stamp !== stamp || one.secure !== secure) continue
      if (one.host !== host || one.cookie !== cookie) continue
      if (i > 0) {
        all[i] = all[i - 1]!
        all[i - 1] = one
      }
      return one
    }
    return undefined
  }

  /** Keeps a decision in the place of the same one, else of one that no longer holds, else of the last. */
  keep(decision: KeptDecision): void {
    const all = this.#all
    const { host, cookie, secure, plan, stamp } = decision
    const place = all.findIndex(
      (one) =>
        one.stamp !== stamp ||
        (one.plan === plan && one.host === host && one.cookie === cookie && one.secure === secure),
    )
    if (place >= 0) all[place] = decision
    else if (all.length < most) all.push(decision)
    else all[most - 1] = decision
  }
}
