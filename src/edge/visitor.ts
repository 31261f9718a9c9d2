import type { IncomingMessage } from 'node:http'
import { bearerToken } from '../auth/identify.ts'
import type { Claims } from '../claims/claims.ts'
import type { LiveSession, Sessions } from '../sessions/sessions.ts'
import type { Asked } from './asked.ts'
import { sessionCookieName, type CookiePolicy } from './cookie_policy.ts'
import { readCookie } from './cookies.ts'

/** Who is asking, by the credentials that count on a route. */
export interface Visitor {
  readonly session: LiveSession | undefined
  readonly proof: 'none' | 'cookie' | 'token'
  /** The name of our cookie, when it was sent and is worth nothing any more. */
  readonly staleCookie: string | undefined
}

const nobody: Visitor = { session: undefined, proof: 'none', staleCookie: undefined }

/** Finds the session behind a request. Warm, everything here is answered from memory. */
export class Visitors {
  readonly #sessions: Sessions
  readonly #claims: Claims
  readonly #cookies: CookiePolicy
  /** The header text of a list of claims; lists are the same object until something changes. */
  readonly #texts = new WeakMap<readonly string[], string>()

  constructor(sessions: Sessions, claims: Claims, cookies: CookiePolicy) {
    this.#sessions = sessions
    this.#claims = claims
    this.#cookies = cookies
  }

  async identify(
    request: IncomingMessage,
    asked: Asked,
    credentials: readonly ('session' | 'token')[],
  ): Promise<Visitor> {
    if (credentials.includes('token')) {
      const header = onlyValue(request.rawHeaders, 'authorization')
      const token = header === undefined ? undefined : bearerToken(header)
      const found = token === undefined ? undefined : this.#sessions.find(token, 'token')
      const session = found instanceof Promise ? await found : found
      if (session) return { session, proof: 'token', staleCookie: undefined }
    }
    if (!credentials.includes('session')) return nobody
    const policy = this.#cookies.at(asked)
    const state = policy instanceof Promise ? await policy : policy
    if (state === 'refused') return nobody
    const name = sessionCookieName(state)
    const token = readCookie(allValues(request.rawHeaders, 'cookie'), name)
    if (token === undefined) return nobody
    const found = this.#sessions.find(token, 'cookie')
    const session = found instanceof Promise ? await found : found
    return session ? { session, proof: 'cookie', staleCookie: undefined } : { ...nobody, staleCookie: name }
  }

  /** The claims of a session for one service; undefined if its user has just gone. */
  async claims(
    { user_id, context }: LiveSession,
    service: string | null,
  ): Promise<readonly string[] | undefined> {
    const found = this.#claims.of(user_id, { service: service ?? '', context })
    return found instanceof Promise ? await found : found
  }

  claimsText(claims: readonly string[]): string {
    let text = this.#texts.get(claims)
    if (text === undefined) this.#texts.set(claims, (text = claims.join(',')))
    return text
  }
}

export const allValues = (rawHeaders: readonly string[], name: string): string[] => {
  const values: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const key = rawHeaders[i]!
    if (key.length === name.length && key.toLowerCase() === name) values.push(rawHeaders[i + 1]!)
  }
  return values
}

/** The value of a header that came exactly once; twice is as good as not at all. */
export const onlyValue = (rawHeaders: readonly string[], name: string): string | undefined => {
  const values = allValues(rawHeaders, name)
  return values.length === 1 ? values[0] : undefined
}
