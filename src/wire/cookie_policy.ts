import { whenReady } from '../storage/when_ready.ts'
import type { Asked } from './request.ts'
import { sessionCookie } from './cookies.ts'

/** Whether sign-in cookies work at an address: `refused` where they would cross a network in the clear. */
export type CookieState = 'secure' | 'insecure' | 'refused'

/** Browsers keep Secure cookies for these over plain HTTP too: nothing leaves the machine. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  /^127(\.[0-9]{1,3}){3}$/.test(host)

/** Decides by which name, and whether at all, our cookies are kept at an address. */
export class CookiePolicy {
  readonly #insecureAllowed: () => boolean | Promise<boolean>

  constructor(insecureAllowed: () => boolean | Promise<boolean>) {
    this.#insecureAllowed = insecureAllowed
  }

  /** A promise only where the setting `insecure_cookies` decides, over plain HTTP off localhost, and is not known at once. */
  at({ secure, host }: Pick<Asked, 'secure' | 'host'>): CookieState | Promise<CookieState> {
    if (secure || isLoopback(host)) return 'secure'
    return whenReady(this.#insecureAllowed(), (allowed) => (allowed ? 'insecure' : 'refused'))
  }
}

export const sessionCookieName = (state: CookieState): string => sessionCookie(state !== 'insecure')
