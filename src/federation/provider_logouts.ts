import { sql } from 'kysely'
import type { JWTPayload } from 'jose'
import type { Audit } from '../audit/audit.ts'
import type { SignIn } from '../auth/sign_in.ts'
import type { Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Log } from '../log/log.ts'
import { isFrom, mayBeOfTenant } from '../providers/issuer_template.ts'
import { asFault } from '../providers/provider_errors.ts'
import { isName } from '../providers/profile.ts'
import type { KnownProvider } from '../providers/provider.ts'
import type { Providers } from '../providers/providers.ts'
import type { RelyingParty } from '../providers/relying_party.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { Identities } from '../users/identities.ts'
import { idTokenRow } from './account_matching.ts'

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** Seconds for which a logout token is valid after its `iat`, and for which we remember its `jti`. */
const maxTokenAgeSeconds = 300
const clockToleranceSeconds = 30

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly audit: Audit
  readonly providers: Providers
  readonly party: RelyingParty
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly identities: Identities
  readonly publicUrl: string
  readonly log: Log
}

interface Judged {
  readonly jti: string
  readonly sid: string | undefined
  readonly sub: string | undefined
}

interface LogoutToken extends Judged {
  readonly of: readonly [KnownProvider, ...KnownProvider[]]
}

const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')

const refused = (message: string) => new AppError('invalid_request', message)

/** Signs people out here and at the provider together, whichever side begins. */
export class ProviderLogouts {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Prepares signing out at the provider of this session. Call it before the session ends. The returned function, called after,
   * returns the URL that the browser opens. Both return undefined if the provider does not offer it or we do not want it.
   */
  async leave(sessionId: string): Promise<(() => Promise<string | undefined>) | undefined> {
    const { sessions, providers, party, seal, publicUrl, log } = this.#parts
    const session = await sessions.vouchings.ofOpener(sessionId)
    const provider = session && (await providers.find({ provider: session.provider }))
    if (!session || !provider?.sign_out) return undefined
    const idToken = session.id_token === '' ? '' : seal.open(session.id_token, idTokenRow(session.user_id))
    return async () => {
      try {
        return await party.endSessionUrl(provider, idToken, `${publicUrl}/auth/login`)
      } catch (error) {
        log.warn(
          { provider: provider.provider, error: (error as Error).message },
          'could not sign out at the identity provider',
        )
        return undefined
      }
    }
  }

  /**
   * Accepts a provider's notice that a person has signed out there (OpenID Connect Back-Channel Logout section 2.6). Throws
   * invalid_request for a token that is not valid, and unavailable if the provider's keys cannot be fetched.
   */
  async receive(token: string, caller: Caller): Promise<void> {
    const { database, sessions, signIn, identities, audit } = this.#parts
    const { of, jti, sid, sub } = await this.#verify(token)
    await database.write(async () => {
      await this.#useOnce(of[0], jti)
      for (const { provider } of of) {
        const found = sub === undefined ? undefined : await identities.find(provider, sub)
        // A person without an account here has no sessions to end.
        if (sub !== undefined && !found) continue
        const which = { ...(found && { userId: found.user_id }), ...(sid !== undefined && { sid }) }
        const target = `${found ? `user=${found.username} ` : ''}provider=${provider}`
        const opened = await sessions.revokeVouchedBy(provider, which, 'logout')
        const begun = await signIn.secondSteps.endPendingByProvider(provider, which)
        if (opened + begun > 0) await audit.append(caller, 'auth.logout_by_provider', target, 'ok')
      }
    })
  }

  async sweep(): Promise<void> {
    await sweepRows(
      this.#parts.database,
      'provider_logouts',
      ['provider_id', 'jti'],
      sql`expires_at <= ${now()}`,
      (query) => query.deleteFrom('provider_logouts'),
    )
  }

  /** Returns the contents of a token and its providers. */
  async #verify(token: string): Promise<LogoutToken> {
    const { decodeJwt, decodeProtectedHeader, jwtVerify, createLocalJWKSet } = await import('jose')
    let claimed
    try {
      decodeProtectedHeader(token)
      claimed = decodeJwt(token)
    } catch {
      throw refused('This is not a logout token')
    }
    const [provider, ...more] = await this.#providersOf(claimed)
    if (!provider) throw refused('This logout token is from no provider that is configured here')
    const keys = await reach(provider, () =>
      this.#parts.party.jwks(provider, decodeProtectedHeader(token).kid),
    )
    try {
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
        issuer: claimed.iss!,
        audience: provider.client,
        algorithms,
        maxTokenAge: maxTokenAgeSeconds,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['iat', 'jti', 'events'],
      })
      return { of: [provider, ...more], ...judge(payload, protectedHeader.typ) }
    } catch (error) {
      throw error instanceof AppError
        ? error
        : refused(`This logout token is not valid: ${(error as Error).message}`)
    }
  }

  /**
   * The providers with the issuer that a token claims, by the same rule as for ID tokens. One issuer may be several providers, including
   * disabled ones.
   */
  async #providersOf(claimed: JWTPayload): Promise<KnownProvider[]> {
    const { providers, party } = this.#parts
    const audience = new Set([claimed.aud].flat())
    const found = []
    for (const provider of await providers.all()) {
      const { kind, issuer, client } = provider
      if (kind !== 'oidc' || !audience.has(client)) continue
      if (!sameIssuer(issuer!, claimed.iss) && !mayBeOfTenant(issuer!, claimed)) continue
      const metadata = await reach(provider, () => party.metadata(provider))
      if (isFrom(metadata.issuer, claimed)) found.push(provider)
    }
    return found
  }

  async #useOnce({ id: provider_id }: KnownProvider, jti: string): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#parts.database.query
      .insertInto('provider_logouts')
      .values({ provider_id, jti, expires_at: now() + maxTokenAgeSeconds + 60 })
      .onConflict((same) => same.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n) throw refused('This logout token was already used')
  }
}

/** Asks a provider. Throws unavailable if it does not answer. */
const reach = async <T>({ provider }: KnownProvider, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask()
  } catch (error) {
    throw new AppError('unavailable', `The keys of ${provider} cannot be fetched: ${asFault(error).fault}`)
  }
}

/** Only finds candidates by normalised URL. `isFrom` compares the issuer exactly. */
const sameIssuer = (configured: string, claimed: string | undefined): boolean =>
  claimed !== undefined && URL.canParse(claimed) && new URL(configured).href === new URL(claimed).href

/** Checks that a JWT is a logout token and nothing else (sections 2.4 and 2.6, points 4 to 6). */
const judge = ({ events, nonce, sid, sub, jti }: JWTPayload, typ: string | undefined): Judged => {
  if (typ !== undefined && !/^(application\/)?(logout\+)?jwt$/i.test(typ))
    throw refused('This token is of another type')
  const logoutDetails =
    typeof events === 'object' && (events as Record<string, unknown> | null)?.[logoutEvent]
  if (typeof logoutDetails !== 'object' || !logoutDetails)
    throw refused('This logout token has no logout event')
  if (nonce !== undefined) throw refused('A logout token must not have a nonce')
  if (!isName(jti)) throw refused('This logout token has no valid jti')
  if (sid === undefined && sub === undefined) throw refused('This logout token names nobody')
  for (const part of [sid, sub])
    if (part !== undefined && !isName(part)) throw refused('This logout token names nobody')
  return { jti, sid: sid as string | undefined, sub }
}
