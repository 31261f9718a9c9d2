import { randomBytes } from 'node:crypto'

// The format of session tokens and refresh tokens: 256 random bits in base64url.

const tokenLength = 43

export const newToken = (): string => randomBytes(32).toString('base64url')

/** Whether this can be one of our tokens; anything else needs no database query. */
export const looksLikeToken = (token: string): boolean =>
  token.length === tokenLength && /^[A-Za-z0-9_-]+$/.test(token)
