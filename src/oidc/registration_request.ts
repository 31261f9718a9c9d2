import { isName } from '../contract/names.ts'
import { userScopes, type Client } from '../clients/client.ts'
import type { NewClient } from '../clients/clients.ts'
import { destinationOf, isLoopback, looksNative, redirectUriFault } from '../clients/redirect_uris.ts'
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

/** Reads the values that we serve, of a list. The others are left out (RFC 7591 section 3.2.1). */
const someOf = <V extends string>(given: Given, field: string, served: readonly V[], fallback: V[]): V[] => {
  const value = given[field] ?? undefined
  if (value === undefined) return fallback
  if (!Array.isArray(value)) throw invalidParams(field, `a list of ${served.join(', ')}`)
  return served.filter((one) => value.includes(one))
}

/** Why an unknown client may not use this redirect URI, or undefined. The limits are stricter than for those of an administrator. */
const uriFault = (uri: unknown, native: boolean): string | undefined => {
  if (typeof uri !== 'string' || uri.length > maxUriLength || !/^[!-~]+$/.test(uri))
    return `at most ${maxUriLength} printable ASCII characters`
  // Over plain http, others could read the authorization code on its way (RFC 9700 section 2.6).
  if (/^http:/i.test(uri) && !isLoopback(uri)) return 'https, or http at localhost, 127.0.0.1 or [::1]'
  return redirectUriFault(uri, { native })
}

const listOf = (given: Given, field: string): readonly unknown[] => {
  const value = given[field] ?? []
  if (!Array.isArray(value) || value.length > maxUris)
    throw invalidParams(field, `a list of at most ${maxUris} addresses`)
  return [...new Set(value as unknown[])]
}

/** The URIs of a list that we serve. */
const servedUris = (uris: readonly unknown[], native: boolean): string[] =>
  uris.filter((uri): uri is string => uriFault(uri, native) === undefined)

/** Native apps (RFC 8252) rarely declare themselves, but their redirect URIs show it. */
const isNative = (given: Given, uris: readonly unknown[]): boolean => {
  const shown = looksNative(servedUris(uris, true)) ? 'native' : 'web'
  return oneOf(given, 'application_type', ['web', 'native'], shown) === 'native'
}

/** The redirect URIs that we serve. Throws invalid_params if there are none. */
const redirectUrisOf = (uris: readonly unknown[], native: boolean): string[] => {
  const served = servedUris(uris, native)
  if (served.length > 0) return served
  if (uris.length === 0) throw invalidParams('redirect_uris', 'at least one')
  throw invalidParams('redirect_uris.0', uriFault(uris[0], native)!)
}

const nameOf = (given: Given, uris: readonly string[]): string => {
  const value = given.client_name ?? undefined
  if (value === undefined) return destinationOf(uris[0]!).replace(/:$/, '')
  if (!isName(value))
    throw invalidParams('client_name', 'one line of 1 to 80 visible characters, with a letter or digit')
  return value.trim()
}

/** The scopes that we know, of those requested; without a request, all but lasting access. */
const scopesOf = (given: Given, refreshes: boolean): PersonScope[] => {
  const value = given.scope ?? undefined
  if (value !== undefined && typeof value !== 'string')
    throw invalidParams('scope', 'names of scopes, separated by spaces')
  const asked = value?.split(' ')
  const wanted = userScopes.filter((name) => asked?.includes(name) ?? name !== 'offline_access')
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
 * require. Of lists, what we do not serve is left out, and the response says what counts (RFC 7591 section 3.2.1). Other unsupported
 * values are refused: throws invalid_params with the name of the field.
 */
export const readRegistration = (given: Given): Wanted => {
  const method = oneOf(given, 'token_endpoint_auth_method', methods, 'client_secret_basic' as const)
  const uris = listOf(given, 'redirect_uris')
  const native = isNative(given, uris)
  const redirect_uris = redirectUrisOf(uris, native)
  const post_logout_redirect_uris = servedUris(listOf(given, 'post_logout_redirect_uris'), native)
  const grants = someOf(given, 'grant_types', ['authorization_code', 'refresh_token'], ['authorization_code'])
  if (!grants.includes('authorization_code'))
    throw invalidParams('grant_types', 'a list that includes authorization_code')
  if (!someOf(given, 'response_types', ['code'], ['code']).includes('code'))
    throw invalidParams('response_types', 'a list that includes code')
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
