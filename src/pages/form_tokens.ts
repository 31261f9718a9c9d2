import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { digest } from '../secrets/digest.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import { valuesOf } from '../wire/header_list.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'
import { formCookie, readCookie, setCookie } from '../wire/cookies.ts'

const lifetimeSeconds = 3600

/** The session that a page was made for, and its person; both are empty for a guest. */
export interface MadeFor {
  readonly session: string
  readonly user: string
}

/** What a form proves: for whom it was made, and which browser sends it, as a digest of its form cookie. */
export type ProvenForm = MadeFor & { readonly browser: string }

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
  issue(
    asked: EdgeRequest,
    secureCookies: boolean,
    person: Pick<LiveSession, 'id' | 'username'> | undefined,
  ): { token: string; setCookie: string | undefined } {
    const name = formCookie(secureCookies)
    const shown = readCookie(asked.cookies, name)
    const madeFor = person ? `${person.id} ${person.username}` : ''
    if (shown !== undefined && /^[A-Za-z0-9_-]{22}$/.test(shown))
      return { token: this.#token(shown, asked, madeFor), setCookie: undefined }
    const value = randomBytes(16).toString('base64url')
    return { token: this.#token(value, asked, madeFor), setCookie: setCookie(name, value, lifetimeSeconds) }
  }

  /** Returns for whom a form was made that came from one of our pages in the same browser; undefined for any other post. */
  verify(
    request: IncomingMessage,
    asked: EdgeRequest,
    secureCookies: boolean,
    token: string | null,
  ): ProvenForm | undefined {
    if (!this.sameOrigin(request, asked)) return undefined
    const value = readCookie(asked.cookies, formCookie(secureCookies))
    if (value === undefined || token === null) return undefined
    const dot = token.indexOf('.')
    const madeFor = dot < 0 ? '' : Buffer.from(token.slice(dot + 1), 'base64url').toString()
    const wanted = Buffer.from(this.#token(value, asked, madeFor))
    const given = Buffer.from(token)
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined
    const [session = '', user = ''] = madeFor.split(' ')
    return { session, user, browser: digest(value) }
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

  /** Whether the browser says that one of our pages sent this. Without such a word, nothing is known about it. */
  surelySameOrigin(request: IncomingMessage, asked: EdgeRequest): boolean {
    if (!this.sameOrigin(request, asked)) return false
    if (valuesOf(request.rawHeaders, 'sec-fetch-site').length > 0) return true
    const origins = valuesOf(request.rawHeaders, 'origin')
    return origins.length > 0 && origins.every((origin) => origin === originOf(asked))
  }

  /** The token says for whom its page was made, and proves it. */
  #token(cookie: string, asked: EdgeRequest, madeFor: string): string {
    const proof = createHmac('sha256', this.#key)
      .update(`${asked.host}\n${cookie}\n${madeFor}`)
      .digest('base64url')
    return madeFor === '' ? proof : `${proof}.${Buffer.from(madeFor).toString('base64url')}`
  }
}
