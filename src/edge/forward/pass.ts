import type { LiveSession } from '../../sessions/live_session.ts'
import type { AuthMethod } from '../../contract/principal.ts'
import type { Identity } from '../../identity/identity_headers.ts'

/** What lets a decision hold for later requests. */
export interface Lasting {
  /** The session that decided, and has to go on; undefined for a guest. */
  readonly session: LiveSession | undefined
  /** Unix seconds: the earliest time at which the answer could change by itself while the session goes on. */
  readonly until: number
}

/** The request goes on, as this person or as a guest. */
export interface Pass {
  readonly act: 'forward'
  readonly identity: Identity | undefined
  readonly method: AuthMethod
  /** True where the Authorization header is ours and ends here. */
  readonly authorizationUsed: boolean
  /** The name of our cookie, when it was sent and is worth nothing any more. */
  readonly staleCookie: string | undefined
  /** Who passed and by which proof: while a connection is open, the same answer must come out again. */
  readonly who: string
  /** The key that signed the request. */
  readonly pubkey?: string | undefined
  /** The body, where it had to be read to decide: exactly these bytes go on. */
  readonly body?: Buffer | undefined
  /** Set where nothing but a cookie's session (or its absence), its claims and the route decided: then the decision may be kept. */
  readonly lasting?: Lasting | undefined
}
