import type { JWTPayload } from 'jose'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../caller.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { asFault } from '../providers/faults.ts'
import type { KnownProvider } from '../providers/provider.ts'
import type { Providers } from '../providers/providers.ts'
import type { RelyingParty } from '../providers/relying_party.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/id.ts'
import type { Seal } from '../storage/seal.ts'
import type { Identities } from '../users/identities.ts'
import { idTokenRow } from './recognition.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
/** Seconds for which a logout token counts after it was made, and its jti is remembered. */
const fresh = 300

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly audit: Audit
  readonly providers: Providers
  readonly party: RelyingParty
  readonly sessions: Sessions
  readonly identities: Identities
  readonly publicUrl: string
  readonly log: Log
}

const refused = (message: string) => new AppError('invalid_request', message)

/** Signing out here and at the provider together, whichever of the two it begins at. */
export class ProviderLogouts {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Where the browser goes to be signed out at the provider of this session too; undefined where that is not wanted or not offered.
   * Asked before the session ends; what it answers counts afterwards.
   */
  async leave(sessionId: string): Promise<(() => Promise<string | undefined>) | undefined> {
    const { sessions, providers, party, seal, publicUrl, log } = this.#parts
    const session = await sessions.atProvider(sessionId)
    const provider = session && (await providers.find({ provider: session.provider }))
    if (!session || !provider?.sign_out) return undefined
    const idToken = session.id_token === '' ? '' : seal.open(session.id_token, idTokenRow(session.user_id))
    return async () => {
      try {
        return await party.endSessionUrl(provider, idToken, `${publicUrl}/auth/login`)
      } catch (error) {
        log.warn(
          { provider: provider.provider, error: (error as Error).message },
          'not signed out at a provider',
        )
        return undefined
      }
    }
  }

  /**
   * A provider says that somebody has signed out there (OpenID Connect Back-Channel Logout section 2.6). Throws invalid_request
   * for a token that is not beyond doubt, and unavailable where its keys cannot be had.
   */
  async receive(token: string, caller: Caller): Promise<void> {
    const { database, sessions, identities, audit } = this.#parts
    const { provider, payload } = await this.#verify(token)
    await database.write(async () => {
      await this.#useOnce(provider, payload)
      const { sid, sub } = payload as { sid?: string; sub?: string }
      const found = sub === undefined ? undefined : await identities.find(provider.provider, sub)
      // Somebody who has never been here has nothing to end.
      const known = sub === undefined || found !== undefined
      const which = {
        ...(found && { userId: found.user_id }),
        ...(sid !== undefined && { sid }),
      }
      const ended = known ? await sessions.revokeOpenedBy(provider.provider, which, 'logout') : 0
      if (ended > 0)
        await audit.append(
          caller,
          'auth.logout_by_provider',
          `${found ? `user=${found.username} ` : ''}provider=${provider.provider}`,
          'ok',
        )
    })
  }

  async sweep(): Promise<void> {
    await this.#parts.database.write(() =>
      this.#parts.database.query.deleteFrom('provider_logouts').where('expires_at', '<=', now()).execute(),
    )
  }

  async #verify(token: string): Promise<{ provider: KnownProvider; payload: JWTPayload }> {
    const { decodeJwt, decodeProtectedHeader, jwtVerify, createLocalJWKSet } = await import('jose')
    const { providers, party } = this.#parts
    let claimed
    try {
      decodeProtectedHeader(token)
      claimed = decodeJwt(token)
    } catch {
      throw refused('This is no logout token')
    }
    const audience = new Set([claimed.aud].flat())
    const provider = (await providers.enabled()).find(
      ({ kind, issuer, client }) =>
        kind === 'oidc' && audience.has(client) && sameIssuer(issuer!, claimed.iss),
    )
    if (!provider) throw refused('This logout token is for nobody here')
    let keys
    let issuer
    try {
      issuer = (await party.metadata(provider)).issuer
      keys = await party.jwks(provider, decodeProtectedHeader(token).kid)
    } catch (error) {
      throw new AppError(
        'unavailable',
        `The keys of ${provider.provider} cannot be had: ${asFault(error).fault}`,
      )
    }
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
        issuer,
        audience: provider.client,
        algorithms: [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'Ed25519',
        ],
        maxTokenAge: fresh,
        clockTolerance: 30,
        requiredClaims: ['iat', 'jti', 'events'],
      })
      refuseOdd(payload)
      return { provider, payload }
    } catch (error) {
      throw error instanceof AppError
        ? error
        : refused(`This logout token is not valid: ${(error as Error).message}`)
    }
  }

  async #useOnce(provider: KnownProvider, { jti }: JWTPayload): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#parts.database.query
      .insertInto('provider_logouts')
      .values({ provider_id: provider.id, jti: String(jti), expires_at: now() + fresh + 60 })
      .onConflict((same) => same.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n) throw refused('This logout token was used already')
  }
}

/** Compared in full once its keys are known; here it only finds whose keys those are. */
const sameIssuer = (one: string, other: string | undefined): boolean =>
  other !== undefined && URL.canParse(other) && new URL(one).href === new URL(other).href

/** What makes a JWT a logout token and nothing else (section 2.6, points 4 to 6). */
const refuseOdd = (payload: JWTPayload): void => {
  const { events, nonce, sid, sub } = payload
  const named = typeof events === 'object' && events !== null && Object.hasOwn(events, event)
  if (!named) throw refused('This logout token has no logout event')
  if (nonce !== undefined) throw refused('A logout token has no nonce')
  for (const part of [sid, sub])
    if (part !== undefined && (typeof part !== 'string' || part === '' || part.length > 255))
      throw refused('This logout token names nobody')
  if (sid === undefined && sub === undefined) throw refused('This logout token names nobody')
}
