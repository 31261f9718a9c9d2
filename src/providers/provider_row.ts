import { invalidParams } from '../contract/errors.ts'
import { bit, type ProviderRow } from '../storage/schema.ts'
import type { ClientAuth, ClientKey, KnownProvider, Provider } from './provider.ts'
import { checkInternalUrls } from './internal_urls.ts'
import { isTemplate } from './issuer_template.ts'
import type { Addresses } from './endpoints.ts'
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
    | 'default_groups'
    | 'keep_tokens'
    | 'refresh_profile'
    | 'pictures'
    | 'sign_out'
    | 'own_callback'
    | 'email_trusted'
    | 'response_mode'
    | 'internal_urls'
    | 'second_factor_values'
  >
> {
  readonly client_secret?: string | null
  readonly client_key?: ClientKey | null
}

export interface NewProvider extends ProviderFields, Partial<Addresses> {
  readonly provider: string
  readonly preset: PresetName
  readonly client: string
}

/** What is stored sealed: a secret, or a key from which we make one. */
export interface UnsealedSecret {
  readonly secret: string
  readonly client_key: ClientKey | undefined
}

/** Converts a row to a provider. `secret` is undefined if it cannot be unsealed. */
export const toKnown = (
  { secret_sealed: _, key_sealed: __, ...row }: ProviderRow,
  secret: UnsealedSecret | undefined,
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
    default_groups: JSON.parse(row.default_groups) as string[],
    keep_tokens: row.keep_tokens === 1,
    refresh_profile: row.refresh_profile === 1,
    pictures: row.pictures === 1,
    sign_out: row.sign_out === 1,
    secret: secret?.secret ?? '',
    client_key: secret?.client_key,
    secret_set: secret !== undefined && (secret.secret !== '' || secret.client_key !== undefined),
    response_mode: row.response_mode as Provider['response_mode'],
    internal_urls: JSON.parse(row.internal_urls) as Provider['internal_urls'],
    second_factor_values: JSON.parse(row.second_factor_values) as string[],
    own_callback: row.own_callback === 1,
    email_trusted: row.email_trusted === 1,
    redirect_uri: `${publicUrl}/oauth/callback${row.own_callback === 1 ? `/${row.provider}` : ''}`,
    backchannel_logout_uri: `${publicUrl}/oauth/backchannel_logout`,
  }
}

type Columns = Required<Omit<ProviderFields, 'client_secret' | 'client_key' | 'groups'>> & {
  readonly updated_at: number
}

export const toColumns = (fields: Columns) => ({
  title: fields.title,
  client: fields.client,
  client_auth: fields.client_auth,
  scopes: JSON.stringify(fields.scopes),
  enabled: bit(fields.enabled),
  allow_signup: bit(fields.allow_signup),
  allowed_domains: JSON.stringify(fields.allowed_domains.map((domain) => domain.toLowerCase())),
  groups_claim: fields.groups_claim ?? '',
  default_groups: JSON.stringify(fields.default_groups),
  keep_tokens: bit(fields.keep_tokens),
  refresh_profile: bit(fields.refresh_profile),
  pictures: bit(fields.pictures),
  sign_out: bit(fields.sign_out),
  own_callback: bit(fields.own_callback),
  email_trusted: bit(fields.email_trusted),
  response_mode: fields.response_mode,
  internal_urls: JSON.stringify(fields.internal_urls),
  second_factor_values: JSON.stringify(fields.second_factor_values),
  updated_at: fields.updated_at,
})

/** The columns of a new provider, with what its preset says where nothing is given. */
export const columnsOfNew = (fields: NewProvider, updated_at: number) => {
  const { provider, preset, client_secret, client_key } = fields
  const { title, scopes, client_auth, groups_claim = null } = presetOf(preset)
  return toColumns({
    client: fields.client,
    // There may be several providers of these two presets, so their names must differ for people.
    title: fields.title ?? (preset === 'oidc' || preset === 'oauth2' ? provider : title),
    scopes: fields.scopes ?? [...scopes],
    client_auth: fields.client_auth ?? (client_key ? 'auto' : client_secret ? client_auth : 'none'),
    enabled: fields.enabled ?? true,
    allow_signup: fields.allow_signup ?? false,
    allowed_domains: fields.allowed_domains ?? [],
    groups_claim: fields.groups_claim === undefined ? groups_claim : fields.groups_claim,
    default_groups: fields.default_groups ?? [],
    keep_tokens: fields.keep_tokens ?? false,
    refresh_profile: fields.refresh_profile ?? false,
    pictures: fields.pictures ?? false,
    sign_out: fields.sign_out ?? false,
    own_callback: fields.own_callback ?? true,
    email_trusted: fields.email_trusted ?? false,
    response_mode: fields.response_mode ?? 'query',
    internal_urls: fields.internal_urls ?? [],
    second_factor_values: fields.second_factor_values ?? [],
    updated_at,
  })
}

/** Throws invalid_params if the fields of a provider contradict each other. */
export const checkFields = (row: ProviderRow, kind: 'oidc' | 'oauth2'): void => {
  if (row.client === '') throw invalidParams('client', 'our client_id at the provider')
  if (row.title === '') throw invalidParams('title', 'the name that people see')
  if (row.secret_sealed !== '' && row.key_sealed !== '')
    throw invalidParams('client_key', 'a client_secret or a client_key, not both')
  const hasSecret = row.secret_sealed !== '' || row.key_sealed !== ''
  if ((row.client_auth === 'none') === hasSecret)
    throw invalidParams(
      hasSecret ? 'client_auth' : 'client_secret',
      'a secret or a key with auto, client_secret_basic or client_secret_post, and neither with none',
    )
  checkInternalUrls(JSON.parse(row.internal_urls) as Provider['internal_urls'])
  if (row.email_trusted === 1 && isTemplate(row.issuer))
    throw invalidParams(
      'email_trusted',
      'false for an issuer of many tenants, each of which chooses its addresses',
    )
  // OpenID Connect Core section 3.1.2.1 requires an exact match of redirect URIs. GitHub accepts every path below the registered one,
  // which would include the callbacks of other providers.
  if (kind === 'oauth2' && row.own_callback === 0)
    throw invalidParams(
      'own_callback',
      'true without OpenID Connect, because such a provider may compare only the start of redirect URIs',
    )
  if (kind === 'oauth2' && row.second_factor_values !== '[]')
    throw invalidParams(
      'second_factor_values',
      'none without OpenID Connect, which alone says how people signed in',
    )
  if (kind === 'oidc' && !(JSON.parse(row.scopes) as string[]).includes('openid'))
    throw invalidParams('scopes', 'a list that includes openid')
}
