import { sql, type SqlBool } from 'kysely'
import type { Reactions, RevocationReason } from '../contract/reactions.ts'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { PageParams } from '../storage/pager.ts'
import { bit, type SessionRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { ChildSessions } from './child_sessions.ts'
import { RefreshTokens } from './refresh_tokens.ts'
import { SessionEndings } from './session_endings.ts'
import { isAlive, listSessions, ownerOf } from './session_list.ts'
import { SessionLimits, type LimitSetting } from './session_limits.ts'
import { SessionProofs } from './session_proofs.ts'
import { SessionRenewals } from './session_renewals.ts'
import { newToken } from './session_token.ts'
import { chosenVouchings, Vouchings, type WhichVouchings } from './vouchings.ts'
import { provenBy, type OpenedSession, type SessionOrigin } from './opened_session.ts'

type SessionReactions = Pick<Reactions, 'sessionsEnding' | 'allSessionsEnding'>

/** Opens, renews, lists and ends sessions. The token is returned once; we store only its SHA-256. */
export class Sessions {
  readonly #database: Database
  readonly #refreshTokens: RefreshTokens
  readonly #reactions: SessionReactions
  readonly #endings: SessionEndings
  readonly #home: string
  /** The sessions that sign-ins have at the hosts of services. */
  readonly children: ChildSessions
  readonly vouchings: Vouchings
  readonly proofs: SessionProofs
  readonly renewals: SessionRenewals
  readonly limits: SessionLimits

  /** `setting` reads a setting. `home` is the host where people sign in. */
  constructor(
    database: Database,
    setting: (name: LimitSetting | 'refresh_lifetime') => Promise<number>,
    reactions: SessionReactions,
    home: string,
  ) {
    this.#database = database
    this.#reactions = reactions
    this.#endings = new SessionEndings(database, reactions)
    this.#home = home
    this.limits = new SessionLimits(setting)
    this.#refreshTokens = new RefreshTokens(database, setting)
    this.children = new ChildSessions(database)
    this.vouchings = new Vouchings(database)
    this.proofs = new SessionProofs(database)
    this.renewals = new SessionRenewals(database, this.limits, this.vouchings)
  }

  /**
   * Opens a session: the only way to sign a user in, with any method. The caller has verified the proof. `lifetime` is in
   * seconds; by the settings if not given.
   */
  async open(userId: string, origin: SessionOrigin, lifetime?: number): Promise<OpenedSession> {
    const token = newToken()
    const remembered = await this.limits.keeps(origin)
    const expires_in = lifetime ?? (await this.limits.lifetime(remembered))
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
      remembered: bit(remembered),
      home: this.#home,
    }
    return this.#database.write(async () => {
      await this.#database.query.insertInto('sessions').values(row).execute()
      if (origin.vouching) await this.vouchings.add(row.id, origin.vouching)
      const opened = { token, id: row.id, expires_in, remembered }
      if (origin.kind === 'cookie') return opened
      return { ...opened, refresh_token: await this.#refreshTokens.issue(row) }
    })
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
    const expires_in = await this.limits.lifetime(false)
    await this.#database.query
      .updateTable('sessions')
      .set({ token_hash: digest(access), expires_at: at + expires_in, last_used_at: at })
      .where('id', '=', session.id)
      .execute()
    this.#database.changed('sessions')
    return { token: access, id: session.id, expires_in, remembered: false, refresh_token }
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
    for (const remembered of [false, true]) {
      const unused = at - (await this.limits.idle(remembered))
      const idle = sql<SqlBool>`sessions.remembered = ${bit(remembered)}
        and sessions.last_used_at <= ${unused} and sessions.expires_at > ${at}`
      await this.#endings.inBatches(idle, 'idle')
    }
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
