export interface AuthTables {
  one_time_tokens: {
    token_hash: string
    purpose: string
    user_id: string | null
    /** Where it was sent to, in lower case; empty if nowhere. */
    address: string
    created_at: number
    expires_at: number
  }
  /** What a provider vouched for, beside the one-time token of a sign-in that waits for its second step. */
  provider_proofs: {
    token_hash: string
    provider: string
    identity_id: string
    /** As the columns of a session that are called so. */
    provider_sid: string
    provider_id_token: string
    only_at: string
    /** 0 where the provider does not say. */
    proven_at: number
  }
}
