import { sql, type SqlBool } from 'kysely'
import type { Reactions, RevocationReason } from '../contract/reactions.ts'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { PageParams } from '../storage/pager.ts'
import type { SessionRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { ChildSessions } from './child_sessions.ts'
import { RefreshTokens } from './refresh_tokens.ts'
import { SessionEndings } from './session_endings.ts'
import { isAlive, listSessions, ownerOf } from './session_list.ts'
import { SessionProofs } from './session_proofs.ts'
import { newToken } from './session_token.ts'
import { chosenVouchings, Vouchings, type WhichVouchings } from './vouchings.ts'
import { joinedBy, provenBy, type OpenedSession, type SessionOrigin } from './opened_session.ts'

type Limit = 'session_lifetime' | 'session_idle' | 'refresh_lifetime'
type SessionReactions = Pick<Reactions, 'sessionsEnding' | 'allSessionsEnding'>

/** Opens, renews, lists and ends sessions. The token is returned once; we store only its SHA-256. */
export class Sessions {
  readonly #database: Database
  readonly #limit: (name: Limit) => Promise<number>
  readonly #refreshTokens: RefreshTokens
  readonly #reactions: SessionReactions
  readonly #endings: SessionEndings
  readonly #home: string
  /** The sessions that sign-ins have at the hosts of services. */
  readonly children: ChildSessions
  readonly vouchings: Vouchings
  readonly proofs: SessionProofs

  /** `limit` reads a setting, in seconds. `home` is the host where people sign in. */
  constructor(
    database: Database,
    limit: (name: Limit) => Promise<number>,
    reactions: SessionReactions,
    home: string,
  ) {
    this.#database = database
    this.#reactions = reactions
    this.#endings = new SessionEndings(database, reactions)
    this.#home = home
    this.#limit = limit
    this.#refreshTokens = new RefreshTokens(database, limit)
    this.children = new ChildSessions(database)
    this.vouchings = new Vouchings(database)
    this.proofs = new SessionProofs(database)
  }

  /**
   * Opens a session: the only way to sign a user in, with any method. The caller has verified the proof. `lifetime` is in
   * seconds; the setting `session_lifetime` if not given.
   */
  async open(userId: string, origin: SessionOrigin, lifetime?: number): Promise<OpenedSession> {
    const token = newToken()
    const expires_in = lifetime ?? (await this.#limit('session_lifetime'))
    const at = now()
    const row: SessionRow = {
      id: newId(),
      user_id: userId,
      token_hash: digest(token),
      kind: origin.kind,
      ...provenBy(origin, at),
      proofs: 1,
      created_at: at,
      expires_at: at + expires_in,
      last_used_at: at,
      impersonated_user_id: null,
      impersonating_until: null,
      impersonated_services: '[]',
      home: this.#home,
    }
    return this.#database.write(async () => {
      await this.#database.query.insertInto('sessions').values(row).execute()
      if (origin.vouching) await this.vouchings.add(row.id, origin.vouching)
      const opened = { token, id: row.id, expires_in }
      if (origin.kind === 'cookie') return opened
      return { ...opened, refresh_token: await this.#refreshTokens.issue(row) }
    })
  }

  /**
   * Gives a sign-in a new cookie, because the same person has just signed in again in the same browser. Its children stay.
   * Undefined if it has ended. Inside a transaction.
   */
  async signInAgain(id: string, userId: string, origin: SessionOrigin): Promise<OpenedSession | undefined> {
    const token = newToken()
    const expires_in = await this.#limit('session_lifetime')
    const at = now()
    const { numUpdatedRows } = await this.#database.query
      .updateTable('sessions')
      .set({
        ...(origin.vouching && origin.factor === ''
          ? joinedBy(origin, at)
          : { ...provenBy(origin, at), proofs: sql<number>`proofs + 1` }),
        token_hash: digest(token),
        expires_at: at + expires_in,
        last_used_at: at,
        impersonated_user_id: null,
        impersonating_until: null,
      })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where('kind', '=', 'cookie')
      .where('expires_at', '>', at)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return undefined
    if (origin.vouching) await this.vouchings.add(id, origin.vouching)
    this.#database.changed('sessions')
    return { token, id, expires_in }
  }

  /** Gives a sign-in that was opened for minutes its full lifetime. Undefined if it has ended. Inside a transaction. */
  async keepOpened(token: string): Promise<OpenedSession | undefined> {
    const expires_in = await this.#limit('session_lifetime')
    const row = await this.#database.query
      .updateTable('sessions')
      .set({ expires_at: now() + expires_in })
      .where('token_hash', '=', digest(token))
      .where('kind', '=', 'cookie')
      .where('expires_at', '>', now())
      .returning('id')
      .executeTakeFirst()
    if (row) this.#database.changed('sessions')
    return row && { token, id: row.id, expires_in }
  }

  /** Returns what a refresh token renews and whether it was used before; undefined for an invalid one. */
  readRefresh(token: string) {
    return this.#refreshTokens.read(token)
  }

  /**
   * Renews a session; its previous tokens become invalid. Undefined if another call was first. Inside a transaction.
   */
  async refresh(token: string): Promise<OpenedSession | undefined> {
    const session = await this.#refreshTokens.use(token)
    if (!session) return undefined
    const at = now()
    const access = newToken()
    const refresh_token = await this.#refreshTokens.issue(session)
    const expires_in = await this.#limit('session_lifetime')
    await this.#database.query
      .updateTable('sessions')
      .set({ token_hash: digest(access), expires_at: at + expires_in, last_used_at: at })
      .where('id', '=', session.id)
      .execute()
    this.#database.changed('sessions')
    return { token: access, id: session.id, expires_in, refresh_token }
  }

  list(filter: PageParams & { user: string }, current: string | undefined) {
    return listSessions(this.#database, this.children, filter, current)
  }

  /** Returns the user of a session. Throws not_found. */
  owner(id: string): Promise<{ id: string; username: string }> {
    return ownerOf(this.#database, id)
  }

  /** Lets a session impersonate another user until a time, or stops impersonating. No `services` means all of them. */
  async impersonate(
    id: string,
    userId: string | null,
    until: number | null,
    services: readonly string[] = [],
  ): Promise<void> {
    await this.#database.write(async () => {
      await this.#database.query
        .updateTable('sessions')
        .set({
          impersonated_user_id: userId,
          impersonating_until: until,
          impersonated_services: JSON.stringify(services),
        })
        .where('id', '=', id)
        .execute()
      this.#database.changed('sessions')
    })
  }

  /** Ends a sign-in with its children, or one child alone. */
  async revoke(id: string, reason: RevocationReason): Promise<void> {
    const ended = await this.#endings.end(sql`sessions.id = ${id}`, reason)
    if (ended === 0) await this.children.revoke(id, reason)
  }

  /** Ends all sessions of a user except one, and returns how many ended. */
  async revokeAll(userId: string, reason: RevocationReason, except = ''): Promise<number> {
    return this.#database.write(async () => {
      const which = sql<SqlBool>`sessions.user_id = ${userId} and sessions.id != ${except}`
      const ended = await this.#endings.end(which, reason)
      // Last: it removes the list of applications that a session was used for, and each of them gets a notice of its end.
      await this.#reactions.allSessionsEnding(userId, reason)
      return ended
    })
  }

  /**
   * Ends the sign-ins that a provider opened, as far as it vouched for them with these values, and takes back its vouching where
   * another proof opened the sign-in. Returns how many ended or lost it.
   */
  async revokeVouchedBy(provider: string, which: WhichVouchings, reason: RevocationReason): Promise<number> {
    const chosen = chosenVouchings(provider, which)
    const opened = sql<SqlBool>`sessions.provider = ${provider} and sessions.id in (
      select vouchings.session_id from vouchings where ${chosen})`
    return this.#database.write(async () => {
      const ended = await this.#endings.end(opened, reason)
      return ended + (await this.vouchings.remove(provider, which))
    })
  }

  /** Ends the sign-ins that were opened at another host than home's. Called at the start. */
  endAtOtherHosts(): Promise<void> {
    return this.#endings.atOtherHosts(this.#home)
  }

  /** Deletes expired sessions and ends idle ones. Called on a timer. */
  async sweep(): Promise<void> {
    const at = now()
    const unused = at - (await this.#limit('session_idle'))
    const idle = sql<SqlBool>`sessions.last_used_at <= ${unused} and sessions.expires_at > ${at}`
    await this.#endings.inBatches(idle, 'idle')
    await this.#refreshTokens.sweep(at)
    await sweepRows(
      this.#database,
      'sessions',
      'id',
      sql`sessions.expires_at <= ${at} and not ${isAlive(at)}`,
      (query) => query.deleteFrom('sessions'),
    )
  }
}
