import type { Caller } from '../caller.ts'
import type { Claims } from '../claims/claims.ts'
import { AppError } from '../errors.ts'
import { impersonated, type LiveSession } from '../sessions/live_session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Subject } from '../storage/schema.ts'

/** What a person's session and claims are made from. */
const subjects = ['sessions', 'users', 'groups', 'settings'] as const satisfies readonly Subject[]

type From = Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'gone' | 'away'>

/** `Authorization: Bearer <token>` (RFC 6750 section 2.1), or undefined for anything else. */
export const bearerToken = (authorization: string): string | undefined =>
  /^bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]

/** Turns what a caller presents into who the caller is. */
export class Identification {
  readonly #database: Database
  readonly #sessions: Sessions
  readonly #claims: Claims

  constructor(database: Database, sessions: Sessions, claims: Claims) {
    this.#database = database
    this.#sessions = sessions
    this.#claims = claims
  }

  /** The person of an Authorization header; throws unauthenticated for anything that is no living token of ours. */
  async bearer(authorization: string, from: From): Promise<Caller> {
    const token = bearerToken(authorization)
    const caller = token === undefined ? undefined : await this.#find(token, 'token', from)
    if (!caller) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return caller
  }

  /** The person of our cookie, or undefined. */
  async cookie(token: string, from: From): Promise<Caller | undefined> {
    return this.#find(token, 'cookie', from)
  }

  async #find(token: string, kind: LiveSession['kind'], from: From): Promise<Caller | undefined> {
    // Noted before anything is read: what changes from here on makes the caller be looked at anew.
    const { revisions, writing } = this.#database
    // Inside a transaction everything is read from it alone: another connection might have to wait for this one.
    if (!writing) await revisions.refresh()
    const noted = subjects.map((subject) => revisions.of(subject))
    const session = await this.#sessions.find(token, kind)
    const claims = session && (await this.#claims.of(session.user_id))
    if (!claims) return undefined
    const caller = callerOf(session, claims, from)
    const again = async () => {
      if (await this.#stand(noted)) return caller
      const present = await this.#find(token, kind, from)
      if (!present) throw new AppError('unauthenticated', 'The session has ended meanwhile')
      return present
    }
    return { ...caller, again }
  }

  /** Whether nothing has changed since the revisions were noted. */
  async #stand(noted: readonly number[]): Promise<boolean> {
    const rows = await this.#database.query
      .selectFrom('revisions')
      .selectAll()
      .where('subject', 'in', [...subjects])
      .execute()
    return subjects.every((name, i) =>
      rows.some(({ subject, value }) => subject === name && value === noted[i]),
    )
  }
}

const callerOf = (session: LiveSession, claims: readonly string[], from: From): Caller => ({
  ...from,
  kind: 'user',
  name: session.username,
  claims: new Set(claims),
  user_id: session.user_id,
  session_id: session.id,
  provider: session.provider,
  proven_at: session.proven_at,
  on_behalf: impersonated(session, claims)?.username,
})
