import { sign } from 'node:crypto'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Proof } from '../contract/principal.ts'
import { newId, now } from '../storage/ids.ts'
import type { Keys, SigningKey } from './keys.ts'

/** Seconds an assertion is valid, and how long before its end a new one is made. */
const lifetime = 300
const margin = 60
const keep = 50_000

/** Whom an assertion is about. */
export interface Asserted {
  readonly proof: Proof
  readonly username: string
  readonly context: number
  /** The same list object until something about the person changes. */
  readonly claims: readonly string[]
  readonly email: string | null
  readonly impersonator: string | undefined
}

interface Made {
  readonly token: string
  readonly until: number
  readonly kid: string
  readonly claims: readonly string[]
  readonly username: string
  readonly context: number
  readonly email: string | null
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/**
 * X-Hero-Assertion: the identity headers as a signed JWT (RFC 7519, EdDSA as in RFC 8037) of five minutes for one
 * audience. Signed once for a session and audience and reused while it has a minute left.
 */
export class Assertions {
  readonly #keys: Keys
  readonly #issuer: string
  readonly #made = boundedMap<Made>(keep)

  constructor(keys: Keys, issuer: string) {
    this.#keys = keys
    this.#issuer = issuer
  }

  /** Synchronous when the key is warm. */
  assert(who: Asserted, audience: string): string | Promise<string> {
    const key = this.#keys.signing()
    return key instanceof Promise
      ? key.then((ready) => this.#assert(who, audience, ready))
      : this.#assert(who, audience, key)
  }

  #assert(who: Asserted, audience: string, { kid, key }: SigningKey): string {
    const place = `${who.proof.by} ${who.proof.id} ${who.impersonator ?? ''} ${audience}`
    const at = now()
    const made = this.#made.get(place)
    if (
      made &&
      made.until > at &&
      made.kid === kid &&
      made.claims === who.claims &&
      made.username === who.username &&
      made.context === who.context &&
      made.email === who.email
    ) {
      return made.token
    }
    const header = encode({ alg: 'EdDSA', typ: 'hero-assertion+jwt', kid })
    const payload = encode({
      iss: this.#issuer,
      aud: audience,
      sub: who.username,
      iat: at,
      exp: at + lifetime,
      jti: newId(),
      // A person who is known by a network or a key has no session that could end.
      ...(who.proof.by === 'session' && { sid: who.proof.id }),
      context: who.context,
      claims: who.claims,
      ...(who.email !== null && { email: who.email }),
      // RFC 8693 section 4.1: who really acts.
      ...(who.impersonator !== undefined && { act: { sub: who.impersonator } }),
    })
    const told = `${header}.${payload}`
    const token = `${told}.${sign(null, Buffer.from(told), key).toString('base64url')}`
    this.#made.set(place, {
      token,
      until: at + lifetime - margin,
      kid,
      claims: who.claims,
      username: who.username,
      context: who.context,
      email: who.email,
    })
    return token
  }
}
