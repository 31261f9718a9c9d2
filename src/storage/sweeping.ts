import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import {
  sql,
  type DeleteQueryBuilder,
  type DeleteResult,
  type Kysely,
  type RawBuilder,
  type SqlBool,
} from 'kysely'
import type { Log } from '../log/log.ts'
import type { Database } from './database.ts'
import type { Schema, Subject } from './schema.ts'

/** Rows per transaction of a sweep. */
export const batchRows = 500
/** Milliseconds between two transactions, so that other writers get their turn. */
const pauseMs = 5

/**
 * Calls `step` until it handles less than a whole batch. Each step is a short transaction of its own and returns how
 * many rows it handled.
 */
export const inBatches = async (step: () => Promise<number>): Promise<void> => {
  while ((await step()) >= batchRows) await delay(pauseMs)
}

/**
 * Does what is due for each row in a transaction of its own. What fails for one is logged, and none of the others waits for it.
 * `what` says in the log what could not be done.
 */
export const attendEach = async <T extends { readonly id: string }>(
  { database, log }: { readonly database: Database; readonly log: Pick<Log, 'error'> },
  what: string,
  rows: readonly T[],
  attend: (row: T) => Promise<void>,
): Promise<void> => {
  for (const row of rows) {
    // Other work gets its turn between two transactions.
    await turn()
    try {
      await database.write(() => attend(row))
    } catch (error) {
      log.error({ id: row.id, error: (error as Error).message }, what)
    }
  }
}

/**
 * Deletes the rows that match `which`, one batch at a time. Each batch is found outside the transaction, then deleted
 * by key inside it if it still matches. `remove` starts the owner's delete statement. `subject` is what caches are
 * notified of.
 */
export const sweepRows = async <T extends keyof Schema>(
  database: Database,
  table: T,
  key: string | readonly [string, string],
  which: RawBuilder<SqlBool>,
  remove: (query: Kysely<Schema>) => DeleteQueryBuilder<Schema, T, DeleteResult>,
  subject?: Subject,
): Promise<void> => {
  const columns = sql.join([key].flat().map((name) => sql.ref(name)))
  const keysOf = (rows: readonly Record<string, unknown>[]) =>
    typeof key === 'string'
      ? sql`${columns} in (${sql.join(rows.map((row) => row[key]))})`
      : sql`(${columns}) in (values ${sql.join(rows.map((row) => sql`(${row[key[0]]}, ${row[key[1]]})`))})`
  await inBatches(async () => {
    const found = await sql<Record<string, unknown>>`
      select ${columns} from ${sql.table(table)} where ${which} limit ${batchRows}`.execute(database.query)
    if (found.rows.length === 0) return 0
    await database.write(async () => {
      const { numDeletedRows } = await remove(database.query)
        .where(sql<SqlBool>`${keysOf(found.rows)} and ${which}`)
        .executeTakeFirstOrThrow()
      if (subject !== undefined && numDeletedRows > 0n) database.changed(subject)
    })
    return found.rows.length
  })
}
