export interface ProviderFlowRow {
  /** SHA-256 of the state, hex. */
  state_hash: string
  provider_id: string
  /** The user who is linking an identity; null for a sign-in. */
  user_id: string | null
  /** SHA-256 of the value in the browser's cookie, hex. */
  browser_hash: string
  /** The client's network, to limit how many flows one network may begin. */
  network: string
  /** JSON with the nonce, the verifier and the page to return to. */
  sealed: string
  created_at: number
  expires_at: number
}

export interface FederationTables {
  /** Sign-ins in progress: each is used up by the provider's answer. */
  provider_flows: ProviderFlowRow
  /** Identities that a provider has asserted, until the user confirms that they own them. */
  provider_links: {
    token_hash: string
    provider_id: string
    sealed: string
    created_at: number
    expires_at: number
  }
  provider_tokens: {
    identity_id: string
    /** JSON with the access token and the refresh token. */
    sealed: string
    expires_at: number | null
    /** The process that renews the tokens has the row to itself until then. */
    leased_until: number
  }
  /** What a provider last said about a person: JSON with its claims. */
  received_claims: { identity_id: string; sealed: string; received_at: number }
  /** Logout tokens that were accepted: none is accepted twice. */
  provider_logouts: { provider_id: string; jti: string; expires_at: number }
}
