import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'

/** Milliseconds between two fetches of the keys for an unknown key id: strangers cannot make us ask more often. */
const fetchAtMost = 10_000
/** Milliseconds that fetched keys count: a key that was retired, because it leaked perhaps, must not be trusted for good. */
const keepAtMost = 10 * 60_000
/** Seconds that two clocks may differ. */
const tolerance = 30

type Keys = Parameters<typeof compactVerify>[1] | ReturnType<typeof createLocalJWKSet>

/** Each part as its own bytes would be written: two spellings of one token would be two tokens to whoever keeps a list. */
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

/** Verifies the signature of a compact JWS (RFC 7515 section 5.2) by one of our algorithms, whatever the header asks for. */
export const verifyJws = async (token: string, keys: Keys, algorithms: readonly string[]) => {
  if (!isCanonical(token)) throw new errors.JWSInvalid('not in canonical base64url')
  return compactVerify(token, keys as never, { algorithms: [...algorithms] })
}

export interface Expected {
  /** What the token is, by its header (RFC 8725 section 3.11). */
  readonly typ: string
  readonly audience: string
  readonly issuer: string | undefined
  /** Seconds that a token of this kind lives at most. */
  readonly lifetime: number
}

/** The claims that every token of ours must carry rightly (RFC 7519 section 4.1). */
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
  if (typeof exp !== 'number' || exp <= at - tolerance) throw wrong('exp')
  if (typeof iat !== 'number' || iat > at + tolerance || exp - iat > expected.lifetime) throw wrong('iat')
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > at + tolerance)) throw wrong('nbf')
  return claims
}

const isRefusal = (error: unknown) =>
  error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError

/**
 * Our public keys, fetched over the client's own connection and kept for ten minutes, and the check of what we sign. Throws
 * {@link Unauthenticated} for anything but a living token of this kind, and what the client throws when the keys cannot be had.
 */
export class TokenVerifier {
  readonly #hero: Pick<HeroProxy, 'keys'>
  readonly #expected: Expected
  #keys: ReturnType<typeof createLocalJWKSet> | undefined
  #fetched = 0
  #loading: Promise<ReturnType<typeof createLocalJWKSet>> | undefined

  constructor(hero: Pick<HeroProxy, 'keys'>, expected: Expected) {
    const { audience, issuer } = expected
    // Empty, they would be checks that let everything pass: a token for any other service too.
    if (typeof audience !== 'string' || audience === '')
      throw new TypeError('audience: whom the token is for')
    if (issuer !== undefined && (typeof issuer !== 'string' || issuer === ''))
      throw new TypeError('issuer: the public_url of the daemon, or nothing')
    this.#hero = hero
    this.#expected = expected
  }

  /** The claims of a valid token; `what` names it in the refusal. */
  async verify(token: string | undefined, what: string): Promise<Record<string, unknown>> {
    const refused = (why: string) => new Unauthenticated(`${what} ${why}`, 'unauthenticated', -32001)
    if (token === undefined) throw refused('is missing')
    const age = Date.now() - this.#fetched
    const keys = this.#keys !== undefined && age >= 0 && age < keepAtMost ? this.#keys : await this.#load()
    try {
      return await this.#check(token, keys)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // A key that we have not seen: it may be new.
      if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - this.#fetched < fetchAtMost)
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
