export interface OidcRecordRow {
  /** SHA-256 of kind and token: the token itself is nowhere. */
  id: string
  kind: string
  grant_id: string | null
  user_id: string | null
  client: string | null
  /** SHA-256 of what else a row is found by: the code that people type at /device. */
  lookup: string | null
  payload_sealed: string
  consumed_at: number | null
  expires_at: number
}

export interface OidcTables {
  oidc_records: OidcRecordRow
  /** Applications that are yet to be told that a session of theirs ended. */
  oidc_logouts: {
    id: string
    client: string
    subject: string
    sid: string
    due_at: number
    tries: number
  }
}
