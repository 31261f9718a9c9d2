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
}
