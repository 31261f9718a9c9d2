import type { Kysely } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Prepared } from '../storage/prepared.ts'
import { maySignInSql, type Schema } from '../storage/schema.ts'
import { Uses } from '../storage/last_used.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { LiveSession } from './live_session.ts'
import { looksLikeToken } from './session_token.ts'

/** The shortest session_idle: what was used since is not idle. */
const surelyUsed = 300
const keep = 200_000

/** Sessions of users who may be signed in, with the person whom an administrator acts as. */
const readable = (query: Kysely<Schema>) =>
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

type Row = Awaited<ReturnType<ReturnType<typeof readable>['execute']>>[number]

const keepIn = (live: BoundedMap<LiveSession>, row: Row): LiveSession => {
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
  const session: LiveSession = { ...own, proof, overlay: overlay || undefined }
  live.set(token_hash, session)
  return session
}

/** Living sessions by their tokens, for whoever shows one: kept while nothing changes, and noted as used. */
export class LiveSessions {
  readonly #database: Database
  readonly #idle: () => Promise<number>
  readonly #uses: Uses
  readonly #live: Cached<BoundedMap<LiveSession>>
  readonly #byHash: Prepared<{ hash: string }, Row>

  /** `idle` tells session_idle, in seconds. */
  constructor(database: Database, idle: () => Promise<number>) {
    this.#database = database
    this.#idle = idle
    this.#uses = new Uses(database, (id, at) =>
      database.query
        .updateTable('sessions')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where('last_used_at', '<', at)
        .execute(),
    )
    this.#live = new Cached(database, ['sessions', 'users'], async () => boundedMap<LiveSession>(keep))
    this.#byHash = database.prepared((query, { hash }: { hash: string }) =>
      readable(query).where('sessions.token_hash', '=', hash),
    )
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

  /** Whether a session that was found, with nothing changed since, still counts. Notes it as used. */
  goesOn(session: LiveSession): boolean {
    const at = now()
    if (session.used_at < at - surelyUsed || session.expires_at <= at) return false
    this.#uses.note(session, at)
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
    // Unused for a while as far as this process knows: others may know better, and the limit is theirs.
    if (!session || session.used_at < at - surelyUsed) return this.#load(key, kind)
    if (session.kind !== kind || session.expires_at <= at) return undefined
    this.#uses.note(session, at)
    return session
  }

  /** Reads many at once, so that finding each of them afterwards takes no query of its own. */
  async warmUp(ids: readonly string[]): Promise<LiveSession[]> {
    const live = await this.#live.get()
    const rows = await readable(this.#database.query).where('sessions.id', 'in', ids).execute()
    return rows.map((row) => keepIn(live, row))
  }

  async #load(key: string, kind: 'cookie' | 'token'): Promise<LiveSession | undefined> {
    const live = await this.#live.get()
    const row = await this.#byHash({ hash: key })
    const session = row && keepIn(live, row)
    const at = now()
    if (!session || session.kind !== kind || session.expires_at <= at) return undefined
    if (session.used_at <= at - (await this.#idle())) return undefined
    this.#uses.note(session, at)
    return session
  }

  async close(): Promise<void> {
    await this.#uses.close()
  }
}
