import type { Bit } from './columns.ts'

export interface ProviderRow {
  id: string
  /** The provider's short name. */
  provider: string
  title: string
  preset: string
  issuer: string
  /** Empty to use discovery, like the next three. */
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint: string
  emails_endpoint: string
  /** Our client_id at the provider. */
  client: string
  /** Empty for none. */
  secret_sealed: string
  client_auth: string
  /** JSON lists, like the next one. */
  scopes: string
  allowed_domains: string
  enabled: Bit
  allow_signup: Bit
  /** Empty to ignore the provider's groups. */
  groups_claim: string
  keep_tokens: Bit
  refresh_profile: Bit
  sign_out: Bit
  own_callback: Bit
  /** Whether an address counts as verified although the provider does not say so. */
  email_trusted: Bit
  /** How the provider answers: query or form_post. */
  response_mode: string
  /** A private key from which the client secret is made; empty for none. */
  key_sealed: string
  /** A JSON list of the addresses under which we call it instead of its public ones. */
  internal_urls: string
  /** A JSON list of the slugs of groups. */
  default_groups: string
  /** A JSON list of the values of `amr` and `acr` that count as a second factor. */
  second_factor_values: string
  /** Whether people get the picture that the provider reports. */
  pictures: Bit
  created_at: number
  updated_at: number
}

export interface ProvidersTables {
  providers: ProviderRow
  /** Maps a provider's groups to ours. */
  provider_groups: { provider_id: string; value: string; group_id: string }
}
