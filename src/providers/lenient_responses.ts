import type * as Client from 'openid-client'
import type { GuardedFetch } from './guarded_fetch.ts'
import type { KnownProvider } from './provider.ts'

type Members = Readonly<Record<string, unknown>>

/** Without the members that say nothing: some servers send null or "" for what they omit. */
export const withoutEmpty = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== ''))

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A token response as RFC 6749 section 5.1 wants it. Servers leave out `token_type`, and plain OAuth 2.0 servers add an ID token that
 * we did not ask for and could not verify. The library reads lifetimes that are text.
 */
const tokenResponse = (given: Members, kind: KnownProvider['kind']): Members => {
  const { id_token, ...rest } = withoutEmpty(given)
  const response = kind === 'oidc' && id_token !== undefined ? { ...rest, id_token } : rest
  if ('error' in response) return response
  return { token_type: 'bearer', ...response }
}

/** Wraps `fetch` so that the token endpoint answers as the library expects. */
export const leniently =
  (fetch: GuardedFetch, tokenEndpoint: string | undefined, { kind }: KnownProvider): GuardedFetch =>
  async (url, init) => {
    const answer = await fetch(url, init)
    if (String(url) !== tokenEndpoint) return answer
    const text = await answer.text()
    const { status, headers } = answer
    const body = readJson(text)
    const read = isObject(body) ? JSON.stringify(tokenResponse(body, kind)) : text
    return new Response(status === 204 || status === 205 || status === 304 ? null : read, { status, headers })
  }

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Metadata without empty members, and with the algorithms in which userinfo may be signed. */
export const lenientMetadata = (metadata: object): Client.ServerMetadata =>
  ({
    userinfo_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    ...withoutEmpty(metadata as Members),
  }) as never as Client.ServerMetadata
