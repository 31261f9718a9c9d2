import { sql, type SqlBool } from 'kysely'
import { sign, verify, type KeyObject } from 'node:crypto'
import { carriedClaims, maxTokenLength } from '../contract/carried_claims.ts'
import { digest } from '../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { whenReady } from '../storage/when_ready.ts'

/** Lifetime of an access token of a program, in seconds. */
export const accessTokenLifetimeSeconds = 3600
/** Seconds by which the clock of the issuing node may be ahead of ours. */
const clockSkewSeconds = 60
const maxEntries = 50_000

/** What was revoked before it expired. */
interface RevokedTokens {
  /** By jti. */
  readonly tokens: ReadonlySet<string>
  /** Until when a row is kept, by the subject whose tokens were all revoked. */
  readonly subjects: ReadonlyMap<string, number>
}

const isEnded = ({ subjects }: RevokedTokens, sub: string, issuedAt: number): boolean => {
  const until = subjects.get(sub)
  return until !== undefined && issuedAt <= until - accessTokenLifetimeSeconds
}

/** The content of an access token (RFC 9068 section 2.2), as far as we read it. */
export interface AccessToken {
  readonly jti: string
  readonly sub: string
  readonly client_id: string
  readonly aud: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
  /** How strongly the person had proved who they are (OpenID Connect Core section 2), how, and when; undefined and 0 if it does not say. */
  readonly acr: string | undefined
  readonly amr: readonly string[] | undefined
  readonly auth_time: number
}

interface Parts {
  readonly database: Database
  readonly issuer: string
  readonly signing: () => { kid: string; key: KeyObject } | Promise<{ kid: string; key: KeyObject }>
  /** The public half of a published key. */
  readonly verifying: (kid: string) => KeyObject | undefined | Promise<KeyObject | undefined>
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Decodes a part if it is encoded canonically (RFC 7515 section 2, without padding); undefined otherwise. */
const decode = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

const readObject = (part: string): Record<string, unknown> | undefined => {
  const bytes = decode(part)
  if (!bytes) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/**
 * Access tokens as signed JWTs (RFC 9068): issued to programs and local services, and verified at our own entry points.
 */
export class AccessTokens {
  readonly #parts: Parts
  readonly #revoked: Cached<RevokedTokens>
  /** Tokens that were verified, by the SHA-256 of the token. */
  readonly #read: Cached<BoundedMap<AccessToken>>

  constructor(parts: Parts) {
    this.#parts = parts
    const { database } = parts
    this.#revoked = new Cached(database, ['tokens'], async () => {
      const tokens = await database.query.selectFrom('revoked_tokens').select('jti').execute()
      const subjects = await database.query.selectFrom('revoked_subjects').selectAll().execute()
      return {
        tokens: new Set(tokens.map(({ jti }) => jti)),
        subjects: new Map(subjects.map(({ subject, expires_at }) => [subject, expires_at])),
      }
    })
    this.#read = new Cached(database, ['keys'], async () => boundedMap<AccessToken>(maxEntries))
  }

  /** Signs an access token with us as its audience. `client_id` names the client that gets it. */
  async issue({
    claims,
    ...about
  }: {
    readonly sub: string
    readonly client_id: string
    readonly scope: string
    readonly claims: readonly string[]
  }): Promise<{ access_token: string; expires_in: number; id: string }> {
    const { issuer, signing } = this.#parts
    const { kid, key } = await signing()
    const id = newId()
    const iat = now()
    const payload = {
      iss: issuer,
      aud: issuer,
      ...about,
      ...carriedClaims(claims),
      iat,
      exp: iat + accessTokenLifetimeSeconds,
      jti: id,
    }
    const signingInput = `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid })}.${encode(payload)}`
    const access_token = `${signingInput}.${sign(null, Buffer.from(signingInput), key).toString('base64url')}`
    return { access_token, expires_in: accessTokenLifetimeSeconds, id }
  }

  /**
   * A valid access token of ours, or undefined for anything else. The caller must check the audience. Synchronous when
   * the cache is current.
   */
  find(token: string): AccessToken | undefined | Promise<AccessToken | undefined> {
    if (token.length > maxTokenLength || !token.startsWith('ey')) return undefined
    const key = digest(token)
    const read = this.#read.warm()?.get(key) ?? this.#verify(token, key)
    return whenReady(read, (found) => found && this.#ifValid(found))
  }

  #ifValid(token: AccessToken): AccessToken | undefined | Promise<AccessToken | undefined> {
    if (token.exp <= now()) return undefined
    return whenReady(this.#revoked.get(), (revoked) =>
      isEnded(revoked, token.sub, token.iat) || revoked.tokens.has(token.jti) ? undefined : token,
    )
  }

  /** Whether everything a subject was issued at that time has been revoked since. */
  async wasEnded(sub: string, issuedAt: number): Promise<boolean> {
    return isEnded(await this.#revoked.get(), sub, issuedAt)
  }

  /**
   * RFC 9068 section 4 and RFC 8725: accepts only our algorithm, our type and our keys, whatever else the header says.
   */
  async #verify(token: string, cacheKey: string): Promise<AccessToken | undefined> {
    const cache = await this.#read.get()
    const [head = '', body = '', signature = '', ...more] = token.split('.')
    const header = more.length === 0 ? readObject(head) : undefined
    if (header?.alg !== 'EdDSA' || header.typ !== 'at+jwt' || !isText(header.kid) || 'crit' in header)
      return undefined
    const key = await this.#parts.verifying(header.kid)
    const proof = decode(signature)
    if (!key || proof?.length !== 64 || !verify(null, Buffer.from(`${head}.${body}`), key, proof))
      return undefined
    const {
      iss,
      aud,
      sub,
      client_id,
      jti,
      iat,
      exp,
      nbf,
      acr,
      amr,
      auth_time,
      scope = '',
    } = readObject(body) ?? {}
    if (iss !== this.#parts.issuer || !isText(aud) || !isText(sub) || !isText(client_id) || !isText(jti))
      return undefined
    if (!Number.isInteger(iat) || !Number.isInteger(exp) || typeof scope !== 'string') return undefined
    if ((iat as number) > now() + clockSkewSeconds || nbf !== undefined) return undefined
    const found = {
      jti,
      sub,
      client_id,
      aud,
      scope,
      iat: iat as number,
      exp: exp as number,
      acr: isText(acr) ? acr : undefined,
      amr: Array.isArray(amr) && amr.every(isText) ? amr : undefined,
      auth_time: Number.isInteger(auth_time) ? (auth_time as number) : 0,
    }
    cache.set(cacheKey, found)
    return found
  }

  /** What `revoke` needs to revoke a token that is not at hand. */
  byId(jti: string): Pick<AccessToken, 'jti' | 'exp'> {
    return { jti, exp: now() + accessTokenLifetimeSeconds }
  }

  /** Revokes a token: here at once, elsewhere as soon as services learn of it. Inside a transaction. */
  async revoke({ jti, exp }: Pick<AccessToken, 'jti' | 'exp'>): Promise<void> {
    const { database } = this.#parts
    await database.query
      .insertInto('revoked_tokens')
      .values({ jti, expires_at: exp })
      .onConflict((same) => same.doNothing())
      .execute()
    database.changed('tokens')
  }

  /** Revokes everything that a subject was issued until now, at our own entry points. Inside a transaction. */
  async revokeAllOf(sub: string): Promise<void> {
    const { database } = this.#parts
    const expires_at = now() + accessTokenLifetimeSeconds
    await database.query
      .insertInto('revoked_subjects')
      .values({ subject: sub, expires_at })
      .onConflict((same) => same.column('subject').doUpdateSet({ expires_at }))
      .execute()
    database.changed('tokens')
  }

  /** Deletes records of tokens that have expired. Called on a timer. */
  async sweep(): Promise<void> {
    const { database } = this.#parts
    const expired = sql<SqlBool>`expires_at < ${now() - clockSkewSeconds}`
    await sweepRows(database, 'revoked_tokens', 'jti', expired, (query) => query.deleteFrom('revoked_tokens'))
    await sweepRows(database, 'revoked_subjects', 'subject', expired, (query) =>
      query.deleteFrom('revoked_subjects'),
    )
  }
}
