import type * as Client from 'openid-client'
import { now } from '../storage/ids.ts'

/** What a provider lets us do in a person's name. */
export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string | null
  /** Unix time in seconds; null for one that does not say. */
  readonly expires_at: number | null
}

/** Seconds: ten years. What is told to last longer is looked at again then. */
const longest = 315_360_000

/** Those of an answer of the token endpoint (RFC 6749 section 5.1). */
export const toTokens = (
  tokens: Client.TokenEndpointResponse & Client.TokenEndpointResponseHelpers,
): Tokens => {
  // Some say 0 where they mean that they do not say.
  const lasts = (tokens.expires_in ?? 0) < 1 ? undefined : tokens.expiresIn()
  return {
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? null,
    expires_at: lasts === undefined ? null : now() + Math.min(Math.floor(lasts), longest),
  }
}
