import { randomBytes } from 'node:crypto'

// How the tokens of sessions are written, those that open them and those that renew them: 256 random bits in base64url.

const tokenLength = 43

export const newToken = (): string => randomBytes(32).toString('base64url')

/** Whether this can be a token of ours; anything else asks no database. */
export const looksLikeToken = (token: string): boolean =>
  token.length === tokenLength && /^[A-Za-z0-9_-]+$/.test(token)
