import { hash, randomBytes } from 'node:crypto'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { notFound } from '../errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { SessionRow } from '../storage/schema.ts'
import type { LiveSession } from './live_session.ts'
import { recordRevocations } from './revocations.ts'
import type { RevocationReason, Session } from './session.ts'

export interface SessionOrigin {
  readonly kind: 'cookie' | 'token'
  /** How the person proved who they are: one of our own ways, or the name of a provider. */
  readonly provider: string
  readonly address: string
  readonly user_agent: string
}

const tokenLength = 43
const keep = 200_000

/** 256 bits in base64url; anything else is no token of ours and asks no database. */
const looksLikeToken = (token: string) => token.length === tokenLength && /^[A-Za-z0-9_-]+$/.test(token)

export const hashToken = (token: string): string => hash('sha256', token, 'hex')

/** Signed-in people. The token is given out once; we keep its SHA-256. */
export class Sessions {
  readonly #database: Database
  readonly #lifetime: () => Promise<number>
  readonly #live: Cached<Map<string, LiveSession>>

  constructor(database: Database, lifetime: () => Promise<number>) {
    this.#database = database
    this.#lifetime = lifetime
    this.#live = new Cached(database, ['sessions', 'users'], async () => new Map<string, LiveSession>())
  }

  /** Opens a session: the one way to be signed in, whatever the proof was. The caller has verified it. */
  async open(
    userId: string,
    origin: SessionOrigin,
  ): Promise<{ token: string; id: string; expires_in: number }> {
    const token = randomBytes(32).toString('base64url')
    const expires_in = await this.#lifetime()
    const at = now()
    const row: SessionRow = {
      id: newId(),
      user_id: userId,
      token_hash: hashToken(token),
      kind: origin.kind,
      provider: origin.provider,
      address: origin.address,
      user_agent: origin.user_agent.slice(0, 300),
      created_at: at,
      expires_at: at + expires_in,
      impersonated_user_id: null,
      impersonating_until: null,
    }
    await this.#database.write(() => this.#database.query.insertInto('sessions').values(row).execute())
    return { token, id: row.id, expires_in }
  }

  /** The session of a token, or undefined if there is none, it ended, or its user is inactive. Warm, it is synchronous. */
  find(token: string, kind: 'cookie' | 'token'): LiveSession | undefined | Promise<LiveSession | undefined> {
    if (!looksLikeToken(token)) return undefined
    const key = hashToken(token)
    const session = this.#live.warm()?.get(key)
    if (session) return session.kind === kind && session.expires_at > now() ? session : undefined
    return this.#load(key, kind)
  }

  /** Reads many at once, so that finding each of them afterwards takes no query of its own. */
  warmUp(ids: readonly string[]): Promise<LiveSession[]> {
    return this.#read('sessions.id', ids)
  }

  async #load(key: string, kind: 'cookie' | 'token'): Promise<LiveSession | undefined> {
    const [session] = await this.#read('sessions.token_hash', [key])
    return session?.kind === kind && session.expires_at > now() ? session : undefined
  }

  async #read(by: 'sessions.id' | 'sessions.token_hash', values: readonly string[]): Promise<LiveSession[]> {
    const live = await this.#live.get()
    const rows = await this.#database.query
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .leftJoin('users as other', (join) =>
        join.onRef('other.id', '=', 'sessions.impersonated_user_id').on('other.is_active', '=', 1),
      )
      .select([
        'sessions.id',
        'sessions.token_hash',
        'sessions.kind',
        'sessions.provider',
        'sessions.expires_at',
        'sessions.user_id',
        'sessions.impersonating_until',
        'users.username',
        'users.email',
        'users.email_verified_at',
        'users.context',
        'other.id as other_id',
        'other.username as other_username',
        'other.email as other_email',
        'other.email_verified_at as other_email_verified_at',
        'other.context as other_context',
        'other.is_admin as other_is_admin',
      ])
      .where(by, 'in', values)
      .where('users.is_active', '=', 1)
      .execute()
    return rows.map((row) => {
      const { other_id, other_username, other_email, other_email_verified_at, other_context, ...rest } = row
      const { other_is_admin, impersonating_until, token_hash, ...own } = rest
      const overlay = other_id !== null && {
        user_id: other_id,
        username: other_username!,
        email: other_email,
        email_verified_at: other_email_verified_at,
        context: other_context!,
        is_admin: other_is_admin === 1,
        until: impersonating_until ?? 0,
      }
      const session: LiveSession = { ...own, overlay: overlay || undefined }
      if (live.size >= keep) live.clear()
      live.set(token_hash, session)
      return session
    })
  }

  async list(
    filter: PageParams & { user: string },
  ): Promise<{ items: Session[]; next_cursor: string | null }> {
    const before = afterCursor(filter.cursor)
    const rows = await this.#database.query
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select([
        'sessions.id',
        'users.username as user',
        'sessions.kind',
        'sessions.provider',
        'sessions.address',
        'sessions.user_agent',
        'sessions.created_at',
        'sessions.expires_at',
      ])
      .where(sql`lower(users.username)`, '=', filter.user.toLowerCase())
      .where('sessions.expires_at', '>', now())
      .$if(before !== '', (query) => query.where('sessions.id', '<', before))
      .orderBy('sessions.id', 'desc')
      .limit(pageSize(filter.limit) + 1)
      .execute()
    return toPage(
      rows,
      filter,
      (row) => row.id,
      (row) => row,
    )
  }

  /** Whose session this is, by username, or not_found. */
  async owner(id: string): Promise<{ id: string; username: string }> {
    const row = await this.#database.query
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['users.id', 'users.username'])
      .where('sessions.id', '=', id)
      .executeTakeFirst()
    if (!row) throw notFound('session', id)
    return row
  }

  /** Lets a session act as another user until a time, or as its own again. */
  async impersonate(id: string, userId: string | null, until: number | null): Promise<void> {
    await this.#database.write(async () => {
      await this.#database.query
        .updateTable('sessions')
        .set({ impersonated_user_id: userId, impersonating_until: until })
        .where('id', '=', id)
        .execute()
      this.#database.changed('sessions')
    })
  }

  async revoke(id: string, reason: RevocationReason): Promise<void> {
    await this.#end(sql`sessions.id = ${id}`, reason)
  }

  /** Ends all sessions of a user but one, and tells how many. */
  async revokeAll(userId: string, reason: RevocationReason, except = ''): Promise<number> {
    return this.#end(sql`sessions.user_id = ${userId} and sessions.id != ${except}`, reason)
  }

  /** The one way in which sessions end before their time: with a line for everybody who keeps something open for them. */
  async #end(which: RawBuilder<SqlBool>, reason: RevocationReason): Promise<number> {
    return this.#database.write(async () => {
      await recordRevocations(this.#database.query, which, reason)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('sessions')
        .where(which)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('sessions')
      return Number(numDeletedRows)
    })
  }

  /** Deletes sessions that have ended by time; called on a timer. */
  async sweep(): Promise<void> {
    await this.#database.write(() =>
      this.#database.query.deleteFrom('sessions').where('expires_at', '<=', now()).execute(),
    )
  }
}
