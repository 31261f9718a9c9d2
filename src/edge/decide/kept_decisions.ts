import type { RoutePlan } from '../../routes/route_table.ts'
import { boundedMap } from '../../storage/bounded_map.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { KeptHead } from '../forward/kept_head.ts'
import type { Reusable, Pass } from '../forward/pass.ts'

/** A request that passed, and why a later one that is alike may pass too. */
export interface KeptDecision {
  /** The bytes of these two headers as they came. */
  readonly host: string
  readonly cookie: string | undefined
  readonly secure: boolean
  /** The rule that decided. */
  readonly plan: RoutePlan
  /** Of everything in the database at the time. */
  readonly stamp: number
  readonly asked: EdgeRequest
  readonly pass: Pass
  readonly lasting: Reusable
  readonly head: KeptHead
}

/** Cookie headers, at most. */
const mostCookies = 4000
/** Decisions for one Cookie header, at most: a person uses several rules of a host. */
const mostRules = 8

/**
 * Decisions by the bytes of the Cookie header. They do not belong to a connection, because a proxy in front of us mixes people on each
 * of its own.
 */
export class KeptDecisions {
  readonly #ofCookie = boundedMap<KeptDecision[]>(mostCookies)

  /** The decision about a request with these bytes, by this rule, while nothing has changed since. */
  find(
    host: string,
    cookie: string | undefined,
    secure: boolean,
    plan: RoutePlan,
    stamp: number,
  ): KeptDecision | undefined {
    const decisions = this.#ofCookie.get(cookie ?? '')
    if (decisions === undefined) return undefined
    for (const one of decisions)
      if (
        one.plan === plan &&
        one.stamp === stamp &&
        one.secure === secure &&
        one.host === host &&
        one.cookie === cookie
      )
        return one
    return undefined
  }

  /** Keeps a decision in the place of the same one, else of one that no longer holds, else of the oldest. */
  keep(decision: KeptDecision): void {
    const { host, cookie, secure, plan, stamp } = decision
    let decisions = this.#ofCookie.get(cookie ?? '')
    if (decisions === undefined) this.#ofCookie.set(cookie ?? '', (decisions = []))
    const place = decisions.findIndex(
      (one) =>
        one.stamp !== stamp ||
        (one.plan === plan && one.secure === secure && one.host === host && one.cookie === cookie),
    )
    if (place >= 0) decisions[place] = decision
    else if (decisions.push(decision) > mostRules) decisions.shift()
  }
}
