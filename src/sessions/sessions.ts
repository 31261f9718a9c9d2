import { hash, randomBytes } from 'node:crypto'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { notFound } from '../errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { SessionRow } from '../storage/schema.ts'
import { whenReady } from '../when_ready.ts'
import type { LiveSession } from './live_session.ts'
import { Uses } from '../storage/uses.ts'
import { recordRevocations } from './revocations.ts'
import type { RevocationReason, Session } from './session.ts'

export interface SessionOrigin {
  readonly kind: 'cookie' | 'token'
  /** How the person proved who they are: one of our own ways, or the name of a provider. */
  readonly provider: string
  /** What else was proven; empty for nothing. */
  readonly factor: string
  readonly address: string
  readonly user_agent: string
  /** What the provider calls its session, and its ID token, sealed. */
  readonly at_provider?: { readonly sid: string; readonly id_token: string } | undefined
  /** The host at which it counts; everywhere unless given. */
  readonly only_at?: string | undefined
}

export interface OpenedSession {
  readonly id: string
  readonly token: string
  /** Seconds. */
  readonly expires_in: number
  /** Of programs: renews the session once. */
  readonly refresh_token?: string
}

interface Limits {
  readonly session_lifetime: number
  readonly session_idle: number
  readonly refresh_lifetime: number
}

/** Seconds within which a refresh token that comes again was sent by the same program, which lost the answer. */
const refreshGrace = 10
/** The shortest session_idle: what was used since is not idle. */
const surelyUsed = 300
const tokenLength = 43
const keep = 200_000

/** 256 bits in base64url; anything else is no token of ours and asks no database. */
const looksLikeToken = (token: string) => token.length === tokenLength && /^[A-Za-z0-9_-]+$/.test(token)

export const hashToken = (token: string): string => hash('sha256', token, 'hex')

/** Signed-in people. The token is given out once; we keep its SHA-256. */
export class Sessions {
  readonly #database: Database
  readonly #limit: (name: keyof Limits) => Promise<number>
  readonly #uses: Uses
  readonly #live: Cached<Map<string, LiveSession>>
  /** Called inside the transaction in which sessions end, for what depends on them. */
  whenEnded: (sessionIds: readonly string[]) => Promise<void> = async () => {}
  /** The same where all of a person's sessions end, whether there are any or not. */
  whenAllEnded: (userId: string, reason: RevocationReason) => Promise<void> = async () => {}

  /** `limit` reads a setting, in seconds. */
  constructor(database: Database, limit: (name: keyof Limits) => Promise<number>) {
    this.#database = database
    this.#limit = limit
    this.#uses = new Uses(database, 'sessions')
    this.#live = new Cached(database, ['sessions', 'users'], async () => new Map<string, LiveSession>())
  }

  /** Opens a session: the one way to be signed in, whatever the proof was. The caller has verified it. */
  async open(userId: string, origin: SessionOrigin): Promise<OpenedSession> {
    const token = newToken()
    const expires_in = await this.#limit('session_lifetime')
    const at = now()
    const row: SessionRow = {
      id: newId(),
      user_id: userId,
      token_hash: hashToken(token),
      kind: origin.kind,
      provider: origin.provider,
      factor: origin.factor,
      address: origin.address,
      user_agent: origin.user_agent.slice(0, 300),
      created_at: at,
      expires_at: at + expires_in,
      proven_at: at,
      last_used_at: at,
      impersonated_user_id: null,
      impersonating_until: null,
      provider_sid: origin.at_provider?.sid ?? '',
      provider_id_token: origin.at_provider?.id_token ?? '',
      only_at: origin.only_at ?? '',
    }
    return this.#database.write(async () => {
      await this.#database.query.insertInto('sessions').values(row).execute()
      const opened = { token, id: row.id, expires_in }
      return origin.kind === 'cookie' ? opened : { ...opened, refresh_token: await this.#addRefresh(row) }
    })
  }

  /** A refresh token for a session, until `refresh_lifetime` after its sign-in, however often it is renewed. */
  async #addRefresh({ id, created_at }: Pick<SessionRow, 'id' | 'created_at'>): Promise<string> {
    const token = newToken()
    const expires_at = created_at + (await this.#limit('refresh_lifetime'))
    await this.#database.query
      .insertInto('refresh_tokens')
      .values({ token_hash: hashToken(token), session_id: id, created_at: now(), expires_at, used_at: null })
      .execute()
    return token
  }

  /**
   * What a refresh token renews, or undefined for a dead one. `reused` if it was used before: then somebody else may have it,
   * unless that was just now and its answer was lost.
   */
  async readRefresh(token: string) {
    if (!looksLikeToken(token)) return undefined
    const row = await this.#database.query
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
      .select(['sessions.id', 'sessions.user_id', 'sessions.created_at', 'refresh_tokens.used_at'])
      .where('refresh_tokens.token_hash', '=', hashToken(token))
      .where('refresh_tokens.expires_at', '>', now())
      .where('sessions.last_used_at', '>', now() - (await this.#limit('session_idle')))
      .executeTakeFirst()
    if (!row) return undefined
    const { used_at, ...session } = row
    return {
      ...session,
      reused: used_at === null ? null : used_at > now() - refreshGrace ? 'just now' : 'before',
    }
  }

  /** Renews a session: its tokens of before are worth nothing. Undefined if another call did so first. Inside a transaction. */
  async refresh(token: string): Promise<OpenedSession | undefined> {
    const session = await this.readRefresh(token)
    const { query } = this.#database
    const at = now()
    const { numUpdatedRows } = await query
      .updateTable('refresh_tokens')
      .set({ used_at: at })
      .where('token_hash', '=', hashToken(token))
      .where('used_at', 'is', null)
      .executeTakeFirst()
    if (!session || numUpdatedRows !== 1n) return undefined
    const access = newToken()
    const refresh_token = await this.#addRefresh(session)
    const expires_in = await this.#limit('session_lifetime')
    await query
      .updateTable('sessions')
      .set({ token_hash: hashToken(access), expires_at: at + expires_in, last_used_at: at })
      .where('id', '=', session.id)
      .execute()
    this.#database.changed('sessions')
    return { token: access, id: session.id, expires_in, refresh_token }
  }

  /** The person of a session has just shown again who they are. Inside a transaction. */
  async prove(id: string): Promise<void> {
    await this.#database.query
      .updateTable('sessions')
      .set({ proven_at: now() })
      .where('id', '=', id)
      .execute()
    this.#database.changed('sessions')
  }

  /** The session of a bearer token, or undefined if there is none, it ended, or its user is inactive. Warm, it is synchronous. */
  find(token: string): LiveSession | undefined | Promise<LiveSession | undefined> {
    return this.#find(token, 'token')
  }

  /** The same of our cookie at a host. */
  findCookie(token: string, host: string): LiveSession | undefined | Promise<LiveSession | undefined> {
    return whenReady(this.#find(token, 'cookie'), (session) =>
      session && (session.only_at === '' || session.only_at === host) ? session : undefined,
    )
  }

  #find(
    token: string,
    kind: LiveSession['kind'],
  ): LiveSession | undefined | Promise<LiveSession | undefined> {
    if (!looksLikeToken(token)) return undefined
    const key = hashToken(token)
    const session = this.#live.warm()?.get(key)
    const at = now()
    // Unused for a while as far as this process knows: others may know better, and the limit is theirs.
    if (!session || session.used_at < at - surelyUsed) return this.#load(key, kind)
    if (session.kind !== kind || session.expires_at <= at) return undefined
    this.#uses.note(session, at)
    return session
  }

  /** Reads many at once, so that finding each of them afterwards takes no query of its own. */
  warmUp(ids: readonly string[]): Promise<LiveSession[]> {
    return this.#read('sessions.id', ids)
  }

  async #load(key: string, kind: 'cookie' | 'token'): Promise<LiveSession | undefined> {
    const [session] = await this.#read('sessions.token_hash', [key])
    const at = now()
    if (!session || session.kind !== kind || session.expires_at <= at) return undefined
    if (session.used_at <= at - (await this.#limit('session_idle'))) return undefined
    this.#uses.note(session, at)
    return session
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
        'sessions.proven_at',
        'sessions.only_at',
        'sessions.last_used_at as used_at',
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
    current: string | undefined,
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
        'sessions.factor',
        'sessions.created_at',
        'sessions.last_used_at',
        'sessions.expires_at',
      ])
      .where(sql`lower(users.username)`, '=', filter.user.toLowerCase())
      .where(lives(now()))
      .$if(before !== '', (query) => query.where('sessions.id', '<', before))
      .orderBy('sessions.id', 'desc')
      .limit(pageSize(filter.limit) + 1)
      .execute()
    return toPage(
      rows,
      filter,
      (row) => row.id,
      (row) => ({ ...row, factor: row.factor as Session['factor'], current: row.id === current }),
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
    return this.#database.write(async () => {
      await this.whenAllEnded(userId, reason)
      return this.#end(sql`sessions.user_id = ${userId} and sessions.id != ${except}`, reason)
    })
  }

  /** Ends what a provider opened: all of it, a person's part, or what it calls by one name. Tells how many. */
  async revokeOpenedBy(
    provider: string,
    { userId, sid, except = '' }: { userId?: string; sid?: string; except?: string | undefined },
    reason: RevocationReason,
  ): Promise<number> {
    const of = sql<SqlBool>`sessions.provider = ${provider} and sessions.id != ${except}`
    const user = userId === undefined ? sql`` : sql` and sessions.user_id = ${userId}`
    const named = sid === undefined ? sql`` : sql` and sessions.provider_sid = ${sid}`
    return this.#end(sql<SqlBool>`${of}${user}${named}`, reason)
  }

  /** What signing out at the provider of a session takes. */
  async atProvider(id: string) {
    return this.#database.query
      .selectFrom('sessions')
      .select(['user_id', 'provider', 'provider_id_token as id_token'])
      .where('id', '=', id)
      .executeTakeFirst()
  }

  /** The one way in which sessions end before their time: with a line for everybody who keeps something open for them. */
  async #end(which: RawBuilder<SqlBool>, reason: RevocationReason): Promise<number> {
    return this.#database.write(async () => {
      const ended = await this.#database.query.selectFrom('sessions').select('id').where(which).execute()
      await this.whenEnded(ended.map(({ id }) => id))
      await recordRevocations(this.#database.query, which, reason)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('sessions')
        .where(which)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('sessions')
      return Number(numDeletedRows)
    })
  }

  /** Deletes sessions that have ended by time, and ends those that nobody uses; called on a timer. */
  async sweep(): Promise<void> {
    const at = now()
    const unused = at - (await this.#limit('session_idle'))
    await this.#database.write(async () => {
      await this.#end(sql`sessions.last_used_at <= ${unused} and sessions.expires_at > ${at}`, 'idle')
      await this.#database.query.deleteFrom('refresh_tokens').where('expires_at', '<=', at).execute()
      await this.#database.query
        .deleteFrom('sessions')
        .where((eb) => eb.not(lives(at)))
        .execute()
    })
  }

  async close(): Promise<void> {
    await this.#uses.close()
  }
}

const newToken = () => randomBytes(32).toString('base64url')

/** Not over by time, or renewable. */
const lives = (at: number) =>
  sql<SqlBool>`(sessions.expires_at > ${at} or exists (select 1 from refresh_tokens where refresh_tokens.session_id = sessions.id and refresh_tokens.expires_at > ${at} and refresh_tokens.used_at is null))`
