/** A long-lived token for a program. Exactly one of `user_id` and `service_id` is set. */
export interface TokenRow {
  id: string
  /** SHA-256 of the token, hex. The token itself is never stored. */
  token_hash: string
  user_id: string | null
  service_id: string | null
  name: string
  scope: string
  created_at: number
  expires_at: number
  /** Up to a minute old; 0 for never. */
  last_used_at: number
}

export interface TokenTables {
  tokens: TokenRow
  /** Access tokens that were revoked, kept until they expire. */
  revoked_tokens: { jti: string; expires_at: number }
  /** Subjects whose access tokens were all revoked, kept for as long as one of those tokens could still be valid. */
  revoked_subjects: { subject: string; expires_at: number }
}
