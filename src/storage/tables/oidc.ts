export interface OidcRecordRow {
  /** SHA-256 of kind and token. The token itself is never stored. */
  id: string
  kind: string
  grant_id: string | null
  user_id: string | null
  client: string | null
  /** SHA-256 of the second key that finds the row: the code that a user types at /device. */
  lookup: string | null
  payload_sealed: string
  consumed_at: number | null
  /** When the row was last written, apart from `consumed_at`; 0 for rows from before this was kept. */
  written_at: number
  expires_at: number
}

export interface OidcTables {
  oidc_records: OidcRecordRow
  /** Logout notices that are not yet delivered: an application's session ended. */
  oidc_logouts: {
    id: string
    client: string
    subject: string
    sid: string
    due_at: number
    tries: number
  }
}
