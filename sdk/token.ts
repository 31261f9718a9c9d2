import type { HeroProxy } from './client.ts'
import { TokenVerifier } from './jws.ts'

export interface TokenOptions {
  /** Whom the token must be for: the `public_url` of the daemon, unless the program named a resource of yours. */
  readonly audience: string
  /** The `public_url` of the daemon, when it shall be checked. */
  readonly issuer?: string
}

/** What may be done with a token; each includes those before it. */
export const tokenScopes = ['read', 'write', 'admin'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** A valid access token of ours (RFC 9068). */
export interface AccessToken {
  /** The token's own id. */
  readonly id: string
  /** The client_id of the program that it was given to. */
  readonly client: string
  /** The id of the person in whose name it acts; undefined where a program acts for itself. */
  readonly user_id: string | undefined
  readonly username: string | undefined
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Unix time in seconds. */
  readonly expires_at: number
}

/**
 * Makes the check of access tokens, for services that programs call directly: no call to the daemon but for its keys. Throws
 * {@link Unauthenticated} for anything but a living access token of ours for this audience; an ID token or an assertion is none.
 */
export const verifyToken = (hero: Pick<HeroProxy, 'keys'>, { audience, issuer }: TokenOptions) => {
  const verifier = new TokenVerifier(hero, { typ: 'at+jwt', audience, issuer, lifetime: 3600 })
  return async (token: string | undefined): Promise<AccessToken> => {
    const { jti, sub, client_id, username, scope, claims, exp } = await verifier.verify(
      token,
      'The access token',
    )
    const client = String(client_id)
    return {
      id: String(jti),
      client,
      user_id: sub === client ? undefined : String(sub),
      username: typeof username === 'string' ? username : undefined,
      scopes: typeof scope === 'string' ? scope.split(' ') : [],
      claims: Array.isArray(claims) ? (claims as string[]) : [],
      expires_at: Number(exp),
    }
  }
}

/** Whether a token may do this: write includes read, admin includes both. */
export const hasScope = ({ scopes }: Pick<AccessToken, 'scopes'>, wanted: TokenScope): boolean =>
  tokenScopes.slice(tokenScopes.indexOf(wanted)).some((scope) => scopes.includes(scope))
