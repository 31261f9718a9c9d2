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
  recovery_codes: { user_id: string; code_hash: string }
  passkeys: OfUser & {
    name: string
    credential_id: string
    public_key: string
    counter: number
    synced: Bit
    /** Whether the key verified its user, by PIN or body, when it was added. Only then can it sign in alone. */
    verifies_user: Generated<Bit>
    last_used_at: number | null
  }
}
