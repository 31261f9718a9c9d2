import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'
import { type HeadersLike, type Identity } from './identity.ts'
import { TokenVerifier } from './jws.ts'

export interface AssertionOptions {
  /** The audience of this service's route: an assertion for another service is refused. */
  readonly audience: string
  /** The `public_url` of the daemon, when it shall be checked. */
  readonly issuer?: string
}

/**
 * Makes the check of X-Hero-Assertion: the identity of a forwarded request proven by a signature, for services that do
 * not trust the network between. The keys come over the client's own connection and are kept for ten minutes. Throws
 * {@link Unauthenticated} for anything but a living assertion of ours for this audience, and what the client throws when
 * the keys cannot be had.
 */
export const verifyAssertion = (hero: Pick<HeroProxy, 'keys'>, { audience, issuer }: AssertionOptions) => {
  const verifier = new TokenVerifier(hero, { typ: 'hero-assertion+jwt', audience, issuer, lifetime: 360 })
  return async (headers: HeadersLike): Promise<Identity> =>
    toIdentity(await verifier.verify(readAssertion(headers), 'X-Hero-Assertion'))
}

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
    throw new Unauthenticated('X-Hero-Assertion is not valid', 'unauthenticated', -32001)
  const impersonator = (act as { sub?: unknown } | undefined)?.sub
  return {
    username: sub,
    ...(sub.includes('.') && { program: true }),
    context,
    claims: claims as string[],
    email: typeof email === 'string' ? email : undefined,
    impersonator: typeof impersonator === 'string' ? impersonator : undefined,
    session_id: typeof sid === 'string' ? sid : undefined,
  }
}
