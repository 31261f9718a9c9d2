import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet } from 'jose'
import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'
import { type HeadersLike, type Identity } from './identity.ts'

export interface AssertionOptions {
  /** The audience of this service's route: an assertion for another service is refused. */
  readonly audience: string
  /** The `public_url` of the daemon, when it shall be checked. */
  readonly issuer?: string
}

/** Milliseconds between two fetches of the keys for an unknown key id: strangers cannot make us ask more often. */
const fetchAtMost = 10_000

/**
 * Makes the check of X-Hero-Assertion: the identity of a forwarded request proven by a signature, for services that do
 * not trust the network between. The keys come over the client's own connection and are kept. Throws
 * {@link Unauthenticated} for anything but a living assertion of ours for this audience.
 */
export const verifyAssertion = (hero: Pick<HeroProxy, 'keys'>, { audience, issuer }: AssertionOptions) => {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined
  let fetched = 0
  const load = async () => {
    fetched = Date.now()
    keys = createLocalJWKSet((await hero.keys.jwks()) as unknown as JSONWebKeySet)
    return keys
  }
  const verify = async (token: string, set: ReturnType<typeof createLocalJWKSet>) =>
    jwtVerify(token, set, {
      algorithms: ['EdDSA'],
      typ: 'hero-assertion+jwt',
      audience,
      issuer,
      requiredClaims: ['sub', 'iat', 'exp', 'iss', 'context', 'claims'],
      maxTokenAge: '6 minutes',
      clockTolerance: 30,
    })

  return async (headers: HeadersLike): Promise<Identity> => {
    const token = readAssertion(headers)
    if (token === undefined) throw refused('X-Hero-Assertion is missing')
    try {
      let verified
      try {
        verified = await verify(token, keys ?? (await load()))
      } catch (error) {
        // A key that we have not seen: it may be new.
        if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - fetched < fetchAtMost) throw error
        verified = await verify(token, await load())
      }
      return toIdentity(verified.payload)
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        throw refused('X-Hero-Assertion is not valid')
      throw error
    }
  }
}

const refused = (message: string) => new Unauthenticated(message, 'unauthenticated', -32001)

const readAssertion = (headers: HeadersLike): string | undefined => {
  if (typeof headers.get === 'function') {
    return (headers as { get(name: string): string | null }).get('x-hero-assertion') ?? undefined
  }
  const value = (headers as Record<string, unknown>)['x-hero-assertion']
  return typeof value === 'string' ? value : undefined
}

const toIdentity = (payload: Record<string, unknown>): Identity => {
  const { sub, sid, context, claims, email, act } = payload
  if (typeof sub !== 'string' || typeof context !== 'number' || !Array.isArray(claims))
    throw new TypeError('not an identity')
  const impersonator = (act as { sub?: unknown } | undefined)?.sub
  return {
    username: sub,
    context,
    claims: claims as string[],
    email: typeof email === 'string' ? email : undefined,
    impersonator: typeof impersonator === 'string' ? impersonator : undefined,
    session_id: typeof sid === 'string' ? sid : undefined,
  }
}
