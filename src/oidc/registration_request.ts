import { isName } from '../contract/names.ts'
import { userScopes, type Client } from '../clients/client.ts'
import type { NewClient } from '../clients/clients.ts'
import { checkRedirectUris, destinationOf, isLoopback, looksNative } from '../clients/redirect_uris.ts'
import { invalidParams } from '../contract/errors.ts'
import { toMetadata } from './engine/client_metadata.ts'

type Given = Readonly<Record<string, unknown>>
type PersonScope = (typeof userScopes)[number]

const maxUris = 10
const maxUriLength = 500
const maxKeys = 5
const maxJwksLength = 8192

const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
export type AuthMethod = (typeof methods)[number]

/** Reads one of the allowed values, or the fallback if it is omitted. RFC 7591 section 2: null means omitted. */
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
  const fits = Array.isArray(value) && value.length > 0 && value.every((item) => allowed.includes(item as V))
  if (!fits) throw invalidParams(field, `a list of ${allowed.join(', ')}`)
  return [...new Set(value as V[])]
}

/** Reads a list of URIs, with stricter limits than for clients that an administrator adds. */
const urisOf = (given: Given, field: string): string[] => {
  const value = given[field] ?? []
  const allowed = `a list of at most ${maxUris} addresses of at most ${maxUriLength} printable ASCII characters`
  if (!Array.isArray(value) || value.length > maxUris) throw invalidParams(field, allowed)
  for (const [i, uri] of value.entries()) {
    const fits = typeof uri === 'string' && uri.length <= maxUriLength && /^[!-~]+$/.test(uri)
    if (!fits) throw invalidParams(`${field}.${i}`, `one of ${allowed}`)
    // Over plain http, others could read the authorization code on its way (RFC 9700 section 2.6).
    if (/^http:/i.test(uri) && !isLoopback(uri))
      throw invalidParams(`${field}.${i}`, 'https, or http at localhost, 127.0.0.1 or [::1]')
  }
  return [...new Set(value as string[])]
}

const nameOf = (given: Given, uris: readonly string[]): string => {
  const value = given.client_name ?? undefined
  if (value === undefined) return destinationOf(uris[0]!).replace(/:$/, '')
  if (!isName(value))
    throw invalidParams('client_name', 'one line of 1 to 80 visible characters, with a letter or digit')
  return value.trim()
}

const scopesOf = (given: Given, refreshes: boolean): PersonScope[] => {
  const value = given.scope ?? undefined
  const asked = typeof value === 'string' ? value.split(' ').filter((name) => name !== '') : undefined
  const fits = asked?.every((name) => (userScopes as readonly string[]).includes(name)) ?? value === undefined
  if (!fits) throw invalidParams('scope', `${userScopes.join(', ')}, separated by spaces`)
  const wanted = (asked ?? userScopes.filter((name) => name !== 'offline_access')) as PersonScope[]
  // The scope offline_access permits refresh tokens, so a client that requests the grant gets the scope.
  return [...new Set<PersonScope>(['openid', ...wanted, ...(refreshes ? ['offline_access' as const] : [])])]
}

const jwksOf = (given: Given): { keys: Record<string, unknown>[] } | undefined => {
  const value = (given.jwks ?? undefined) as { keys?: unknown } | undefined
  if (value === undefined) return undefined
  const keys = typeof value === 'object' ? value.keys : undefined
  const fits =
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.length <= maxKeys &&
    keys.every((key) => typeof key === 'object' && key !== null && !Array.isArray(key)) &&
    JSON.stringify(keys).length <= maxJwksLength
  if (!fits)
    throw invalidParams(
      'jwks',
      `{"keys": […]} with 1 to ${maxKeys} keys, at most ${maxJwksLength} characters`,
    )
  return { keys: keys as Record<string, unknown>[] }
}

export interface Wanted {
  readonly method: AuthMethod
  readonly fields: NewClient
}

/**
 * Reads a registration request (RFC 7591 section 2, OpenID Connect Registration section 2). Unknown fields are ignored, as both
 * require. Known but unsupported values are refused: throws invalid_params with the name of the field.
 */
export const readRegistration = (given: Given): Wanted => {
  const method = oneOf(given, 'token_endpoint_auth_method', methods, 'client_secret_basic' as const)
  const redirect_uris = urisOf(given, 'redirect_uris')
  if (redirect_uris.length === 0) throw invalidParams('redirect_uris', 'at least one')
  const post_logout_redirect_uris = urisOf(given, 'post_logout_redirect_uris')
  const onDevice = looksNative(redirect_uris)
  const native = oneOf(given, 'application_type', ['web', 'native'], onDevice ? 'native' : 'web') === 'native'
  checkRedirectUris('redirect_uris', redirect_uris, { native })
  const grants = someOf(given, 'grant_types', ['authorization_code', 'refresh_token'], ['authorization_code'])
  if (!grants.includes('authorization_code'))
    throw invalidParams('grant_types', 'a list that includes authorization_code')
  someOf(given, 'response_types', ['code'], ['code'])
  oneOf(given, 'subject_type', ['public'], undefined)
  oneOf(given, 'id_token_signed_response_alg', ['RS256'], undefined)
  if (given.jwks_uri !== undefined && method === 'private_key_jwt')
    throw invalidParams('jwks_uri', 'jwks instead: we do not fetch keys from addresses of unknown clients')
  const jwks = jwksOf(given)
  if ((method === 'private_key_jwt') !== (jwks !== undefined))
    throw invalidParams('jwks', 'present if token_endpoint_auth_method is private_key_jwt, otherwise omitted')
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

/** Builds the response to a registration (RFC 7591 section 3.2.1). */
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
    // RFC 7591 requires it with a secret; 0 means never.
    client_secret_expires_at: client_secret === null ? undefined : 0,
  }
}
