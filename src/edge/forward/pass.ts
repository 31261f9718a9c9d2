import type { Caching } from '../../wire/response_treatment.ts'
import type { LiveSession } from '../../sessions/live_session.ts'
import type { AuthMethod } from '../../contract/principal.ts'
import type { Identity } from '../../identity/identity_headers.ts'

/** The conditions under which a decision also holds for later requests. */
export interface Reusable {
  /** The session, which must still be open; undefined for a guest. */
  readonly session: LiveSession | undefined
  /** Unix time in seconds when the decision could change by itself although the session stays open. */
  readonly until: number
}

/** The request is forwarded, for this user or for a guest. */
export interface Pass {
  readonly act: 'forward'
  readonly identity: Identity | undefined
  readonly method: AuthMethod
  /** True if the Authorization header holds a credential of ours and must not reach the upstream. */
  readonly authorizationUsed: boolean
  /** The name of our session cookie, if the client sent one that is no longer valid. */
  readonly staleCookie: string | undefined
  /** Which caches may keep the response. */
  readonly caching: Caching
  /** The caller and the proof. While a connection is open, a new decision must give the same. */
  readonly who: string
  /** The key that signed the request. */
  readonly pubkey?: string | undefined
  /** The body, if the decision had to read it: exactly these bytes are forwarded. */
  readonly body?: Buffer | undefined
  /** Set if only the session of the cookie (or its absence), its claims and the route decided. Then the decision may be kept. */
  readonly lasting?: Reusable | undefined
}
