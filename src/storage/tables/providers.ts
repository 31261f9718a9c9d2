import type { Bit } from './columns.ts'

export interface ProviderRow {
  id: string
  /** Its name. */
  provider: string
  title: string
  preset: string
  issuer: string
  /** Empty where discovery tells, as the next three. */
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint: string
  emails_endpoint: string
  /** Our client_id there. */
  client: string
  /** Empty for none. */
  secret_sealed: string
  client_auth: string
  /** JSON lists, as the next one. */
  scopes: string
  allowed_domains: string
  enabled: Bit
  allow_signup: Bit
  /** Empty where groups are not looked at. */
  groups_claim: string
  keep_tokens: Bit
  refresh_profile: Bit
  sign_out: Bit
  own_callback: Bit
  created_at: number
  updated_at: number
}

export interface ProviderFlowRow {
  /** SHA-256 of the state, hex. */
  state_hash: string
  provider_id: string
  /** Who wants to link an identity; null for whoever signs in. */
  user_id: string | null
  /** SHA-256 of what the browser keeps in a cookie, hex. */
  browser_hash: string
  /** Where it began, and ends. */
  host: string
  /** Of the client, to bound how many one may begin. */
  network: string
  /** JSON of nonce, verifier and where to go on. */
  sealed: string
  created_at: number
  expires_at: number
}

/** The identity providers that we send people to, and what they send back. */
export interface ProviderTables {
  providers: ProviderRow
  /** Which of a provider's groups mean which of ours. */
  provider_groups: { provider_id: string; value: string; group_id: string }
  /** Sign-ins on their way: each is used up by the answer. */
  provider_flows: ProviderFlowRow
  /** Identities that a provider has vouched for, until their person confirms whose they are. */
  provider_links: {
    token_hash: string
    provider_id: string
    sealed: string
    created_at: number
    expires_at: number
  }
  provider_tokens: {
    identity_id: string
    /** JSON of access and refresh token. */
    sealed: string
    expires_at: number | null
    /** Who renews them has the row to itself until then. */
    leased_until: number
  }
  /** Logout tokens that were taken: none counts twice. */
  provider_logouts: { provider_id: string; jti: string; expires_at: number }
}
