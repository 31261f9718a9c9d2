import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { valuesOf } from '../wire/header_list.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'
import { formCookie, readCookie, setCookie } from '../wire/cookies.ts'

const lifetimeSeconds = 3600

/**
 * Ensures that only our own pages post our forms. The browser must say so (Sec-Fetch-Site, Origin), and the form must carry a token
 * that belongs to a cookie of this browser. Both apply to the sign-in form too, where a forged post would sign the victim in as
 * somebody else.
 */
export class FormGuard {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  /** Returns the token for a form on this page, and a Set-Cookie header if the browser has no form cookie yet. */
  issue(asked: EdgeRequest, secureCookies: boolean): { token: string; setCookie: string | undefined } {
    const name = formCookie(secureCookies)
    const known = readCookie(asked.cookies, name)
    if (known !== undefined && /^[A-Za-z0-9_-]{22}$/.test(known))
      return { token: this.#token(known, asked), setCookie: undefined }
    const value = randomBytes(16).toString('base64url')
    return { token: this.#token(value, asked), setCookie: setCookie(name, value, lifetimeSeconds) }
  }

  /** Whether a post came from one of our forms in the same browser. */
  verify(
    request: IncomingMessage,
    asked: EdgeRequest,
    secureCookies: boolean,
    token: string | null,
  ): boolean {
    if (!this.sameOrigin(request, asked)) return false
    const value = readCookie(asked.cookies, formCookie(secureCookies))
    if (value === undefined || token === null) return false
    const wanted = Buffer.from(this.#token(value, asked))
    const given = Buffer.from(token)
    return wanted.length === given.length && timingSafeEqual(wanted, given)
  }

  /** Whether the browser reports the same origin. Our own no-referrer pages send `Origin: null` too, so that decides nothing. */
  sameOrigin(request: IncomingMessage, asked: EdgeRequest): boolean {
    const sites = valuesOf(request.rawHeaders, 'sec-fetch-site')
    const origins = valuesOf(request.rawHeaders, 'origin')
    return (
      sites.every((site) => site === 'same-origin') &&
      origins.every((origin) => origin === 'null' || origin === originOf(asked))
    )
  }

  #token(cookie: string, asked: EdgeRequest): string {
    return createHmac('sha256', this.#key).update(`${asked.host}\n${cookie}`).digest('base64url')
  }
}
