/** A token that a program keeps; exactly one of `user_id` and `service_id` is set. */
export interface TokenRow {
  id: string
  /** SHA-256 of the token, hex: the token itself is nowhere. */
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
  /** Access tokens that were taken back, until they end by themselves. */
  revoked_tokens: { jti: string; expires_at: number }
  /** Subjects of which all access tokens were taken back, as long as one of them could still be valid. */
  revoked_subjects: { subject: string; expires_at: number }
}
