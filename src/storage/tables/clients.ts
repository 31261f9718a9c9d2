import type { ProofLevel } from '../../contract/proofs.ts'
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
  /** Whether the client registered itself (RFC 7591). */
  dynamic: Bit
  /** The service that its claims are limited to; empty for none. */
  service: string
  backchannel_logout_uri: string
  /** Where people begin to use it; empty for none. */
  start_url: string
  /** `picture:` and the id of an uploaded picture; empty for none. */
  icon: string
  /** JSON lists, like the next six. */
  redirect_uris: string
  post_logout_redirect_uris: string
  grants: string
  scopes: string
  claims: string
  /** Audiences whose tokens it may introspect. */
  introspects: string
  /** JSON object: a template for each JWT claim. */
  claim_map: string
  /** Patterns of claims, of which a person must hold one. */
  required_claims: string
  proof: ProofLevel
  /** In seconds, like the next; null sets no limit. */
  proof_age: number | null
  session_max: number | null
  /** The group that people ask to join who are refused; empty for none. */
  ask_group: string
  /** JSON Web Key Set; empty without one. */
  jwks: string
  /** Access tokens issued in this second or before are no longer valid. */
  tokens_since: number
  created_at: number
  updated_at: number
  /** For clients that registered themselves: accurate to the day, null until first used. */
  last_used_at: number | null
  /** The network from which the client registered itself; empty for all others. */
  registered_from: string
}

export interface ClientSecretRow {
  client_id: string
  secret_hash: string
  created_at: number
  /** Null for the newest. */
  expires_at: number | null
}

export interface ClientsTables {
  clients: ClientRow
  client_secrets: ClientSecretRow
  /** Tokens that let applications register themselves while `uses_left` lasts. */
  registration_tokens: {
    id: string
    name: string
    token_hash: string
    uses_left: number
    created_at: number
    expires_at: number
  }
}
