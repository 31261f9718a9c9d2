import type * as Client from 'openid-client'
import { now } from '../storage/ids.ts'

/** Tokens that a provider issued to us on behalf of a person. */
export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string | null
  /** Unix time in seconds; null if the provider does not say. */
  readonly expires_at: number | null
}

/** Ten years, the maxLifetimeSeconds lifetime that we store. */
const maxLifetimeSeconds = 315_360_000

/** Reads the tokens of a token response (RFC 6749 section 5.1). */
export const toTokens = (
  tokens: Client.TokenEndpointResponse & Client.TokenEndpointResponseHelpers,
): Tokens => {
  // Some providers send 0 when they mean unknown.
  const lifetimeSeconds = (tokens.expires_in ?? 0) < 1 ? undefined : tokens.expiresIn()
  return {
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? null,
    expires_at:
      lifetimeSeconds === undefined
        ? null
        : now() + Math.min(Math.floor(lifetimeSeconds), maxLifetimeSeconds),
  }
}
