import type { Claims } from '../../claims/claims.ts'
import type { Route } from '../../routes/route.ts'
import type { LiveSession } from '../../sessions/live_session.ts'
import type { KnownNetworks } from '../../users/cached_networks.ts'
import { authModes } from '../../routes/auth_modes.ts'
import type { Visitor } from '../../identity/visitors.ts'
import type { Lasting } from '../forward/pass.ts'
import type { Known } from '../../identity/known.ts'

const isSession = (known: Known): known is LiveSession => 'expires_at' in known

/**
 * Says how long a decision to let a visitor pass holds while nothing changes in the database. It is undefined where more decided than a
 * cookie's session, its claims and the route: then every request is decided about.
 */
export class LastingDecisions {
  readonly #claims: Claims
  readonly #networks: KnownNetworks

  constructor(claims: Claims, networks: KnownNetworks) {
    this.#claims = claims
    this.#networks = networks
  }

  /** Of a person, as long as no membership runs out; each request looks anew whether the session still counts. */
  ofPerson({ known, byCookie, ownToken, staleCookie }: Visitor, { service }: Route): Lasting | undefined {
    if (ownToken || staleCookie !== undefined || !known || !byCookie) return undefined
    if (known.overlay || !isSession(known)) return undefined
    const { user_id, context } = known
    return { session: known, until: this.#claims.until(user_id, { service: service ?? '', context }) }
  }

  /** Of a guest, unless an address may turn into somebody. */
  ofGuest({ ownToken, staleCookie }: Visitor, { auth_mode }: Route): Lasting | undefined {
    if (ownToken || staleCookie !== undefined) return undefined
    if (authModes[auth_mode].credentials.includes('network') && this.#networks.count) return undefined
    return { session: undefined, until: Infinity }
  }
}
