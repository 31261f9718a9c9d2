import { invalidParams } from '../contract/errors.ts'
import { bit, type ProviderRow } from '../storage/schema.ts'
import type { ClientAuth, KnownProvider, Provider } from './provider.ts'
import { presetOf, type PresetName } from './presets.ts'

/** The fields that an administrator can set. A secret of null removes the current one. */
export interface ProviderFields extends Partial<
  Pick<
    Provider,
    | 'title'
    | 'client'
    | 'client_auth'
    | 'scopes'
    | 'enabled'
    | 'allow_signup'
    | 'allowed_domains'
    | 'groups_claim'
    | 'groups'
    | 'keep_tokens'
    | 'refresh_profile'
    | 'sign_out'
    | 'own_callback'
  >
> {
  readonly client_secret?: string | null
}

/** Converts a row to a provider. `secret` is undefined if it cannot be unsealed. */
export const toKnown = (
  {
    secret_sealed: _,
    key_sealed: __,
    email_trusted: ___,
    response_mode: ____,
    internal_urls: _____,
    ...row
  }: ProviderRow,
  secret: string | undefined,
  groups: Provider['groups'],
  publicUrl: string,
): KnownProvider => {
  const preset = row.preset as PresetName
  return {
    ...row,
    preset,
    kind: presetOf(preset).kind,
    issuer: row.issuer || null,
    authorization_endpoint: row.authorization_endpoint || null,
    token_endpoint: row.token_endpoint || null,
    userinfo_endpoint: row.userinfo_endpoint || null,
    emails_endpoint: row.emails_endpoint || null,
    client_auth: row.client_auth as ClientAuth,
    scopes: JSON.parse(row.scopes) as string[],
    allowed_domains: JSON.parse(row.allowed_domains) as string[],
    // A provider whose secret cannot be unsealed is disabled. The others keep working.
    enabled: row.enabled === 1 && secret !== undefined,
    allow_signup: row.allow_signup === 1,
    groups_claim: row.groups_claim || null,
    groups,
    keep_tokens: row.keep_tokens === 1,
    refresh_profile: row.refresh_profile === 1,
    sign_out: row.sign_out === 1,
    secret: secret ?? '',
    secret_set: secret !== undefined && secret !== '',
    own_callback: row.own_callback === 1,
    redirect_uri: `${publicUrl}/oauth/callback${row.own_callback === 1 ? `/${row.provider}` : ''}`,
    backchannel_logout_uri: `${publicUrl}/oauth/backchannel_logout`,
  }
}

type Columns = Required<Omit<ProviderFields, 'client_secret' | 'groups'>> & { readonly updated_at: number }

export const toColumns = (fields: Columns) => ({
  title: fields.title,
  client: fields.client,
  client_auth: fields.client_auth,
  scopes: JSON.stringify(fields.scopes),
  enabled: bit(fields.enabled),
  allow_signup: bit(fields.allow_signup),
  allowed_domains: JSON.stringify(fields.allowed_domains.map((domain) => domain.toLowerCase())),
  groups_claim: fields.groups_claim ?? '',
  keep_tokens: bit(fields.keep_tokens),
  refresh_profile: bit(fields.refresh_profile),
  sign_out: bit(fields.sign_out),
  own_callback: bit(fields.own_callback),
  updated_at: fields.updated_at,
})

/** Throws invalid_params if the fields of a provider contradict each other. */
export const checkFields = (row: ProviderRow, kind: 'oidc' | 'oauth2'): void => {
  if (row.client === '') throw invalidParams('client', 'our client_id at the provider')
  if (row.title === '') throw invalidParams('title', 'the name that people see')
  if ((row.client_auth === 'none') !== (row.secret_sealed === ''))
    throw invalidParams(
      row.secret_sealed === '' ? 'client_secret' : 'client_auth',
      'a secret with client_secret_basic or client_secret_post, and no secret with none',
    )
  // OpenID Connect Core section 3.1.2.1 requires an exact match of redirect URIs. GitHub accepts every path below the registered one,
  // which would include the callbacks of other providers.
  if (kind === 'oauth2' && row.own_callback === 0)
    throw invalidParams(
      'own_callback',
      'true without OpenID Connect, because such a provider may compare only the start of redirect URIs',
    )
  if (kind === 'oidc' && !(JSON.parse(row.scopes) as string[]).includes('openid'))
    throw invalidParams('scopes', 'a list that includes openid')
}
