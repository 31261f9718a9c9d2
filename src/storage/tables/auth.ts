export interface AuthTables {
  one_time_tokens: {
    token_hash: string
    purpose: string
    user_id: string | null
    /** The address that it was sent to, in lower case; empty for none. */
    address: string
    created_at: number
    expires_at: number
  }
  /** What a provider asserted, next to the one-time token of a sign-in that waits for its second factor. */
  provider_proofs: {
    token_hash: string
    provider: string
    identity_id: string
    /** Like the columns of the same names in sessions. */
    provider_sid: string
    provider_id_token: string
    /** 0 where the provider does not say. */
    proven_at: number
  }
}
