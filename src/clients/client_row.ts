import { shownName } from '../contract/names.ts'
import { createPublicKey } from 'node:crypto'
import type { ProofLevel } from '../contract/proofs.ts'
import { invalidParams } from '../contract/errors.ts'
import { bit, type ClientRow, type ClientSecretRow } from '../storage/schema.ts'
import { userScopes, type Client, type GrantType, type ClientWithCredentials } from './client.ts'
import { checkWebUri, checkRedirectUris } from './redirect_uris.ts'

export interface ClientFields {
  readonly name: string
  readonly redirect_uris: readonly string[]
  readonly post_logout_redirect_uris: readonly string[]
  readonly grants: readonly GrantType[]
  readonly scopes: Client['scopes']
  readonly claims: readonly string[]
  readonly first_party: boolean
  readonly pkce: boolean
  readonly service: string | null
  readonly backchannel_logout_uri: string | null
  readonly introspects: readonly string[]
  readonly start_url: string | null
  readonly icon: string | null
  readonly claim_map: Readonly<Record<string, string>>
  readonly required_claims: readonly string[]
  readonly proof: ProofLevel
  readonly proof_age: number | null
  readonly session_max: number | null
  readonly ask_group: string | null
  readonly is_active: boolean
}

/** The fields of a client that an administrator did not set: every active person may enter, with any proof. */
export const unsetFields = {
  redirect_uris: [],
  post_logout_redirect_uris: [],
  claims: [],
  first_party: false,
  pkce: true,
  service: null,
  backchannel_logout_uri: null,
  introspects: [],
  start_url: null,
  icon: null,
  claim_map: {},
  required_claims: [],
  proof: 'any',
  proof_age: null,
  session_max: null,
  ask_group: null,
  is_active: true,
} as const satisfies Partial<ClientFields>

/** Converts a row with its valid secrets, newest first. */
export const toKnown = (row: ClientRow, secrets: readonly ClientSecretRow[]): ClientWithCredentials => {
  const list = <T extends readonly string[]>(text: string) => JSON.parse(text) as T
  return {
    id: row.id,
    client: row.client,
    name: shownName(row.name),
    redirect_uris: list(row.redirect_uris),
    post_logout_redirect_uris: list(row.post_logout_redirect_uris),
    grants: list(row.grants),
    scopes: list(row.scopes),
    claims: list(row.claims),
    first_party: row.first_party === 1,
    pkce: row.pkce === 1,
    service: row.service || null,
    backchannel_logout_uri: row.backchannel_logout_uri || null,
    introspects: list(row.introspects),
    start_url: row.start_url || null,
    icon: row.icon || null,
    claim_map: JSON.parse(row.claim_map) as ClientFields['claim_map'],
    required_claims: list(row.required_claims),
    anyone: row.required_claims === '[]',
    proof: row.proof,
    proof_age: row.proof_age,
    session_max: row.session_max,
    ask_group: row.ask_group || null,
    is_active: row.is_active === 1,
    public: row.public === 1,
    native: row.native === 1,
    dynamic: row.dynamic === 1,
    secrets: secrets.map(({ created_at, expires_at }) => ({ created_at, expires_at })),
    secret_hashes: secrets.map(({ secret_hash, expires_at }) => ({ hash: secret_hash, expires_at })),
    has_jwks: row.jwks !== '',
    jwks: row.jwks === '' ? undefined : (JSON.parse(row.jwks) as object),
    tokens_since: row.tokens_since,
    last_used_at: row.last_used_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** Converts the fields that an administrator sets to columns. */
export const toColumns = (fields: ClientFields, updated_at: number) => ({
  name: fields.name,
  redirect_uris: JSON.stringify(fields.redirect_uris),
  post_logout_redirect_uris: JSON.stringify(fields.post_logout_redirect_uris),
  grants: JSON.stringify(fields.grants),
  scopes: JSON.stringify(fields.scopes),
  claims: JSON.stringify(fields.claims),
  first_party: bit(fields.first_party),
  pkce: bit(fields.pkce),
  service: fields.service ?? '',
  backchannel_logout_uri: fields.backchannel_logout_uri ?? '',
  introspects: JSON.stringify(fields.introspects),
  start_url: fields.start_url ?? '',
  icon: fields.icon ?? '',
  claim_map: JSON.stringify(fields.claim_map),
  required_claims: JSON.stringify(fields.required_claims),
  proof: fields.proof,
  proof_age: fields.proof_age,
  session_max: fields.session_max,
  ask_group: fields.ask_group ?? '',
  is_active: bit(fields.is_active),
  updated_at,
})

/** Throws invalid_params if the fields of a client contradict each other. */
export const checkClient = (row: ClientRow): void => {
  const grants = JSON.parse(row.grants) as GrantType[]
  const uris = JSON.parse(row.redirect_uris) as string[]
  const isPublic = row.public === 1
  const rules = { native: row.native === 1, byAdministrator: row.dynamic === 0 }
  checkRedirectUris('redirect_uris', uris, rules)
  checkRedirectUris('post_logout_redirect_uris', JSON.parse(row.post_logout_redirect_uris) as string[], rules)
  if (row.backchannel_logout_uri !== '') checkWebUri('backchannel_logout_uri', row.backchannel_logout_uri)
  if (row.start_url !== '') checkWebUri('start_url', row.start_url)
  if (grants.includes('authorization_code') !== uris.length > 0)
    throw invalidParams('redirect_uris', 'at least one with the grant authorization_code, none without it')
  const signsUsersIn = grants.some((grant) => grant !== 'client_credentials')
  if (signsUsersIn && !(JSON.parse(row.scopes) as string[]).includes('openid'))
    throw invalidParams('scopes', 'openid among them, for a client that signs users in')
  if (isPublic && grants.includes('client_credentials'))
    throw invalidParams(
      'grants',
      'no client_credentials for a public client: it has no secret to authenticate with',
    )
  if (isPublic && row.pkce === 0)
    throw invalidParams('pkce', 'true for a public client (RFC 9700 section 2.1.1)')
  if (isPublic && row.introspects !== '[]')
    throw invalidParams('introspects', 'none for a public client: it has no secret to authenticate with')
  if (row.dynamic === 1) checkDynamic(row, grants)
}

/** Throws invalid_params if the client could not authenticate with its keys, which cannot change later. */
export const checkKeys = (row: ClientRow): void => {
  if (row.jwks === '') return
  if (row.public === 1) throw invalidParams('jwks', 'none for a public client')
  const { keys } = JSON.parse(row.jwks) as { keys: Record<string, unknown>[] }
  for (const [i, key] of keys.entries())
    if (!isUsable(key))
      throw invalidParams(
        `jwks.keys.${i}`,
        'a public signature key without its private part: RSA (RS256) of 2048 bits or more, or EC P-256 (ES256)',
      )
}

/**
 * Whether the provider can verify client signatures with this key (RFC 7517 section 4, RFC 7518 sections 3.3 and 3.4).
 */
const isUsable = (jwk: Record<string, unknown>): boolean => {
  const { kty, alg, use, kid, key_ops } = jwk
  const isPrivate = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((part) => part in jwk)
  const signs = (use ?? 'sig') === 'sig' && (key_ops === undefined || String(key_ops) === 'verify')
  if (isPrivate || !signs || !['undefined', 'string'].includes(typeof kid)) return false
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' })
    return kty === 'RSA'
      ? (alg ?? 'RS256') === 'RS256' && asymmetricKeyDetails!.modulusLength! >= 2048
      : kty === 'EC' && (alg ?? 'ES256') === 'ES256' && asymmetricKeyDetails!.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

/**
 * A client that registered itself is never trusted, whatever else is set: users are asked for consent, and it acts for
 * nobody.
 */
const checkDynamic = (row: ClientRow, grants: readonly GrantType[]): void => {
  const must = (isMet: boolean, field: string, allowed: string) => {
    if (!isMet) throw invalidParams(field, `${allowed} for a client that registered itself`)
  }
  const scopes = JSON.parse(row.scopes) as string[]
  must(row.first_party === 0, 'first_party', 'false')
  must(row.pkce === 1, 'pkce', 'true')
  must(row.claims === '[]', 'claims', 'none')
  must(row.introspects === '[]', 'introspects', 'none')
  must(grants.join() === 'authorization_code', 'grants', 'authorization_code alone')
  must(
    scopes.every((scope) => (userScopes as readonly string[]).includes(scope)),
    'scopes',
    `only ${userScopes.join(', ')}`,
  )
}

/** Kinds of records that the provider stores for a client. */
export type RecordKinds = 'all' | readonly string[]

/**
 * The records that a change must delete, because the client got them through what it loses now: otherwise its next
 * token would restore it.
 */
export const recordsToDelete = (before: ClientFields, change: Partial<ClientFields>): RecordKinds => {
  const loses = (field: 'scopes' | 'grants' | 'redirect_uris') =>
    change[field] !== undefined && before[field].some((value) => !(change[field] as string[]).includes(value))
  // Nobody consented to what a first-party client has, so nobody could revoke it.
  if (loses('scopes') || loses('grants') || (before.first_party && change.first_party === false)) return 'all'
  return loses('redirect_uris') ? ['AuthorizationCode'] : []
}
