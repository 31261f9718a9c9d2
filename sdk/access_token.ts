import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'
import { TokenVerifier } from './jws.ts'
import type { Revoked, RevokedOptions } from './revocations.ts'

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

/** The check of access tokens; see {@link verifyToken}. */
export interface TokenCheck {
  (token: string | undefined): Promise<AccessToken>
  /**
   * Refuses from now on also what was taken back before its end: one token, or all of a client, as soon as the daemon tells. It
   * begins with what is known already when this resolves. Takes the claim `proxy.users.read`; resolves with a function that ends it.
   */
  follow(options?: Pick<RevokedOptions, 'onError' | 'signal'>): Promise<() => void>
}

/** Seconds that an access token lives at most. */
const longest = 3600

/** Why all that a person had ended, and not one session: whoever held the account may have let applications in. */
const endings: ReadonlySet<Revoked['reason']> = new Set(['deactivated', 'removed', 'password', 'factors'])

/** Access tokens that were taken back, as far as they could still count. */
class TakenBack {
  readonly #tokens = new Map<string, number>()
  readonly #clients = new Map<string, number>()
  readonly #people = new Map<string, number>()

  readonly add = ({ token_id, client, user, reason, at }: Revoked): void => {
    if (token_id !== null) this.#note(this.#tokens, token_id, at)
    else if (client !== null) this.#note(this.#clients, client, at)
    else if (user !== null && endings.has(reason)) this.#note(this.#people, user, at)
  }

  /** Keeps the last hour: what is older has ended by itself. */
  #note(map: Map<string, number>, key: string, at: number): void {
    for (const [old, time] of map) {
      if (time > at - longest - 60) break
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
 * Makes the check of access tokens, for services that programs call directly: no call to the daemon but for its keys. Throws
 * {@link Unauthenticated} for anything but a living access token of ours for this audience; an ID token or an assertion is none.
 */
export const verifyToken = (
  hero: Pick<HeroProxy, 'keys' | 'onRevoked'>,
  { audience, issuer }: TokenOptions,
): TokenCheck => {
  const verifier = new TokenVerifier(hero, { typ: 'at+jwt', audience, issuer, lifetime: longest })
  const takenBack = new TakenBack()
  const check = async (token: string | undefined): Promise<AccessToken> => {
    const { jti, sub, client_id, username, scope, claims, exp, iat } = await verifier.verify(
      token,
      'The access token',
    )
    const client = String(client_id)
    const read: AccessToken = {
      id: String(jti),
      client,
      user_id: sub === client ? undefined : String(sub),
      username: typeof username === 'string' ? username : undefined,
      scopes: typeof scope === 'string' ? scope.split(' ') : [],
      claims: Array.isArray(claims) ? (claims as string[]) : [],
      expires_at: Number(exp),
    }
    if (takenBack.has(read, Number(iat)))
      throw new Unauthenticated('The access token was taken back', 'unauthenticated', -32001)
    return read
  }
  const since = () => Math.floor(Date.now() / 1000) - longest - 60
  const follow: TokenCheck['follow'] = (options = {}) =>
    hero.onRevoked(takenBack.add, {
      ...options,
      since: since(),
      // What was missed is read again.
      onReset: () =>
        void hero
          .onRevoked(takenBack.add, { ...options, since: since() })
          .then((stop) => stop(), options.onError),
    })
  return Object.assign(check, { follow })
}

/** Whether a token may do this: write includes read, admin includes both. */
export const hasScope = ({ scopes }: Pick<AccessToken, 'scopes'>, wanted: TokenScope): boolean =>
  tokenScopes.slice(tokenScopes.indexOf(wanted)).some((scope) => scopes.includes(scope))
