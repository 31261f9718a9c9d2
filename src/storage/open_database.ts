import { existsSync } from 'node:fs'
import { Kysely, PostgresDialect } from 'kysely'
import type { Log } from '../log/log.ts'
import { asDamageError } from './sqlite/connect.ts'
import { migrate } from './migrate.ts'
import { SnapshotReader } from './reader.ts'
import type { Schema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import { SqliteThread } from './sqlite/threads.ts'
import { SqliteRevisions } from './sqlite/sqlite_revisions.ts'
import { PostgresRevisions } from './postgres_revisions.ts'
import { Database } from './database.ts'

/**
 * Opens and migrates the database at `url` (`sqlite:FILE` or `postgres://…`). Throws an error with one readable line if
 * it is damaged, unreachable, or newer than this program. If a daemon has several processes on PostgreSQL, `announce`
 * resolves once the others know of a commit of this one. SQLite does not need it: every query checks the file first.
 */
export const openDatabase = async (url: string, log: Log, announce = async () => {}): Promise<Database> => {
  const file = databaseFile(url)
  if (file !== undefined) {
    const { dialect, reader: connection } = openSqlite(file)
    const kysely = new Kysely<Schema>({ dialect })
    await migrateOrClose(kysely).catch((error) => {
      throw asDamageError(file, error)
    })
    const reader = new SnapshotReader(connection)
    const revisions = new SqliteRevisions(connection, reader.renew, () => database.changes.lookSoon())
    const database = new Database('sqlite', kysely, revisions, reader, {
      reading: new SqliteThread({ file, readonly: true }),
      jobs: new SqliteThread({ file, readonly: false }),
    })
    return database
  }
  const { default: pg } = await import('pg')
  // Read 64-bit integers (counts, times) as numbers: all of ours stay far below 2^53.
  pg.types.setTypeParser(20, Number)
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5000 })
  const lost = (error: Error) => log.warn({ error: error.message }, 'a database connection was lost')
  pool.on('error', lost)
  // A connection that breaks during a query rejects it and then emits `error`. Without a listener, that would end the
  // process.
  pool.on('connect', (client) => client.on('error', lost))
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  await migrateOrClose(kysely)
  const revisions = new PostgresRevisions(
    () => new pg.Client({ connectionString: url }),
    kysely,
    log,
    () => database.changes.lookSoon(),
    announce,
  )
  const database = new Database('postgres', kysely, revisions)
  await revisions.listen()
  return database
}

/** The file at `url`, or undefined for PostgreSQL. */
export const databaseFile = (url: string): string | undefined =>
  url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined

const migrateOrClose = async (kysely: Kysely<Schema>) => {
  try {
    await migrate(kysely)
  } catch (error) {
    // Open connections would keep a process alive whose start failed.
    await kysely.destroy()
    throw error
  }
}

/** Whether a database already exists at `url`. Always true for PostgreSQL. */
export const databaseExists = (url: string): boolean =>
  !url.startsWith('sqlite:') || existsSync(url.slice('sqlite:'.length))
