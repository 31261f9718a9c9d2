import type { Caller } from '../caller.ts'
import type { Claims } from '../claims/claims.ts'
import { AppError } from '../errors.ts'
import { impersonated, type LiveSession } from '../sessions/live_session.ts'
import type { Sessions } from '../sessions/sessions.ts'

type From = Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'gone'>

/** `Authorization: Bearer <token>` (RFC 6750 section 2.1), or undefined for anything else. */
export const bearerToken = (authorization: string): string | undefined =>
  /^bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]

/** Turns what a caller presents into who the caller is. */
export class Identification {
  readonly #sessions: Sessions
  readonly #claims: Claims

  constructor(sessions: Sessions, claims: Claims) {
    this.#sessions = sessions
    this.#claims = claims
  }

  /** The person of an Authorization header; throws unauthenticated for anything that is no living token of ours. */
  async bearer(authorization: string, from: From): Promise<Caller> {
    const token = bearerToken(authorization)
    const session = token === undefined ? undefined : await this.#sessions.find(token, 'token')
    if (!session) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return this.#caller(session, from)
  }

  /** The person of our cookie, or undefined. */
  async cookie(token: string, from: From): Promise<Caller | undefined> {
    const session = await this.#sessions.find(token, 'cookie')
    return session && this.#caller(session, from)
  }

  async #caller(session: LiveSession, from: From): Promise<Caller> {
    const claims = await this.#claims.of(session.user_id)
    if (!claims) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return {
      ...from,
      kind: 'user',
      name: session.username,
      claims: new Set(claims),
      user_id: session.user_id,
      session_id: session.id,
      provider: session.provider,
      on_behalf: impersonated(session, claims)?.username,
    }
  }
}
