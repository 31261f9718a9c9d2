import type { Program } from './bearer_tokens.ts'
import type { Proof } from '../contract/principal.ts'
import type { Overlay } from '../sessions/live_session.ts'
import type { TokenScope } from '../contract/token_scopes.ts'
import type { KnownPerson } from '../users/person.ts'

/** Somebody who is known, by a session or without one. */
export interface Known {
  readonly proof: Proof
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
  readonly overlay: Overlay | undefined
  /** How far the token goes that was shown; everywhere without one. */
  readonly scope?: TokenScope
  /** A program in place of a person, with the claims of its own. */
  readonly program?: Program
}

/** Somebody who is known without a session. */
export const withoutSession = (person: KnownPerson, proof: Proof): Known => ({
  ...person,
  proof,
  overlay: undefined,
})
