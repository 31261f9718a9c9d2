import type { Bit } from './columns.ts'

export interface ClientRow {
  id: string
  /** The client_id. */
  client: string
  name: string
  public: Bit
  native: Bit
  first_party: Bit
  pkce: Bit
  is_active: Bit
  /** Whether it registered itself (RFC 7591). */
  dynamic: Bit
  /** Scope for claims; empty for none. */
  service: string
  backchannel_logout_uri: string
  /** JSON lists, as the next four. */
  redirect_uris: string
  post_logout_redirect_uris: string
  grants: string
  scopes: string
  claims: string
  /** JSON Web Key Set; empty without one. */
  jwks: string
  /** Its access tokens of this second and before are worth nothing. */
  tokens_since: number
  created_at: number
  updated_at: number
  /** Of those that registered themselves: to the day, null until then. */
  last_used_at: number | null
  /** The network that it registered itself from; empty for all others. */
  registered_from: string
}

export interface ClientSecretRow {
  client_id: string
  secret_hash: string
  created_at: number
  /** Null for the newest. */
  expires_at: number | null
}

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

/** What applications and programs come with: clients, consents, records of OpenID Connect, tokens. */
export interface ApplicationTables {
  clients: ClientRow
  client_secrets: ClientSecretRow
  /** What lets applications register themselves, while `uses_left` lasts. */
  registration_tokens: {
    id: string
    name: string
    token_hash: string
    uses_left: number
    created_at: number
    expires_at: number
  }
  /** What people allowed an application to know; `scopes` is a JSON list. */
  consents: { user_id: string; client: string; scopes: string; created_at: number }
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
  tokens: TokenRow
  /** Access tokens that were taken back, until they end by themselves. */
  revoked_tokens: { jti: string; expires_at: number }
}
