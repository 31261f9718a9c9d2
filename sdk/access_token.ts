import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'
import { TokenVerifier } from './jws.ts'
import type { Revoked, RevokedOptions } from './revocations.ts'

export interface TokenOptions {
  /** The required audience: the `public_url` of the daemon, or your resource if the program named one. */
  readonly audience: string
  /** The `public_url` of the daemon. If it is missing, the issuer is not checked. */
  readonly issuer?: string
}

/** The scopes of a token. Each includes those before it. */
export const tokenScopes = ['read', 'write', 'admin'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** A valid access token of ours (RFC 9068). */
export interface AccessToken {
  /** The id of the token. */
  readonly id: string
  /** The client_id of the program that it was issued to. */
  readonly client: string
  /** The id of the user in whose name it acts; undefined if a program acts for itself. */
  readonly user_id: string | undefined
  readonly username: string | undefined
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Unix time in seconds. */
  readonly expires_at: number
}

/** The check of access tokens; see {@link verifyToken}. */
export interface TokenCheck {
  (token: string | undefined): Promise<AccessToken>
  /**
   * From now on also refuses revoked tokens (single ones, or all of a client), as soon as the daemon reports them. Earlier
   * revocations are known when this resolves. Needs the claim `proxy.users.read`. Resolves with a function that ends the
   * subscription.
   */
  follow(options?: Pick<RevokedOptions, 'onError' | 'signal'>): Promise<() => void>
}

/** The longest lifetime of an access token. */
const maxLifetimeSeconds = 3600

/** Reasons that end all tokens of a user and not only a session: an intruder may have given applications access. */
const endsAllTokens: ReadonlySet<Revoked['reason']> = new Set([
  'deactivated',
  'removed',
  'password',
  'factors',
])

/** Revoked access tokens that have not expired yet. */
class RevokedTokens {
  readonly #tokens = new Map<string, number>()
  readonly #clients = new Map<string, number>()
  readonly #people = new Map<string, number>()

  readonly add = ({ token_id, client, user, reason, at }: Revoked): void => {
    if (token_id !== null) this.#note(this.#tokens, token_id, at)
    else if (client !== null) this.#note(this.#clients, client, at)
    else if (user !== null && endsAllTokens.has(reason)) this.#note(this.#people, user, at)
  }

  /** Keeps the last hour. Older tokens have expired. */
  #note(map: Map<string, number>, key: string, at: number): void {
    for (const [old, time] of map) {
      if (time > at - maxLifetimeSeconds - 60) break
      map.delete(old)
    }
    map.delete(key)
    map.set(key, at)
  }

  has({ id, client, username }: AccessToken, issuedAt: number): boolean {
    const before = (at: number | undefined) => at !== undefined && issuedAt <= at
    return (
      this.#tokens.has(id) ||
      before(this.#clients.get(client)) ||
      (username !== undefined && before(this.#people.get(username)))
    )
  }
}

/**
 * Makes the check of access tokens, for services that programs call directly. It calls the daemon only to fetch the keys, and the
 * claims of a token that has too many to carry them. Throws
 * {@link Unauthenticated} for anything except a valid access token of the daemon for this audience. ID tokens and assertions are refused.
 */
export const verifyToken = (
  hero: Pick<HeroProxy, 'keys' | 'onRevoked' | 'token'>,
  { audience, issuer }: TokenOptions,
): TokenCheck => {
  const verifier = new TokenVerifier(hero, { typ: 'at+jwt', audience, issuer, lifetime: maxLifetimeSeconds })
  const revokedTokens = new RevokedTokens()
  const check = async (token: string | undefined): Promise<AccessToken> => {
    const payload = await verifier.verify(token, 'The access token')
    const { jti, sub, client_id, username, scope, claims, exp, iat } = payload
    const client = String(client_id)
    const read: AccessToken = {
      id: String(jti),
      client,
      user_id: sub === client ? undefined : String(sub),
      username: typeof username === 'string' ? username : undefined,
      scopes: typeof scope === 'string' ? scope.split(' ') : [],
      claims:
        payload.claims_by_reference === true
          ? await fetchClaims(token!)
          : Array.isArray(claims)
            ? (claims as string[])
            : [],
      expires_at: Number(exp),
    }
    if (revokedTokens.has(read, Number(iat)))
      throw new Unauthenticated('The access token was revoked', 'unauthenticated', -32001)
    return read
  }
  /** A token with more claims than fit into it says so; the daemon returns them. */
  const fetchClaims = async (token: string): Promise<readonly string[]> => {
    const { active, claims = [] } = await hero.token.validate({ token, audience })
    if (!active) throw new Unauthenticated('The access token was revoked', 'unauthenticated', -32001)
    return claims
  }
  const since = () => Math.floor(Date.now() / 1000) - maxLifetimeSeconds - 60
  const follow: TokenCheck['follow'] = (options = {}) =>
    hero.onRevoked(revokedTokens.add, {
      ...options,
      since: since(),
      // Some revocations were missed: read the last hour again.
      onReset: () =>
        void hero
          .onRevoked(revokedTokens.add, { ...options, since: since() })
          .then((stop) => stop(), options.onError),
    })
  return Object.assign(check, { follow })
}

/** Whether a token has a scope: write includes read, and admin includes both. */
export const hasScope = ({ scopes }: Pick<AccessToken, 'scopes'>, wanted: TokenScope): boolean =>
  tokenScopes.slice(tokenScopes.indexOf(wanted)).some((scope) => scopes.includes(scope))
