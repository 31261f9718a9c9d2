import type { Caller } from '../contract/caller.ts'
import type { Claims } from '../claims/claims.ts'
import { AppError } from '../contract/errors.ts'
import { impersonated, type LiveSession } from '../sessions/live_session.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Subject } from '../storage/schema.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { Bearer, Bearers } from './bearer_tokens.ts'

/** What callers and their claims are made from. */
const subjects = [
  'sessions',
  'users',
  'groups',
  'settings',
  'tokens',
  'clients',
  'services',
  'keys',
] as const satisfies readonly Subject[]

type From = Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'language' | 'gone' | 'away'>

/** `Authorization: Bearer <token>` (RFC 6750 section 2.1: one space or more), or undefined for anything else. */
export const bearerToken = (authorization: string): string | undefined =>
  /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]

/** What a call is authorized by: its header or the member of its message. Throws unauthenticated where they name two callers. */
export const authorizationOf = (
  headers: readonly string[],
  member: string | undefined,
): string | undefined => {
  if (headers.length > 1) throw new AppError('unauthenticated', 'There is more than one Authorization header')
  const [header] = headers
  if (member !== undefined && header !== undefined && member !== header)
    throw new AppError('unauthenticated', 'The header and the message name different callers')
  return header ?? member
}

/** Turns what a caller presents into who the caller is. */
export class Identification {
  readonly #database: Database
  readonly #sessions: LiveSessions
  readonly #claims: Claims
  readonly #bearers: Bearers
  readonly #issuer: string

  constructor(database: Database, sessions: LiveSessions, claims: Claims, bearers: Bearers, issuer: string) {
    this.#database = database
    this.#sessions = sessions
    this.#claims = claims
    this.#bearers = bearers
    this.#issuer = issuer
  }

  /** Who is behind an Authorization header; throws unauthenticated for anything that is no living token for us. */
  async bearer(authorization: string, from: From): Promise<Caller> {
    const token = bearerToken(authorization)
    const caller = token === undefined ? undefined : await this.#find(() => this.#ofToken(token, from))
    if (!caller) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return caller
  }

  /** The person of our cookie at a host, or undefined. */
  async cookie(token: string, host: string, from: From): Promise<Caller | undefined> {
    return this.#find(async () => this.#ofSession(await this.#sessions.findCookie(token, host), from))
  }

  async #ofToken(token: string, from: From): Promise<Caller | undefined> {
    const caller = await this.#ofSession(await this.#sessions.find(token), from)
    if (caller) return caller
    const bearer = await this.#bearers.find(token, (audience) => audience === this.#issuer)
    return bearer && this.#ofBearer(bearer, from)
  }

  async #ofBearer({ person, program, scope, token_id }: Bearer, from: From): Promise<Caller | undefined> {
    const token = { id: token_id, scope }
    if (program) {
      const { kind, name, claims } = program
      return { ...from, kind, name, claims: new Set(claimsWithin(claims, scope)), token }
    }
    const { user_id, username: name } = person!
    const held = await this.#claims.of(user_id)
    return held && { ...from, kind: 'user', name, claims: new Set(claimsWithin(held, scope)), user_id, token }
  }

  async #ofSession(session: LiveSession | undefined, from: From): Promise<Caller | undefined> {
    const claims = session && (await this.#claims.of(session.user_id))
    return claims && callerOf(session!, claims, from)
  }

  async #find(find: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
    // Noted before anything is read: what changes from here on makes the caller be looked at anew.
    const { revisions, writing } = this.#database
    // Inside a transaction everything is read from it alone: another connection might have to wait for this one.
    if (!writing) await revisions.refresh()
    const noted = subjects.map((subject) => revisions.of(subject))
    const caller = await find()
    if (!caller) return undefined
    const again = async () => {
      if (await this.#stand(noted)) return caller
      const present = await this.#find(find)
      if (!present)
        throw new AppError('unauthenticated', 'The session or token has ended meanwhile', {
          reason: 'session_ended',
        })
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
