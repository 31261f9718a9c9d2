import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PersonSwitch } from '../auth/person_switch.ts'
import type { SessionMarks } from '../identity/session_marks.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import { guest, type Caller } from '../contract/caller.ts'
import { isNavigation, journeyOf, ownHeaders, policyWithScript, redirect, send } from '../wire/responses.ts'
import type { Refusal } from '../wire/refusal.ts'
import { pageHeaders } from '../html/show_refusal.ts'
import type { Catalogue } from '../strings/catalogue.ts'
import { inZone } from '../strings/formats.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { sessionCookieName } from '../wire/cookie_policy.ts'
import { flowIdsIn, readCookie, setCookie, zoneCookie } from '../wire/cookies.ts'
import { clientOf } from './client_of.ts'
import { cookieOf, type CookieName, type Keepsake } from './keepsake.ts'
import { readForm } from './form_body.ts'
import { claimedFor, misuse, type FormRules } from './late_form.ts'
import { foreignForm, needsHttps, notAForm, notTrusted } from './page_refusals.ts'
import type { PageRequestParts, PersonFacts } from './page_request_parts.ts'
import { resendPage } from './resend_view.ts'
import type { Offers } from './sign_in/sign_in_view.ts'

/** One request to a page of ours: who sent it, what its form says, and the ways to answer it. */
export class PageRequest {
  readonly #parts: PageRequestParts
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly asked: EdgeRequest
  readonly links: PageRequestParts['links']
  readonly switching: PersonSwitch
  readonly marks: SessionMarks
  /** Known once `form` has returned one. */
  #browser: string | undefined

  constructor(
    parts: PageRequestParts,
    request: IncomingMessage,
    response: ServerResponse,
    asked: EdgeRequest,
  ) {
    this.#parts = parts
    this.#request = request
    this.#response = response
    this.asked = asked
    this.links = parts.links
    this.switching = parts.switching
    this.marks = parts.marks
  }

  get query(): URLSearchParams {
    return new URL(this.asked.target, 'http://door.invalid').searchParams
  }

  get navigates(): boolean {
    return isNavigation(this.#request)
  }

  call(method: string, params: Record<string, unknown>, caller: Caller): Promise<unknown> {
    return this.#parts.call(method, params, caller)
  }

  guest(): Caller {
    return guest(this.#from())
  }

  /** Whether a browser shows the answer in a tab of its own, in a frame, or not to a person at all. */
  get journey(): 'page' | 'frame' | 'other' {
    return journeyOf(this.#request)
  }

  get landing(): string {
    return this.#parts.landing()
  }

  offers(): Promise<Offers> {
    return this.#parts.offers()
  }

  /** Returns the person whom our cookie signs in here. */
  caller(): Promise<Caller | undefined> {
    return this.#parts.callers.ofCookie(this.asked, this.#from())
  }

  /** Returns the session that our cookie has here: a sign-in at home, a child session elsewhere. */
  async session(): Promise<LiveSession | undefined> {
    const session = await this.shownSession()
    return typeof session === 'object' ? session : undefined
  }

  /** The same, or the name of our cookie if it is no longer valid. */
  async shownSession(): Promise<LiveSession | string | undefined> {
    return this.#parts.identification.byCookie(this.asked)
  }

  /** Returns a guest whose network belongs to a person; undefined for any other guest. */
  async near(): Promise<Caller | undefined> {
    const caller = await this.#parts.callers.guest(this.asked, this.#from())
    return caller.networkUser && caller
  }

  /** What pages need to know of people besides who they are. */
  get people(): PersonFacts {
    return this.#parts
  }

  /** Keeps the time zone that the script of the sign-in page read, for a person who has none. */
  async noteZone(username: string): Promise<void> {
    const zone = (await this.keepsakes())(zoneCookie)
    if (zone !== undefined) await this.#parts.noteZone(username, zone)
  }

  /** Returns the strings in the language of the reader. */
  words(): Catalogue | Promise<Catalogue> {
    return this.#parts.wordsFor(this.#request.rawHeaders)
  }

  /** Returns the fields of a form of ours, or answers with what is wrong. A form older than its cookie comes back to be sent again. */
  async form(rules: FormRules = {}): Promise<URLSearchParams | undefined> {
    const state = await this.#parts.cookies.at(this.asked)
    if (state === 'refused') return void this.tell(this.#needsHttps())
    const form = await readForm(this.#request, this.#response, rules.upload === true)
    if (form === 'not_a_form') return void this.tell(notAForm)
    if (form === undefined) return undefined
    const { forms } = this.#parts
    const token = form.get('form_token')
    const proven = forms.verify(this.#request, this.asked, state === 'secure', token)
    const madeFor =
      proven ?? (forms.surelySameOrigin(this.#request, this.asked) ? claimedFor(token) : undefined)
    if (madeFor === undefined) return void this.tell(foreignForm)
    // Somebody else may have signed in since in another tab, and must not act by a page that was made for the first.
    const refusal = misuse(madeFor, await this.session(), form, rules)
    if (refusal) return void this.tell(refusal)
    this.#browser = proven?.browser
    if (proven) return form
    const { host: place, target: action } = this.asked
    const resend = () => this.page(403, (token, words) => resendPage(words, { place, token, action, form }))
    await (rules.again?.(form) ?? resend())
    return undefined
  }

  /** Answers with a page; `body` receives the token for its forms. */
  async page(
    status: number,
    body: (token: string, words: Catalogue) => string,
    headers: Record<string, string> = {},
    kept: readonly Keepsake[] = [],
  ): Promise<void> {
    const state = await this.#parts.cookies.at(this.asked)
    if (state === 'refused') return this.tell(this.#needsHttps())
    const words = await this.words()
    const known = await this.session()
    const { token, setCookie } = this.#parts.forms.issue(this.asked, state === 'secure', known)
    const cookies = [
      ...(setCookie === undefined ? [] : [setCookie]),
      ...kept.map((keepsake) => cookieOf(state, keepsake)),
    ]
    const allHeaders = {
      ...pageHeaders(this.asked, words),
      ...headers,
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    }
    const zone = known && (await this.#parts.zoneOf(known.user_id))
    const text = inZone(zone, () => body(token, words))
    send(this.#response, status, 'text/html; charset=utf-8', text, allHeaders)
  }

  /** Answers with a page that may run our own scripts. */
  pageWithScript(
    status: number,
    body: (token: string, words: Catalogue) => string,
    headers: Record<string, string> = {},
    kept: readonly Keepsake[] = [],
  ): Promise<void> {
    return this.page(status, body, { ...headers, 'content-security-policy': policyWithScript }, kept)
  }

  /** Answers with content that has no form, and with no cookie of its own. */
  answer(status: number, type: string, body: string, headers: Parameters<typeof send>[4] = {}): void {
    send(this.#response, status, type, body, { ...ownHeaders(this.asked), ...headers })
  }

  json(value: unknown): void {
    this.answer(200, 'application/json', JSON.stringify(value))
  }

  tell(refusal: Refusal): void {
    this.#parts.tell(this.#request, this.#response, this.asked, refusal)
  }

  /** Answers with a notice, and gives the browser something to keep. */
  async tellKeeping(refusal: Refusal, ...kept: readonly Keepsake[]): Promise<void> {
    const state = await this.#parts.cookies.at(this.asked)
    if (state === 'refused' || kept.length === 0) return this.tell(refusal)
    const cookies = kept.map((keepsake) => cookieOf(state, keepsake))
    this.tell({ ...refusal, headers: { ...refusal.headers, 'set-cookie': cookies } })
  }

  go(status: 302 | 303, location: string): void {
    redirect(this.#response, this.asked, status, location)
  }

  /** Redirects with a new value of our session cookie, kept for `maxAge` seconds. An empty value removes the cookie. */
  async goWithSession(
    location: string,
    value: string,
    maxAge: number | undefined,
    more: readonly Keepsake[] = [],
  ): Promise<void> {
    const state = await this.#parts.cookies.at(this.asked)
    const session = setCookie(sessionCookieName(state), value, maxAge)
    const others = more.map((keepsake) => cookieOf(state, keepsake))
    redirect(this.#response, this.asked, 303, location, [session, ...others])
  }

  /** Redirects, and gives the browser something to keep. */
  async goKeeping(status: 302 | 303, location: string, ...kept: readonly Keepsake[]): Promise<void> {
    const state = await this.#parts.cookies.at(this.asked)
    if (state === 'refused') return this.tell(this.#needsHttps())
    const cookies = kept.map((keepsake) => cookieOf(state, keepsake))
    redirect(this.#response, this.asked, status, location, cookies)
  }

  /** Returns a reader for what this browser keeps for us. Where we refuse cookies, it finds nothing. */
  async keepsakes(): Promise<(name: CookieName) => string | undefined> {
    const state = await this.#parts.cookies.at(this.asked)
    return (name) =>
      state === 'refused' ? undefined : readCookie(this.asked.cookies, name(state === 'secure'))
  }

  /** Returns the ids of the sign-ins at providers that this browser has begun, the oldest first. */
  async flowIds(): Promise<readonly string[]> {
    const state = await this.#parts.cookies.at(this.asked)
    return flowIdsIn(this.asked.cookies, state === 'secure')
  }

  #needsHttps(): Refusal {
    return this.#parts.behindUntrusted(this.#request) ? notTrusted : needsHttps
  }

  #from() {
    const client = clientOf(this.#request, this.asked, this.#parts)
    return { via: 'browser', browser: this.#browser, ...client } as const
  }
}
