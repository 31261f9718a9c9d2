import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Log } from '../log/log.ts'
import type { Database } from './database.ts'
import { instanceFact, setInstanceFact } from './instance_facts.ts'
import { searchIndexFact, searched, type Searched } from './search.ts'

/** Rows indexed per transaction. */
const pageRows = 1000
/** Milliseconds between two transactions, so that other writers get their turn. */
const pauseMs = 5
/**
 * An arbitrary number that all nodes share: the advisory lock under which one of them creates the PostgreSQL indexes.
 */
const indexLock = 7_310_998

/**
 * Creates the search indexes after the start, in the background: trigrams by SQLite's FTS5, or by pg_trgm if PostgreSQL
 * has it and lets us use it. Without them, a search scans every row.
 */
export const createSearchIndexes = (
  database: Database,
  log: Log,
  /** Aborts when the daemon stops. The next start continues, or begins again. */
  stop: AbortSignal = new AbortController().signal,
): Promise<void> =>
  database.inBackground(async () => {
    for (const table of Object.keys(searched) as Searched[]) {
      if (stop.aborted) return
      if (database.kind === 'sqlite') await makeTrigrams(database, table, stop)
      else await makeOnPostgres(database, table, log, stop)
    }
  })

const makeTrigrams = async (database: Database, table: Searched, stop: AbortSignal): Promise<void> => {
  if ((await instanceFact(database, searchIndexFact(table))) !== undefined) return
  await database.write(async () => {
    for (const statement of trigramTables(table)) await sql.raw(statement).execute(database.query)
  })
  for (let after: string | undefined = ''; after !== undefined;) {
    if (stop.aborted) return
    after = await addPage(database, table, after)
    await delay(pauseMs)
  }
  await setInstanceFact(database, searchIndexFact(table), '1')
}

/** The indexed text of a row, as SQL; `row` is `new` or the table name. */
const textOf = (table: Searched, row: string) => {
  const { names, title } = searched[table]
  return [...names, title].map((name) => `coalesce(${row}.${name}, '')`).join(` || char(10) || `)
}

/**
 * The index stores no text of its own and finds rows by number. A separate table keeps the number of each row, because
 * SQLite's own row numbers change on VACUUM.
 */
const trigramTables = (table: Searched): string[] => {
  const [index, rows] = [`${table}_search`, `${table}_search_rows`]
  const { names, title } = searched[table]
  const numberOf = (row: string) => `(select number from ${rows} where id = ${row}.id)`
  return [
    `create table if not exists ${rows} (number integer primary key, id text not null unique)`,
    `create virtual table if not exists ${index} using fts5 (text, content='', contentless_delete=1, detail=none, tokenize='trigram')`,
    `create trigger if not exists ${index}_added after insert on ${table} begin
       insert into ${rows} (id) values (new.id);
       insert into ${index} (rowid, text) values (${numberOf('new')}, ${textOf(table, 'new')});
     end`,
    `create trigger if not exists ${index}_changed after update of ${[...names, title].join(', ')} on ${table} begin
       update ${index} set text = ${textOf(table, 'new')} where rowid = ${numberOf('new')};
     end`,
    `create trigger if not exists ${index}_removed before delete on ${table} begin
       delete from ${index} where rowid = ${numberOf('old')};
       delete from ${rows} where id = old.id;
     end`,
  ]
}

/**
 * Indexes the rows of one page that are not in the index yet. Returns the last id, or undefined when there are no more
 * rows.
 */
const addPage = async (database: Database, table: Searched, after: string): Promise<string | undefined> => {
  const [from, index, rows] = [table, `${table}_search`, `${table}_search_rows`].map((name) =>
    sql.table(name),
  )
  const ids = await sql<{ id: string }>`
    select id from ${from!} where id > ${after} order by id limit ${pageRows}`.execute(database.query)
  const last = ids.rows.at(-1)?.id
  if (last === undefined) return undefined
  await database.write(async () => {
    const { query } = database
    const { rows: numbers } = await sql<{ last: number }>`
      select coalesce(max(number), 0) as last from ${rows!}`.execute(query)
    await sql`
      insert into ${rows!} (id) select id from ${from!} where id > ${after} and id <= ${last}
      and not exists (select 1 from ${rows!} as there where there.id = ${from!}.id)`.execute(query)
    await sql`
      insert into ${index!} (rowid, text) select number, ${sql.raw(textOf(table, table))}
      from ${rows!} as added join ${from!} on ${from!}.id = added.id where number > ${numbers[0]!.last}`.execute(
      query,
    )
  })
  return last
}

/** Runs outside any transaction, so that nobody waits for it. An index that was interrupted is built again. */
const makeOnPostgres = async (
  database: Database,
  table: Searched,
  log: Log,
  stop: AbortSignal,
): Promise<void> => {
  const { names, title } = searched[table]
  const index = `${table}_search`
  try {
    await sql`create extension if not exists pg_trgm`.execute(database.query)
  } catch (error) {
    log.info({ error: (error as Error).message }, 'pg_trgm is not available: a search scans every row')
    return
  }
  await database.query.connection().execute(async (query) => {
    const { rows: lock } = await sql<{ mine: boolean; pid: number }>`
      select pg_try_advisory_lock(${indexLock}) as mine, pg_backend_pid() as pid`.execute(query)
    const { mine, pid } = lock[0]!
    if (!mine) return
    const cancel = () => void sql`select pg_cancel_backend(${pid})`.execute(database.query).catch(() => {})
    stop.addEventListener('abort', cancel)
    try {
      const { rows } = await sql<{ valid: boolean }>`
        select indisvalid as valid from pg_index where indexrelid = to_regclass(${index})`.execute(query)
      if (rows[0]?.valid) return
      if (rows[0]) await sql`drop index ${sql.table(index)}`.execute(query)
      const columns = [
        ...[...names, title].map((name) => `lower(${name}) gin_trgm_ops`),
        `${title} gin_trgm_ops`,
      ]
      await sql`create index concurrently ${sql.table(index)} on ${sql.table(table)} using gin (${sql.raw(columns.join(', '))})`.execute(
        query,
      )
    } finally {
      stop.removeEventListener('abort', cancel)
      await sql`select pg_advisory_unlock(${indexLock})`.execute(query)
    }
  })
}
