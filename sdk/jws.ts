import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'

/** Milliseconds between two fetches because of an unknown key id, so that strangers cannot cause more of them. */
const minFetchIntervalMs = 10_000
/** Milliseconds that fetched keys are trusted: a retired key, which may have leaked, must not be trusted for ever. */
const maxKeyAgeMs = 10 * 60_000
/** How far two clocks may differ. */
const toleranceSeconds = 30

type Keys = Parameters<typeof compactVerify>[1] | ReturnType<typeof createLocalJWKSet>

/** Whether each part is in canonical base64url. Two spellings of one token would be two entries in a list of tokens. */
const isCanonical = (token: string): boolean => {
  const parts = token.split('.')
  return (
    parts.length === 3 &&
    parts.every(
      (part) =>
        /^[A-Za-z0-9_-]*$/.test(part) && Buffer.from(part, 'base64url').toString('base64url') === part,
    )
  )
}

/** Verifies the signature of a compact JWS (RFC 7515 section 5.2) with one of these algorithms, regardless of its header. */
export const verifyJws = async (token: string, keys: Keys, algorithms: readonly string[]) => {
  if (!isCanonical(token)) throw new errors.JWSInvalid('not in canonical base64url')
  return compactVerify(token, keys as never, { algorithms: [...algorithms] })
}

export interface Expected {
  /** The type in the header (RFC 8725 section 3.11). */
  readonly typ: string
  readonly audience: string
  readonly issuer: string | undefined
  /** The longest lifetime of such a token, in seconds. */
  readonly lifetime: number
}

/** Checks the claims that every token must have (RFC 7519 section 4.1). */
const checkClaims = (payload: unknown, typ: unknown, expected: Expected): Record<string, unknown> => {
  const wrong = (what: string) => new errors.JWTClaimValidationFailed(what, {})
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw wrong('payload')
  const claims = payload as Record<string, unknown>
  const at = Date.now() / 1000
  const { iss, aud, sub, iat, nbf, exp } = claims
  if (typ !== expected.typ) throw wrong('typ')
  if (typeof iss !== 'string' || (expected.issuer !== undefined && iss !== expected.issuer))
    throw wrong('iss')
  if (aud !== expected.audience) throw wrong('aud')
  if (typeof sub !== 'string') throw wrong('sub')
  if (typeof exp !== 'number' || exp <= at - toleranceSeconds) throw wrong('exp')
  if (typeof iat !== 'number' || iat > at + toleranceSeconds || exp - iat > expected.lifetime)
    throw wrong('iat')
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > at + toleranceSeconds)) throw wrong('nbf')
  return claims
}

const isRefusal = (error: unknown) =>
  error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError

/**
 * Verifies tokens with the public keys of the daemon, which it fetches over the connection of the client and keeps for ten minutes.
 * Throws {@link Unauthenticated} for anything except a valid token of this kind, and the error of the client if it cannot fetch the keys.
 */
export class TokenVerifier {
  readonly #hero: Pick<HeroProxy, 'keys'>
  readonly #expected: Expected
  #keys: ReturnType<typeof createLocalJWKSet> | undefined
  #fetched = 0
  #loading: Promise<ReturnType<typeof createLocalJWKSet>> | undefined

  constructor(hero: Pick<HeroProxy, 'keys'>, expected: Expected) {
    const { audience, issuer } = expected
    // An empty value would disable the check and accept tokens for other services.
    if (typeof audience !== 'string' || audience === '')
      throw new TypeError('audience: must name the service that the token is for')
    if (issuer !== undefined && (typeof issuer !== 'string' || issuer === ''))
      throw new TypeError('issuer: must be the public_url of the daemon, or missing')
    this.#hero = hero
    this.#expected = expected
  }

  /** Returns the claims of a valid token. `what` names the token in error messages. */
  async verify(token: string | undefined, what: string): Promise<Record<string, unknown>> {
    const refused = (why: string) => new Unauthenticated(`${what} ${why}`, 'unauthenticated', -32001)
    if (token === undefined) throw refused('is missing')
    const age = Date.now() - this.#fetched
    const keys = this.#keys !== undefined && age >= 0 && age < maxKeyAgeMs ? this.#keys : await this.#load()
    try {
      return await this.#check(token, keys)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // The key is unknown, so it may be new.
      if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - this.#fetched < minFetchIntervalMs)
        throw refused('is not valid')
    }
    const fresh = await this.#load()
    try {
      return await this.#check(token, fresh)
    } catch (error) {
      throw isRefusal(error) ? refused('is not valid') : error
    }
  }

  async #check(token: string, keys: ReturnType<typeof createLocalJWKSet>): Promise<Record<string, unknown>> {
    const { payload, protectedHeader } = await verifyJws(token, keys, ['EdDSA'])
    return checkClaims(JSON.parse(new TextDecoder().decode(payload)), protectedHeader.typ, this.#expected)
  }

  #load() {
    return (this.#loading ??= this.#fetch().finally(() => (this.#loading = undefined)))
  }

  async #fetch() {
    const at = Date.now()
    this.#keys = createLocalJWKSet((await this.#hero.keys.jwks()) as unknown as JSONWebKeySet)
    this.#fetched = at
    return this.#keys
  }
}
