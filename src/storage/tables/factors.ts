import type { Generated } from 'kysely'
import type { Bit, OfUser } from './columns.ts'

export interface FactorsTables {
  totp: {
    user_id: string
    secret_sealed: string
    /** When the user entered the first code; until then the row does not count as a factor. */
    confirmed_at: number | null
    /** The last time step that was accepted: no code is accepted twice. */
    last_step: number
    created_at: number
  }
  /** Passkey challenges that were used: none is accepted twice. */
  spent_challenges: { challenge_hash: string; expires_at: number }
  /** Each carries one answer of a passkey from the host of an earlier public URL home, once. */
  passkey_codes: {
    /** SHA-256 of the code, hex. */
    code_hash: string
    /** What was begun at home, sealed: by which browser, for what, and where it goes on. */
    begun: string
    passkey_id: string
    /** What the authenticator counted. */
    counter: number
    challenge: string
    created_at: number
  }
  recovery_codes: { user_id: string; code_hash: string }
  passkeys: OfUser & {
    name: string
    credential_id: string
    public_key: string
    counter: number
    /** The name for which it was made; it works for no other (WebAuthn section 4, RP ID). */
    rp_id: string
    synced: Bit
    /** Whether the key verified its user, by PIN or body, when it was added. Only then can it sign in alone. */
    verifies_user: Generated<Bit>
    last_used_at: number | null
  }
}
