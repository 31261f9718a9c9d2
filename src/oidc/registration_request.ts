import { personScopes, type Client } from '../clients/client.ts'
import type { NewClient } from '../clients/clients.ts'
import { checkRedirectUris, isLoopback, isWeb, placeOf } from '../clients/redirect_uris.ts'
import { invalidParams } from '../contract/errors.ts'
import { toMetadata } from './engine/client_metadata.ts'

type Given = Readonly<Record<string, unknown>>
type PersonScope = (typeof personScopes)[number]

const mostUris = 10
const longestUri = 500
const mostKeys = 5
const longestJwks = 8192

const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
export type AuthMethod = (typeof methods)[number]

/** A value that is one of a few, or what it is when it is left out. RFC 7591 section 2: null is as if it were left out. */
const oneOf = <V extends string, F>(
  given: Given,
  field: string,
  allowed: readonly V[],
  fallback: F,
): V | F => {
  const value = given[field] ?? undefined
  if (value === undefined) return fallback
  if (!allowed.includes(value as V)) throw invalidParams(field, `one of ${allowed.join(', ')}`)
  return value as V
}

const someOf = <V extends string>(given: Given, field: string, allowed: readonly V[], fallback: V[]): V[] => {
  const value = given[field] ?? undefined
  if (value === undefined) return fallback
  const fits = Array.isArray(value) && value.length > 0 && value.every((one) => allowed.includes(one as V))
  if (!fits) throw invalidParams(field, `a list of ${allowed.join(', ')}`)
  return [...new Set(value as V[])]
}

/** Addresses, as far as a stranger's are limited more than others. */
const urisOf = (given: Given, field: string): string[] => {
  const value = given[field] ?? []
  const allowed = `a list of at most ${mostUris} addresses of at most ${longestUri} printable ASCII characters`
  if (!Array.isArray(value) || value.length > mostUris) throw invalidParams(field, allowed)
  for (const [i, uri] of value.entries()) {
    const fits = typeof uri === 'string' && uri.length <= longestUri && /^[!-~]+$/.test(uri)
    if (!fits) throw invalidParams(`${field}.${i}`, `one of ${allowed}`)
    // What a stranger's client is sent is readable on the way otherwise (RFC 9700 section 2.6).
    if (/^http:/i.test(uri) && !isLoopback(uri))
      throw invalidParams(`${field}.${i}`, 'https, or http at localhost, 127.0.0.1 or [::1]')
  }
  return [...new Set(value as string[])]
}

/** People read this when they are asked: no character that is not seen or that turns others round. */
export const isShowable = (name: unknown): name is string =>
  typeof name === 'string' &&
  /^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u.test(name) &&
  // Fillers are letters of which nothing is to be seen.
  /[^\s\u2800\p{Default_Ignorable_Code_Point}]/u.test(name)

const nameOf = (given: Given, uris: readonly string[]): string => {
  const value = given.client_name ?? undefined
  if (value === undefined) return placeOf(uris[0]!).replace(/:$/, '')
  if (!isShowable(value)) throw invalidParams('client_name', 'one line of 1 to 100 visible characters')
  return value.trim()
}

const scopesOf = (given: Given, refreshes: boolean): PersonScope[] => {
  const value = given.scope ?? undefined
  const asked = typeof value === 'string' ? value.split(' ').filter((one) => one !== '') : undefined
  const fits = asked?.every((one) => (personScopes as readonly string[]).includes(one)) ?? value === undefined
  if (!fits) throw invalidParams('scope', `${personScopes.join(', ')}, with spaces between`)
  const wanted = (asked ?? personScopes.filter((one) => one !== 'offline_access')) as PersonScope[]
  // Whoever may renew has this, and it is what brings the right to renew.
  return [...new Set<PersonScope>(['openid', ...wanted, ...(refreshes ? ['offline_access' as const] : [])])]
}

const jwksOf = (given: Given): { keys: Record<string, unknown>[] } | undefined => {
  const value = (given.jwks ?? undefined) as { keys?: unknown } | undefined
  if (value === undefined) return undefined
  const keys = typeof value === 'object' ? value.keys : undefined
  const fits =
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.length <= mostKeys &&
    keys.every((key) => typeof key === 'object' && key !== null && !Array.isArray(key)) &&
    JSON.stringify(keys).length <= longestJwks
  if (!fits)
    throw invalidParams('jwks', `{"keys": […]} with 1 to ${mostKeys} keys, ${longestJwks} characters at most`)
  return { keys: keys as Record<string, unknown>[] }
}

export interface Wanted {
  readonly method: AuthMethod
  readonly fields: NewClient
}

/**
 * What somebody asks to be registered as (RFC 7591 section 2, OpenID Connect Registration section 2). What we do not understand
 * is ignored, as they demand; what we understand and do not do is refused. Throws invalid_params that names the field.
 */
export const readRegistration = (given: Given): Wanted => {
  const method = oneOf(given, 'token_endpoint_auth_method', methods, 'client_secret_basic' as const)
  const redirect_uris = urisOf(given, 'redirect_uris')
  if (redirect_uris.length === 0) throw invalidParams('redirect_uris', 'at least one')
  const post_logout_redirect_uris = urisOf(given, 'post_logout_redirect_uris')
  // Programs on people's own machines rarely say so (RFC 8252): their addresses do.
  const onDevice = redirect_uris.some((uri) => isLoopback(uri) || !isWeb(uri))
  const native = oneOf(given, 'application_type', ['web', 'native'], onDevice ? 'native' : 'web') === 'native'
  checkRedirectUris('redirect_uris', redirect_uris, native)
  const grants = someOf(given, 'grant_types', ['authorization_code', 'refresh_token'], ['authorization_code'])
  if (!grants.includes('authorization_code'))
    throw invalidParams('grant_types', 'authorization_code among them')
  someOf(given, 'response_types', ['code'], ['code'])
  oneOf(given, 'subject_type', ['public'], undefined)
  oneOf(given, 'id_token_signed_response_alg', ['RS256'], undefined)
  if (given.jwks_uri !== undefined && method === 'private_key_jwt')
    throw invalidParams('jwks_uri', 'jwks in its place: addresses of strangers are not asked')
  const jwks = jwksOf(given)
  if ((method === 'private_key_jwt') !== (jwks !== undefined))
    throw invalidParams('jwks', 'given with token_endpoint_auth_method private_key_jwt, and with no other')
  return {
    method,
    fields: {
      name: nameOf(given, redirect_uris),
      redirect_uris,
      post_logout_redirect_uris,
      grants: ['authorization_code'],
      scopes: scopesOf(given, grants.includes('refresh_token')),
      public: method === 'none',
      native,
      pkce: true,
      first_party: false,
      ...(jwks && { jwks }),
    },
  }
}

/** What was registered (RFC 7591 section 3.2.1). */
export const toRegistered = (
  client: Client,
  { method, fields }: Wanted,
  client_secret: string | null,
): object => {
  const known = { ...client, jwks: fields.jwks, secret_hashes: [], tokens_since: 0 }
  return {
    ...toMetadata(known, ''),
    token_endpoint_auth_method: method,
    client_id_issued_at: client.created_at,
    client_secret: client_secret ?? undefined,
    // RFC 7591: needed with a secret; 0 is never.
    client_secret_expires_at: client_secret === null ? undefined : 0,
  }
}
