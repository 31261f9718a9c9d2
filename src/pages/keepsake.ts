import type { CookieState } from '../wire/cookie_policy.ts'
import { setCookie } from '../wire/cookies.ts'

/** Returns the name of one of our cookies, with the prefix for secure cookies or without. */
export type CookieName = (secure: boolean) => string

/** A value that the browser keeps for us in a cookie; an empty value removes it. `maxAge` is in seconds; without one, the cookie ends with the browser. */
export interface Keepsake {
  readonly name: CookieName
  readonly value: string
  readonly maxAge: number | undefined
}

/** The Set-Cookie value of a keepsake. */
export const cookieOf = (state: CookieState, { name, value, maxAge }: Keepsake): string =>
  setCookie(name(state !== 'insecure'), value, value === '' ? 0 : maxAge)

/** How long the browser keeps the cookie of a session: until it is closed, unless the person asked to stay signed in. */
export const cookieAge = ({
  remembered = false,
  expires_in,
}: {
  readonly remembered?: boolean
  readonly expires_in: number
}): number | undefined => (remembered ? expires_in : undefined)
