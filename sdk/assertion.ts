import type { HeroProxy } from './client.ts'
import { Unauthenticated } from './errors.ts'
import { type HeadersLike, type Identity } from './identity.ts'
import { TokenVerifier } from './jws.ts'

export interface AssertionOptions {
  /** The audience of the route of this service. Assertions for other services are refused. */
  readonly audience: string
  /** The `public_url` of the daemon. If it is missing, the issuer is not checked. */
  readonly issuer?: string
}

/**
 * Makes the check of X-Hero-Assertion, a signed identity, for services that do not trust the network between hero_proxy and them.
 * It fetches the keys over the connection of the client and keeps them for ten minutes. Throws {@link Unauthenticated} for anything
 * except a valid assertion for this audience, and the error of the client if it cannot fetch the keys.
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
  const { sub, sid, context, claims, email, act, acr, amr, auth_time } = payload
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
    ...(typeof acr === 'string' && { acr }),
    ...(typeof auth_time === 'number' && { auth_time }),
    ...(Array.isArray(amr) && { amr: amr as string[] }),
  }
}
