import type { Claims } from '../../claims/claims.ts'
import type { Route } from '../../routes/route.ts'
import { isSession } from '../../sessions/live_session.ts'
import type { CachedNetworks } from '../../users/cached_networks.ts'
import { authModes } from '../../routes/auth_modes.ts'
import type { Identified } from '../../identity/identify.ts'
import type { Reusable } from '../forward/pass.ts'

/**
 * Says how long a decision to let a principal pass holds while nothing changes in the database. The answer is undefined if the
 * decision depended on more than a cookie's session, its claims and the route: then every request needs a new decision.
 */
export class LastingDecisions {
  readonly #claims: Claims
  readonly #networks: CachedNetworks

  constructor(claims: Claims, networks: CachedNetworks) {
    this.#claims = claims
    this.#networks = networks
  }

  /** For a person: until the next membership expires, or a proof is too old. Each request checks again whether the session is still valid. */
  ofPerson(
    { principal, ownToken, staleCookie }: Identified,
    { service }: Route,
    proofsUntil: number,
  ): Reusable | undefined {
    if (ownToken || staleCookie !== undefined || !principal || principal.overlay) return undefined
    if (!isSession(principal) || principal.kind === 'token') return undefined
    const { user_id, context } = principal
    const until = this.#claims.until(user_id, { service: service ?? '', context })
    return { session: principal, until: Math.min(until, proofsUntil) }
  }

  /** For a guest, unless the route identifies people by their network. */
  ofGuest({ ownToken, staleCookie }: Identified, { auth_mode }: Route): Reusable | undefined {
    if (ownToken || staleCookie !== undefined) return undefined
    if (authModes[auth_mode].credentials.includes('network') && this.#networks.count) return undefined
    return { session: undefined, until: Infinity }
  }
}
