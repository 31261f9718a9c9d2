import { sign } from 'node:crypto'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Proof } from '../contract/principal.ts'
import { reachedBy, type ProofLevel, type ProofTimes } from '../contract/proofs.ts'
import { newId, now } from '../storage/ids.ts'
import type { Keys, SigningKey } from './keys.ts'

/** Lifetime of an assertion in seconds, and how long before its end a new one is created. */
const lifetimeSeconds = 300
const renewBeforeSeconds = 60
const maxEntries = 50_000

/** The user that an assertion is about. */
export interface AssertionSubject {
  readonly proof: Proof
  readonly username: string
  readonly context: number
  /** The same array until something about the user changes. */
  readonly claims: readonly string[]
  readonly email: string | null
  readonly impersonator: string | undefined
  /** What the user proved, and how; known for their own sessions, and without the methods for access tokens of theirs. */
  readonly proved?: { readonly proofs: ProofTimes; readonly amr: readonly string[] | undefined } | undefined
}

interface CachedAssertion {
  readonly token: string
  readonly until: number
  readonly kid: string
  readonly claims: readonly string[]
  readonly username: string
  readonly context: number
  readonly email: string | null
  readonly sign_in: SignInClaims
}

/** How strongly, how and when the user proved who they are (OpenID Connect Core section 2). */
interface SignInClaims {
  readonly acr?: string
  readonly auth_time?: number
  readonly amr?: readonly string[]
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/**
 * X-Hero-Assertion: the identity headers as a signed JWT (RFC 7519, EdDSA as in RFC 8037), valid for five minutes and
 * one audience. Signed once per session and audience, and reused while it has a minute left.
 */
export class Assertions {
  readonly #keys: Keys
  readonly #issuer: string
  readonly #cache = boundedMap<CachedAssertion>(maxEntries)

  constructor(keys: Keys, issuer: string) {
    this.#keys = keys
    this.#issuer = issuer
  }

  /** Synchronous when the key is warm. It reports the proof of `level` if the place asks for one, and otherwise the newest. */
  assert(who: AssertionSubject, audience: string, level: ProofLevel = 'any'): string | Promise<string> {
    const key = this.#keys.signing()
    return key instanceof Promise
      ? key.then((ready) => this.#assert(who, audience, level, ready))
      : this.#assert(who, audience, level, key)
  }

  #assert(who: AssertionSubject, audience: string, level: ProofLevel, { kid, key }: SigningKey): string {
    const cacheKey = `${who.proof.by} ${who.proof.id} ${who.impersonator ?? ''} ${audience}`
    const at = now()
    const sign_in = signInOf(who, level, at)
    const cached = this.#cache.get(cacheKey)
    if (
      cached &&
      cached.until > at &&
      cached.kid === kid &&
      cached.claims === who.claims &&
      cached.username === who.username &&
      cached.context === who.context &&
      cached.email === who.email &&
      isSame(cached.sign_in, sign_in)
    ) {
      return cached.token
    }
    const header = encode({ alg: 'EdDSA', typ: 'hero-assertion+jwt', kid })
    const payload = encode({
      iss: this.#issuer,
      aud: audience,
      sub: who.username,
      iat: at,
      exp: at + lifetimeSeconds,
      jti: newId(),
      // A user who is recognised by a network or a key has no session that could end.
      ...(who.proof.by === 'session' && { sid: who.proof.id }),
      context: who.context,
      claims: who.claims,
      ...(who.email !== null && { email: who.email }),
      ...sign_in,
      // RFC 8693 section 4.1: the user who really acts.
      ...(who.impersonator !== undefined && { act: { sub: who.impersonator } }),
    })
    const signingInput = `${header}.${payload}`
    const token = `${signingInput}.${sign(null, Buffer.from(signingInput), key).toString('base64url')}`
    this.#cache.set(cacheKey, {
      token,
      until: at + lifetimeSeconds - renewBeforeSeconds,
      kid,
      claims: who.claims,
      username: who.username,
      context: who.context,
      email: who.email,
      sign_in,
    })
    return token
  }
}

const signInOf = ({ proved }: AssertionSubject, level: ProofLevel, at: number): SignInClaims => {
  if (!proved) return {}
  const pair = reachedBy(proved.proofs, level === 'any' ? undefined : level, at)
  return proved.amr === undefined ? pair : { ...pair, amr: proved.amr }
}

const isSame = (a: SignInClaims, b: SignInClaims): boolean =>
  a.acr === b.acr && a.auth_time === b.auth_time && a.amr?.join() === b.amr?.join()
