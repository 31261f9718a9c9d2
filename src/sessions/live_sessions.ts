import { sql, type Kysely } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Prepared } from '../storage/prepared.ts'
import { isAdmittedSql, type Schema } from '../storage/schema.ts'
import { LastUsed } from '../storage/last_used.ts'
import { amrOf } from './amr.ts'
import { childHash, type CookiePlace } from './child_sessions.ts'
import type { LiveSession, SignInUse } from './live_session.ts'
import { openedByProvider } from './session.ts'
import { looksLikeToken } from './session_token.ts'

/** The shortest possible session_idle: a session used within this time is not idle. */
const minIdleSeconds = 300
const maxEntries = 200_000

/** Sign-ins of users who may sign in until their accounts end, with the user being impersonated, if any. */
const selectSignIns = (query: Kysely<Schema>) =>
  query
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .leftJoin('users as other', (join) =>
      join.onRef('other.id', '=', 'sessions.impersonated_user_id').on(isAdmittedSql('other')),
    )
    .select([
      'sessions.id as sign_in_id',
      'sessions.kind as sign_in_kind',
      'sessions.provider',
      'sessions.factor',
      sql<
        string | null
      >`(select string_agg(vouchings.provider, ' ') from vouchings where vouchings.session_id = sessions.id)`.as(
        'vouched_by',
      ),
      'sessions.expires_at',
      'sessions.remembered',
      'sessions.by_trust',
      'sessions.proven_at',
      'sessions.second_at',
      'sessions.passkey_at',
      'sessions.last_used_at as used_at',
      'sessions.user_id',
      'sessions.impersonating_until',
      'sessions.impersonated_services',
      'users.username',
      'users.email',
      'users.email_verified_at',
      'users.context',
      'users.ends_at',
      'other.id as other_id',
      'other.username as other_username',
      'other.email as other_email',
      'other.email_verified_at as other_email_verified_at',
      'other.context as other_context',
      'other.is_admin as other_is_admin',
      'other.ends_at as other_ends_at',
    ])
    .where(isAdmittedSql())

const selectSessions = (query: Kysely<Schema>) =>
  selectSignIns(query).select(['sessions.id', 'sessions.token_hash'])

/** Child sessions, with everything that their sign-in says. */
const selectChildren = (query: Kysely<Schema>) =>
  selectSignIns(query)
    .innerJoin('child_sessions', 'child_sessions.parent_id', 'sessions.id')
    .select(['child_sessions.id', 'child_sessions.token_hash'])

type Row = Awaited<ReturnType<ReturnType<typeof selectSessions>['execute']>>[number]

/** What this process knows while nothing changes. */
interface Known {
  readonly byHash: BoundedMap<LiveSession>
  readonly uses: BoundedMap<SignInUse>
}

const addTo = ({ byHash, uses }: Known, row: Row): LiveSession => {
  const { other_id, other_username, other_email, other_email_verified_at, other_context, ...rest } = row
  const {
    other_is_admin,
    other_ends_at,
    ends_at,
    impersonating_until,
    impersonated_services,
    token_hash,
    sign_in_id,
    sign_in_kind,
    used_at,
    vouched_by,
    proven_at,
    second_at,
    passkey_at,
    remembered,
    by_trust,
    factor,
    ...own
  } = rest
  const sign_in = uses.get(sign_in_id) ?? { id: sign_in_id, used_at }
  sign_in.used_at = Math.max(sign_in.used_at, used_at)
  uses.set(sign_in_id, sign_in)
  const overlay = other_id !== null && {
    user_id: other_id,
    username: other_username!,
    email: other_email,
    email_verified_at: other_email_verified_at,
    context: other_context!,
    is_admin: other_is_admin === 1,
    until: Math.min(impersonating_until ?? 0, other_ends_at ?? Infinity),
    services: JSON.parse(impersonated_services) as string[],
  }
  const proof = { by: 'session', id: own.id } as const
  const kind = own.id === sign_in_id ? sign_in_kind : 'child'
  const method = kind === 'token' ? 'bearer' : openedByProvider(own) ? 'oauth' : 'local'
  const session: LiveSession = {
    ...own,
    // A session outlives nobody's account.
    expires_at: Math.min(own.expires_at, ends_at ?? Infinity),
    kind,
    vouched: vouched_by?.split(' ') ?? [],
    sign_in,
    proofs: { proven_at, second_at, passkey_at },
    amr: amrOf({ provider: own.provider, factor, second_at }),
    proof,
    method,
    remembered: remembered === 1,
    by_trust: by_trust === 1,
    overlay: overlay || undefined,
  }
  byHash.set(token_hash, session)
  return session
}

/** Valid sessions by their tokens: cached until something changes, and recorded as used. */
export class LiveSessions {
  readonly #database: Database
  readonly #idleSeconds: (remembered: boolean) => Promise<number>
  readonly #lastUsed: LastUsed
  readonly #known: Cached<Known>
  readonly #sessionOf: Prepared<{ hash: string }, Row>
  readonly #childOf: Prepared<{ hash: string }, Row>

  /** `idle` returns the seconds without use after which a sign-in ends. */
  constructor(database: Database, idle: (remembered: boolean) => Promise<number>) {
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
    this.#known = new Cached(database, ['sessions', 'users', 'settings'], async () => ({
      byHash: boundedMap<LiveSession>(maxEntries),
      uses: boundedMap<SignInUse>(maxEntries),
    }))
    this.#sessionOf = database.prepared((query, { hash }: { hash: string }) =>
      selectSessions(query).where('sessions.token_hash', '=', hash),
    )
    this.#childOf = database.prepared((query, { hash }: { hash: string }) =>
      selectChildren(query).where('child_sessions.token_hash', '=', hash),
    )
  }

  /** The session of a bearer token; undefined if it has ended, or its user is inactive. Synchronous when the cache is current. */
  find(token: string): LiveSession | undefined | Promise<LiveSession | undefined> {
    return looksLikeToken(token) ? this.#find(digest(token), 'token') : undefined
  }

  /** The sign-in of our cookie at home. What a page asks in the `background` is no use of it. */
  findSignIn(
    token: string,
    { background = false }: { readonly background?: boolean } = {},
  ): LiveSession | undefined | Promise<LiveSession | undefined> {
    return looksLikeToken(token) ? this.#find(digest(token), 'cookie', background) : undefined
  }

  /** The child session of our cookie at the host of a service. It counts at its own host and scheme only. */
  findChild(
    token: string,
    place: CookiePlace & { readonly background?: boolean },
  ): LiveSession | undefined | Promise<LiveSession | undefined> {
    return looksLikeToken(token) ? this.#find(childHash(token, place), 'child', place.background) : undefined
  }

  /** Whether a session that was found is still valid, if nothing has changed since. Records it as used. */
  isStillValid(session: LiveSession): boolean {
    const at = now()
    if (session.sign_in.used_at < at - minIdleSeconds || session.expires_at <= at) return false
    this.#lastUsed.note(session.sign_in, at)
    return true
  }

  #find(
    hash: string,
    kind: LiveSession['kind'],
    background = false,
  ): LiveSession | undefined | Promise<LiveSession | undefined> {
    const session = this.#known.warm()?.byHash.get(hash)
    const at = now()
    // This process has not seen it used for a while, but other processes may have: the database decides.
    if (!session || session.sign_in.used_at < at - minIdleSeconds) return this.#load(hash, kind, background)
    if (session.kind !== kind || session.expires_at <= at) return undefined
    if (!background) this.#lastUsed.note(session.sign_in, at)
    return session
  }

  /** Reads many sessions at once, so that finding each of them needs no query of its own. */
  async warmUp(ids: readonly string[]): Promise<LiveSession[]> {
    const known = await this.#known.get()
    const { query } = this.#database
    const rows = [
      ...(await selectSessions(query).where('sessions.id', 'in', ids).execute()),
      ...(await selectChildren(query).where('child_sessions.id', 'in', ids).execute()),
    ]
    return rows.map((row) => addTo(known, row))
  }

  /** A sign-in that has not ended, by its id. No use of it. */
  async byId(id: string): Promise<LiveSession | undefined> {
    const [session] = await this.warmUp([id])
    const at = now()
    if (!session || session.expires_at <= at) return undefined
    return session.sign_in.used_at <= at - (await this.#idleSeconds(session.remembered)) ? undefined : session
  }

  async #load(
    hash: string,
    kind: LiveSession['kind'],
    background: boolean,
  ): Promise<LiveSession | undefined> {
    const known = await this.#known.get()
    const row = await (kind === 'child' ? this.#childOf({ hash }) : this.#sessionOf({ hash }))
    const session = row && addTo(known, row)
    const at = now()
    if (!session || session.kind !== kind || session.expires_at <= at) return undefined
    if (session.sign_in.used_at <= at - (await this.#idleSeconds(session.remembered))) return undefined
    if (!background) this.#lastUsed.note(session.sign_in, at)
    return session
  }

  async close(): Promise<void> {
    await this.#lastUsed.close()
  }
}
