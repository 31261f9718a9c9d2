import { whenReady } from '../storage/when_ready.ts'
import type { EdgeRequest } from './request.ts'
import { sessionCookie } from './cookies.ts'

/** How cookies are set at an address: `refused` if they would cross a network unencrypted. */
export type CookieState = 'secure' | 'insecure' | 'refused'

/** Browsers accept Secure cookies from these hosts also over plain HTTP, because nothing leaves the machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  /^127(\.[0-9]{1,3}){3}$/.test(host)

/** Decides whether, and under which name, our cookies are set at an address. */
export class CookiePolicy {
  readonly #insecureAllowed: () => boolean | Promise<boolean>

  constructor(insecureAllowed: () => boolean | Promise<boolean>) {
    this.#insecureAllowed = insecureAllowed
  }

  /** Returns a promise only if the setting `insecure_cookies` decides (plain HTTP, not localhost) and is not cached. */
  at({ secure, host }: Pick<EdgeRequest, 'secure' | 'host'>): CookieState | Promise<CookieState> {
    if (secure || isLoopback(host)) return 'secure'
    return whenReady(this.#insecureAllowed(), (allowed) => (allowed ? 'insecure' : 'refused'))
  }
}

export const sessionCookieName = (state: CookieState): string => sessionCookie(state !== 'insecure')
