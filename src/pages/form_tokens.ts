import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { valuesOf } from '../wire/header_list.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'
import { formCookie, readCookie, setCookie } from '../wire/cookies.ts'

const lifetime = 3600

/**
 * Forms of ours are posted by pages of ours: the browser says so (Sec-Fetch-Site, Origin), and a token in the form
 * belongs to a cookie that only this browser has. Both are asked, also of the sign-in form, where a forged post would
 * sign the victim in as somebody else.
 */
export class FormGuard {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  /** The token for a form on this page, and the Set-Cookie it belongs to if the browser has none yet. */
  issue(asked: EdgeRequest, secureCookies: boolean): { token: string; setCookie: string | undefined } {
    const name = formCookie(secureCookies)
    const known = readCookie(asked.cookies, name)
    if (known !== undefined && /^[A-Za-z0-9_-]{22}$/.test(known))
      return { token: this.#token(known, asked), setCookie: undefined }
    const value = randomBytes(16).toString('base64url')
    return { token: this.#token(value, asked), setCookie: setCookie(name, value, lifetime) }
  }

  /** Whether a post came from a form of ours in this very browser. */
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

  /** What the browser itself tells. `Origin: null` comes with our own no-referrer pages too and decides nothing. */
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
