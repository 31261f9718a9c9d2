import { bearerToken } from '../auth/identify.ts'
import type { Claims } from '../claims/claims.ts'
import type { Asserted } from '../keys/assertions.ts'
import { impersonated, type LiveSession, type Sessions } from '../sessions/sessions.ts'
import type { Asked } from './asked.ts'
import { sessionCookieName, type CookiePolicy } from './cookie_policy.ts'
import { readCookie } from './cookies.ts'

/** Who is asking, by the credentials that count on a route. */
export interface Visitor {
  readonly session: LiveSession | undefined
  readonly proof: 'none' | 'cookie' | 'token'
  /** True when the Authorization header holds a living token of ours: no upstream may have it, whether it counts here or not. */
  readonly ownToken: boolean
  /** The name of our cookie, when it was sent and is worth nothing any more. */
  readonly staleCookie: string | undefined
}

/** The identity of a forwarded request. */
export type Person = Asserted

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

  async identify(asked: Asked, credentials: readonly ('session' | 'token')[]): Promise<Visitor> {
    const bearer = this.#bearer(asked)
    const owner = bearer instanceof Promise ? await bearer : bearer
    if (owner && credentials.includes('token')) {
      return { session: owner, proof: 'token', ownToken: true, staleCookie: undefined }
    }
    const guest: Visitor = {
      session: undefined,
      proof: 'none',
      ownToken: owner !== undefined,
      staleCookie: undefined,
    }
    if (!credentials.includes('session')) return guest
    const policy = this.#cookies.at(asked)
    const state = policy instanceof Promise ? await policy : policy
    if (state === 'refused') return guest
    const name = sessionCookieName(state)
    const token = readCookie(asked.cookies, name)
    if (token === undefined) return guest
    const found = this.#sessions.find(token, 'cookie')
    const session = found instanceof Promise ? await found : found
    return session ? { ...guest, session, proof: 'cookie' } : { ...guest, staleCookie: name }
  }

  #bearer({ authorizations }: Asked) {
    if (authorizations.length !== 1) return undefined
    const token = bearerToken(authorizations[0]!)
    return token === undefined ? undefined : this.#sessions.find(token, 'token')
  }

  /** Whom a service sees: the session's user, or whom that administrator acts as. Undefined if the user has just gone. */
  async person(session: LiveSession, service: string | null): Promise<Person | undefined> {
    const { id, user_id, username, context, email } = session
    const held = await this.#held(user_id, service, context)
    if (!held) return undefined
    const acted = impersonated(session, held)
    const theirs = acted && (await this.#held(acted.user_id, service, acted.context))
    if (!theirs) return { session_id: id, username, context, email, claims: held, impersonator: undefined }
    return {
      session_id: id,
      username: acted.username,
      context: acted.context,
      email: acted.email,
      claims: theirs,
      impersonator: username,
    }
  }

  #held(userId: string, service: string | null, context: number) {
    return this.#claims.of(userId, { service: service ?? '', context })
  }

  claimsText(claims: readonly string[]): string {
    let text = this.#texts.get(claims)
    if (text === undefined) this.#texts.set(claims, (text = claims.join(',')))
    return text
  }
}
