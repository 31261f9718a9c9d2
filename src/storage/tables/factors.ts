import type { Bit, OfUser } from './columns.ts'

export interface FactorsTables {
  totp: {
    user_id: string
    secret_sealed: string
    /** When the first code was given; until then it counts for nothing. */
    confirmed_at: number | null
    /** The last time step that was accepted: none counts twice. */
    last_step: number
    created_at: number
  }
  /** Challenges of passkeys that were used: none counts twice. */
  spent_challenges: { challenge_hash: string; expires_at: number }
  recovery_codes: { user_id: string; code_hash: string }
  passkeys: OfUser & {
    name: string
    credential_id: string
    public_key: string
    counter: number
    synced: Bit
    last_used_at: number | null
  }
}
