import { randomBytes } from 'node:crypto'
import { deviceLifetimeSeconds } from '../../auth/known_devices.ts'
import type { Caller } from '../../contract/caller.ts'
import { deviceCookie, trustedCookie } from '../../wire/cookies.ts'
import { isLoopback } from '../../wire/cookie_policy.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'

/** 256 bits. */
const value = /^[A-Za-z0-9_-]{43}$/

/** Whether a browser may be trusted here: over TLS, or on this machine. */
export const mayTrust = ({ asked: { secure, host } }: PageRequest): boolean => secure || isLoopback(host)

/** The value of the cookie of a trusted browser. */
export const trustedValue = async (page: PageRequest): Promise<string | undefined> =>
  mayTrust(page) ? (await page.keepsakes())(trustedCookie) : undefined

/** Returns the caller of a sign-in, and what this browser keeps so that we recognise it the next time. */
export const signingIn = async (
  page: PageRequest,
): Promise<{ readonly caller: Caller; readonly kept: Keepsake }> => {
  const shown = (await page.keepsakes())(deviceCookie) ?? ''
  const device = value.test(shown) ? shown : randomBytes(32).toString('base64url')
  return {
    caller: { ...page.guest(), device, trusted: await trustedValue(page) },
    kept: { name: deviceCookie, value: device, maxAge: deviceLifetimeSeconds },
  }
}
