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

/** Milliseconds that fetched keys count: a key that was retired, because it leaked perhaps, must not be trusted for good. */
const keepAtMost = 10 * 60_000

/**
 * Makes the check of X-Hero-Assertion: the identity of a forwarded request proven by a signature, for services that do
 * not trust the network between. The keys come over the client's own connection and are kept for ten minutes. Throws
 * {@link Unauthenticated} for anything but a living assertion of ours for this audience, and what the client throws when
 * the keys cannot be had.
 */
export const verifyAssertion = (hero: Pick<HeroProxy, 'keys'>, { audience, issuer }: AssertionOptions) => {
  // Empty, they would be checks that let everything pass: an assertion for any other service too.
  if (typeof audience !== 'string' || audience === '')
    throw new TypeError('audience: the audience of the route')
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === ''))
    throw new TypeError('issuer: the public_url of the daemon, or nothing')
  let keys: ReturnType<typeof createLocalJWKSet> | undefined
  let fetched = 0
  let loading: Promise<ReturnType<typeof createLocalJWKSet>> | undefined
  const fetch = async () => {
    const at = Date.now()
    keys = createLocalJWKSet((await hero.keys.jwks()) as unknown as JSONWebKeySet)
    fetched = at
    return keys
  }
  const load = () => (loading ??= fetch().finally(() => (loading = undefined)))
  const verify = async (token: string, set: ReturnType<typeof createLocalJWKSet>) => {
    const { payload } = await jwtVerify(token, set, {
      algorithms: ['EdDSA'],
      typ: 'hero-assertion+jwt',
      audience,
      issuer,
      requiredClaims: ['sub', 'iat', 'exp', 'iss', 'context', 'claims'],
      maxTokenAge: '6 minutes',
      clockTolerance: 30,
    })
    return toIdentity(payload)
  }

  return async (headers: HeadersLike): Promise<Identity> => {
    const token = readAssertion(headers)
    if (token === undefined) throw refused('X-Hero-Assertion is missing')
    const age = Date.now() - fetched
    const set = keys !== undefined && age >= 0 && age < keepAtMost ? keys : await load()
    try {
      return await verify(token, set)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // A key that we have not seen: it may be new.
      if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - fetched < fetchAtMost)
        throw refused('X-Hero-Assertion is not valid')
    }
    const fresh = await load()
    try {
      return await verify(token, fresh)
    } catch (error) {
      throw isRefusal(error) ? refused('X-Hero-Assertion is not valid') : error
    }
  }
}

const isRefusal = (error: unknown) => error instanceof errors.JOSEError || error instanceof TypeError

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
