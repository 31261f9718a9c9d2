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

export interface FederationTables {
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
