import { setTimeout as delay } from 'node:timers/promises'
import {
  sql,
  type DeleteQueryBuilder,
  type DeleteResult,
  type Kysely,
  type RawBuilder,
  type SqlBool,
} from 'kysely'
import type { Database } from './database.ts'
import type { Schema, Subject } from './schema.ts'

/** Rows that one transaction of a sweep takes. */
export const batch = 500
/** Milliseconds between two transactions: other writers get their turn. */
const pause = 5

/** Calls `step` until it has done less than a whole batch. Each step is a short transaction of its own and tells how many rows it took. */
export const inBatches = async (step: () => Promise<number>): Promise<void> => {
  while ((await step()) >= batch) await delay(pause)
}

/**
 * Deletes the rows that `which` names, a batch at a time. They are looked for outside the transaction, found by their key, and
 * looked at once more inside. `remove` begins the owner's statement, and `subject` is what caches hear of.
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
      select ${columns} from ${sql.table(table)} where ${which} limit ${batch}`.execute(database.query)
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
