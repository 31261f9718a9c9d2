import type { Kysely } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Prepared } from '../storage/prepared.ts'
import { maySignInSql, type Schema } from '../storage/schema.ts'
import { LastUsed } from '../storage/last_used.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { LiveSession } from './live_session.ts'
import { openedByProvider } from './session.ts'
import { looksLikeToken } from './session_token.ts'

/** The shortest possible session_idle: a session used within this time is not idle. */
const minIdleSeconds = 300
const maxEntries = 200_000

/** Sessions of users who may sign in, with the user being impersonated, if any. */
const selectSessions = (query: Kysely<Schema>) =>
  query
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .leftJoin('users as other', (join) =>
      join.onRef('other.id', '=', 'sessions.impersonated_user_id').on(maySignInSql('other')),
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
    .where(maySignInSql())

type Row = Awaited<ReturnType<ReturnType<typeof selectSessions>['execute']>>[number]

const addTo = (live: BoundedMap<LiveSession>, row: Row): LiveSession => {
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
  const proof = { by: 'session', id: own.id } as const
  const method = own.kind === 'token' ? 'bearer' : openedByProvider(own) ? 'oauth' : 'local'
  const session: LiveSession = { ...own, proof, method, overlay: overlay || undefined }
  live.set(token_hash, session)
  return session
}

/** Valid sessions by their tokens: cached until something changes, and recorded as used. */
export class LiveSessions {
  readonly #database: Database
  readonly #idleSeconds: () => Promise<number>
  readonly #lastUsed: LastUsed
  readonly #live: Cached<BoundedMap<LiveSession>>
  readonly #byHash: Prepared<{ hash: string }, Row>

  /** `idle` returns session_idle, in seconds. */
  constructor(database: Database, idle: () => Promise<number>) {
    this.#database = database
    this.#idleSeconds = idle
    this.#lastUsed = new LastUsed(database, (id, at) =>
      database.query
        .updateTable('sessions')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where('last_used_at', '<', at)
        .execute(),
    )
    this.#live = new Cached(database, ['sessions', 'users'], async () => boundedMap<LiveSession>(maxEntries))
    this.#byHash = database.prepared((query, { hash }: { hash: string }) =>
      selectSessions(query).where('sessions.token_hash', '=', hash),
    )
  }

  /**
   * The session of a bearer token. Undefined if it does not exist, has ended, or its user is inactive. Synchronous when
   * the cache is current.
   */
  find(token: string): LiveSession | undefined | Promise<LiveSession | undefined> {
    return this.#find(token, 'token')
  }

  /** The session of our cookie at a host. */
  findCookie(token: string, host: string): LiveSession | undefined | Promise<LiveSession | undefined> {
    return whenReady(this.#find(token, 'cookie'), (session) =>
      session && (session.only_at === '' || session.only_at === host) ? session : undefined,
    )
  }

  /** Whether a session that was found is still valid, if nothing has changed since. Records it as used. */
  isStillValid(session: LiveSession): boolean {
    const at = now()
    if (session.used_at < at - minIdleSeconds || session.expires_at <= at) return false
    this.#lastUsed.note(session, at)
    return true
  }

  #find(
    token: string,
    kind: LiveSession['kind'],
  ): LiveSession | undefined | Promise<LiveSession | undefined> {
    if (!looksLikeToken(token)) return undefined
    const key = digest(token)
    const session = this.#live.warm()?.get(key)
    const at = now()
    // This process has not seen it used for a while, but other processes may have: the database decides.
    if (!session || session.used_at < at - minIdleSeconds) return this.#load(key, kind)
    if (session.kind !== kind || session.expires_at <= at) return undefined
    this.#lastUsed.note(session, at)
    return session
  }

  /** Reads many sessions at once, so that finding each of them needs no query of its own. */
  async warmUp(ids: readonly string[]): Promise<LiveSession[]> {
    const live = await this.#live.get()
    const rows = await selectSessions(this.#database.query).where('sessions.id', 'in', ids).execute()
    return rows.map((row) => addTo(live, row))
  }

  async #load(key: string, kind: 'cookie' | 'token'): Promise<LiveSession | undefined> {
    const live = await this.#live.get()
    const row = await this.#byHash({ hash: key })
    const session = row && addTo(live, row)
    const at = now()
    if (!session || session.kind !== kind || session.expires_at <= at) return undefined
    if (session.used_at <= at - (await this.#idleSeconds())) return undefined
    this.#lastUsed.note(session, at)
    return session
  }

  async close(): Promise<void> {
    await this.#lastUsed.close()
  }
}
