import type { RoutePlan } from '../../routes/route_table.ts'
import { boundedMap } from '../../storage/bounded_map.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { KeptHead } from '../forward/kept_head.ts'
import type { Reusable, Pass } from '../forward/pass.ts'

/** The decision about a request that passed, and everything that a later request must share to pass by it. */
export interface KeptDecision {
  /** The Host header; like the Cookie header below, byte for byte as received. */
  readonly host: string
  readonly cookie: string | undefined
  readonly secure: boolean
  /** The rule that decided. */
  readonly plan: RoutePlan
  /** The revision of the whole database at that time. */
  readonly stamp: number
  readonly request: EdgeRequest
  readonly pass: Pass
  readonly lasting: Reusable
  readonly head: KeptHead
}

const maxCookieHeaders = 4000
/** Maximum number of decisions for one Cookie header: a person uses several rules of a host. */
const maxDecisions = 8

/**
 * Keeps decisions by the bytes of the Cookie header. They do not belong to a connection, because a proxy in front of us sends
 * requests of many people over each of its connections.
 */
export class KeptDecisions {
  readonly #ofCookie = boundedMap<KeptDecision[]>(maxCookieHeaders)

  /** Returns the decision about a request with these bytes by this rule, if nothing has changed since. */
  find(
    host: string,
    cookie: string | undefined,
    secure: boolean,
    plan: RoutePlan,
    stamp: number,
  ): KeptDecision | undefined {
    const decisions = this.#ofCookie.get(cookie ?? '')
    if (decisions === undefined) return undefined
    for (const kept of decisions)
      if (
        kept.plan === plan &&
        kept.stamp === stamp &&
        kept.secure === secure &&
        kept.host === host &&
        kept.cookie === cookie
      )
        return kept
    return undefined
  }

  /** Keeps a decision. It replaces an earlier one about the same request or one that is out of date, or else the oldest. */
  keep(decision: KeptDecision): void {
    const { host, cookie, secure, plan, stamp } = decision
    let decisions = this.#ofCookie.get(cookie ?? '')
    if (decisions === undefined) this.#ofCookie.set(cookie ?? '', (decisions = []))
    const place = decisions.findIndex(
      (kept) =>
        kept.stamp !== stamp ||
        (kept.plan === plan && kept.secure === secure && kept.host === host && kept.cookie === cookie),
    )
    if (place >= 0) decisions[place] = decision
    else if (decisions.push(decision) > maxDecisions) decisions.shift()
  }
}
