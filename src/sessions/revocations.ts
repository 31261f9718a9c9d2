import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely'
import type { RevocationReason } from '../contract/reactions.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Schema } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { Revocation } from './session.ts'

/** Seconds that revocations are kept for readers that were offline. */
const keptSeconds = 24 * 3600
/** Maximum number of revocations in one answer. */
const maxItems = 1000
/** Maximum number of calls that may wait at the same time. */
const maxWaiting = 1000

/** Records, inside the transaction that ends them, which valid sessions end: those chosen by `which`, and their children. */
export const recordRevocations = async (
  query: Kysely<Schema>,
  which: RawBuilder<SqlBool>,
  reason: RevocationReason,
): Promise<void> => {
  const at = now()
  // There is one writer at a time, so nobody else uses the same number, and numbers rise in the order of the commits.
  await sql`
    insert into revocations (seq, session_id, token_id, client, user_id, username, reason, at)
    select (select coalesce(max(seq), 0) from revocations) + row_number() over (order by ending.id),
      ending.id, '', '', users.id, users.username, cast(${reason} as text), cast(${at} as bigint)
    from (
      select sessions.id, sessions.user_id from sessions where ${which} and sessions.expires_at > ${at}
      union all
      select child_sessions.id, sessions.user_id
      from child_sessions join sessions on sessions.id = child_sessions.parent_id
      where ${which} and sessions.expires_at > ${at}
    ) as ending join users on users.id = ending.user_id`.execute(query)
}

/** Records, inside the transaction that ends them, which child sessions end although their sign-in goes on. */
export const recordChildRevocations = async (
  query: Kysely<Schema>,
  which: RawBuilder<SqlBool>,
  reason: RevocationReason,
): Promise<void> => {
  await sql`
    insert into revocations (seq, session_id, token_id, client, user_id, username, reason, at)
    select (select coalesce(max(seq), 0) from revocations) + row_number() over (order by child_sessions.id),
      child_sessions.id, '', '', users.id, users.username, cast(${reason} as text), cast(${now()} as bigint)
    from child_sessions join sessions on sessions.id = child_sessions.parent_id
    join users on users.id = sessions.user_id
    where ${which}`.execute(query)
}

/** Records, inside the transaction that revokes them, that a token or all tokens of a client are no longer valid. */
export const recordTokenRevocation = async (
  query: Kysely<Schema>,
  what: { readonly token_id: string } | { readonly client: string },
): Promise<void> => {
  const { last } = await query
    .selectFrom('revocations')
    .select(({ fn }) => fn.max('seq').as('last'))
    .executeTakeFirstOrThrow()
  const nobody = { session_id: '', token_id: '', client: '', user_id: '', username: '' }
  await query
    .insertInto('revocations')
    .values({ seq: (last ?? 0) + 1, ...nobody, ...what, reason: 'revoked', at: now() })
    .execute()
}

export interface RevocationPage {
  readonly items: Revocation[]
  readonly cursor: number
}

interface Waiter {
  readonly after: number
  readonly settle: (answer: RevocationPage) => void
}

/** Reports to other programs which sessions were ended, so that they can close what they keep open for them. */
export class Revocations {
  readonly #database: Database
  readonly #waiting = new Set<Waiter>()
  #stopWatching: (() => void) | undefined
  #scheduled = false
  #closed = false

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Returns what was revoked after this cursor. Without one, returns what was revoked since a Unix time, or only the
   * current cursor. If there is nothing after the cursor, waits up to `wait` seconds for the first revocation, unless
   * the caller disconnects.
   */
  async read(
    { after, since }: { after?: number | undefined; since?: number | undefined },
    wait = 0,
    gone?: AbortSignal,
  ): Promise<RevocationPage> {
    if (after === undefined) return since === undefined ? this.#beginning() : this.#since(since)
    const page = await this.#after(after)
    if (page.items.length > 0 || wait === 0 || this.#closed || gone?.aborted) return page
    if (this.#waiting.size >= maxWaiting) {
      throw new AppError('rate_limited', `${maxWaiting} calls are already waiting`, { retry_after: 5 })
    }
    return this.#wait(after, wait, gone)
  }

  /** Deletes old revocations. Called on a timer. The newest stays, so that numbering continues from it. */
  async sweep(): Promise<void> {
    const old = sql<SqlBool>`at < ${now() - keptSeconds} and seq < (select max(seq) from revocations)`
    await sweepRows(this.#database, 'revocations', 'seq', old, (query) => query.deleteFrom('revocations'))
  }

  /** Answers all waiting calls, because the daemon stops. */
  close(): void {
    this.#closed = true
    for (const { after, settle } of this.#waiting) settle({ items: [], cursor: after })
  }

  #wait(after: number, seconds: number, gone: AbortSignal | undefined): Promise<RevocationPage> {
    return new Promise((resolve) => {
      const nothing = () => settle({ items: [], cursor: after })
      const settle = (answer: RevocationPage) => {
        clearTimeout(timer)
        gone?.removeEventListener('abort', nothing)
        this.#waiting.delete(waiter)
        if (this.#waiting.size === 0) this.#stopWatchingChanges()
        resolve(answer)
      }
      const timer = setTimeout(nothing, seconds * 1000)
      const waiter: Waiter = { after, settle }
      gone?.addEventListener('abort', nothing)
      this.#waiting.add(waiter)
      this.#stopWatching ??= this.#database.changes.watch(['sessions', 'tokens', 'clients'], () =>
        this.#lookSoon(),
      )
      // Nobody was notified of what came between the first look and this moment.
      this.#lookSoon()
    })
  }

  #stopWatchingChanges(): void {
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }

  /** Schedules one look for all calls that wait or are about to. */
  #lookSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#look()
    })
  }

  /** Every waiting call has read to the end, at slightly different times. */
  async #look(): Promise<void> {
    if (this.#waiting.size === 0) return
    const from = Math.min(...[...this.#waiting].map(({ after }) => after))
    const items = await this.#rows(from).catch(() => [])
    if (items.length === 0) return
    for (const { after, settle } of this.#waiting) {
      const newItems = items.filter(({ seq }) => seq > after)
      if (newItems.length > 0) settle({ items: newItems, cursor: newItems.at(-1)!.seq })
    }
  }

  async #beginning(): Promise<RevocationPage> {
    return { items: [], cursor: (await this.#bounds()).last }
  }

  /**
   * Starts at the first revocation that is recent enough. If there are more than fit in one answer, the caller reads on
   * with the cursor.
   */
  async #since(since: number): Promise<RevocationPage> {
    const { first } = await this.#database.query
      .selectFrom('revocations')
      .select(({ fn }) => fn.min('seq').as('first'))
      .where('at', '>=', since)
      .executeTakeFirstOrThrow()
    if (first === null) return this.#beginning()
    const items = await this.#rows(first - 1)
    return { items, cursor: items.at(-1)?.seq ?? first - 1 }
  }

  async #after(after: number): Promise<RevocationPage> {
    const items = await this.#rows(after)
    const { first, last } = await this.#bounds()
    // The cursor's revocations were swept, or the database was replaced by a backup.
    if (after < first - 1 || after > last) {
      throw conflict(
        'The revocations after this cursor are no longer known: drop all sessions you have cached and continue from data.cursor',
        { cursor: last },
      )
    }
    return { items, cursor: items.at(-1)?.seq ?? after }
  }

  async #rows(after: number): Promise<Revocation[]> {
    const rows = await this.#database.query
      .selectFrom('revocations')
      .select(['seq', 'session_id', 'token_id', 'client', 'username', 'reason', 'at'])
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(maxItems)
      .execute()
    return rows.map(({ session_id, token_id, client, username, reason, ...row }) => ({
      ...row,
      session_id: session_id || null,
      token_id: token_id || null,
      client: client || null,
      user: username || null,
      reason: reason as RevocationReason,
    }))
  }

  async #bounds(): Promise<{ first: number; last: number }> {
    const { first, last } = await this.#database.query
      .selectFrom('revocations')
      .select(({ fn }) => [fn.min('seq').as('first'), fn.max('seq').as('last')])
      .executeTakeFirstOrThrow()
    return { first: first ?? 1, last: last ?? 0 }
  }
}
