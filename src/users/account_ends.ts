import { sql } from 'kysely'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { attendEach } from '../storage/sweeping.ts'
import { hasEnded, isAdmitted, isAdmittedSql, type UserRow } from '../storage/schema.ts'

/** How long before the end of an account we mail its person. */
const noticeSeconds = 7 * 86_400
/** How often we look. */
const intervalMs = 30_000
/** Accounts per look. */
const batchSize = 200

/** The values of `end_stage`. */
const [told, ended] = [1, 2]

interface Parts {
  readonly database: Database
  readonly log: Log
  /** Tells a person when their account ends. Inside a transaction. */
  readonly tell: (user: UserRow, endsAt: number) => Promise<void>
  /** Ends everything that is open for a person. Inside a transaction. */
  readonly end: (user: UserRow) => Promise<void>
}

/**
 * Tells people a week before their account ends, and ends their sessions then. Nothing waits for this: an account that is past its
 * end is nobody at once, wherever somebody asks. What applications opened for the person must still be told.
 */
export class AccountEnds {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Looks until `close`. One process per machine is enough, and several do no harm. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), intervalMs).unref()
    void this.look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  /** Does what is due. */
  look(): Promise<void> {
    return (this.#running ??= this.#run().finally(() => (this.#running = undefined)))
  }

  async #run(): Promise<void> {
    try {
      const due = await this.#due()
      await attendEach(this.#parts, 'could not attend to an account that ends', due, ({ id }) =>
        this.#attend(id),
      )
    } catch (error) {
      this.#parts.log.warn({ error: (error as Error).message }, 'could not look for accounts that end')
    }
  }

  async #due(): Promise<{ id: string }[]> {
    const at = now()
    return (
      this.#parts.database.query
        .selectFrom('users')
        .select('id')
        // Written like the partial index, so that SQLite uses it.
        .where(sql<boolean>`ends_at is not null`)
        .where((w) =>
          w.or([
            w.and([w('ends_at', '<=', at), w('end_stage', '<', ended)]),
            w.and([w('ends_at', '<=', at + noticeSeconds), w('end_stage', '=', 0), isAdmittedSql()]),
          ]),
        )
        .orderBy('ends_at')
        .limit(batchSize)
        .execute()
    )
  }

  /** Reads the row again: another process may have been first, or the end may have changed. */
  async #attend(id: string): Promise<void> {
    const { database, tell, end } = this.#parts
    const user = await database.query.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
    if (!user || user.ends_at === null || user.end_stage === ended) return
    const stage = hasEnded(user) ? ended : told
    if (user.end_stage === stage || user.ends_at > now() + noticeSeconds) return
    if (stage === told && !isAdmitted(user)) return
    await database.query.updateTable('users').set({ end_stage: stage }).where('id', '=', id).execute()
    await (stage === ended ? end(user) : tell(user, user.ends_at))
  }
}
