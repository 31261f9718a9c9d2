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

export interface ProvidersTables {
  providers: ProviderRow
  /** Which of a provider's groups mean which of ours. */
  provider_groups: { provider_id: string; value: string; group_id: string }
}
