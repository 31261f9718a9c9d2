import { setTimeout as delay } from 'node:timers/promises'
import type Sqlite from 'better-sqlite3'
import { SqliteAdapter, SqliteDialect, SqliteDriver, type DatabaseConnection } from 'kysely'
import { boundedMap } from './bounded_map.ts'
import { connect, connectFirst, patience } from './sqlite/connect.ts'

const isBusy = (error: unknown) => (error as NodeJS.ErrnoException).code?.startsWith('SQLITE_BUSY') === true

/**
 * A read-then-write transaction that begins deferred fails with SQLITE_BUSY_SNAPSHOT when another connection wrote meanwhile.
 * While another one writes, a thread of ours or another process, this one goes on with everything else: waiting inside SQLite
 * would hold up all of it, and for good where the other transaction waits for this event loop.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: Sqlite.Database
  readonly #begin: Sqlite.Statement
  constructor(config: DialectConfig, database: Sqlite.Database) {
    super(config)
    database.pragma('busy_timeout = 0')
    this.#database = database
    this.#begin = database.prepare('begin immediate')
  }

  override async beginTransaction(): Promise<void> {
    await this.#patiently(() => this.#begin.run())
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return (this.#connection ??= {
      streamQuery: (...args) => connection.streamQuery(...args),
      // Inside a transaction the lock is ours.
      executeQuery: (query) =>
        this.#database.inTransaction
          ? connection.executeQuery(query)
          : this.#patiently(() => connection.executeQuery(query)),
    })
  }
  #connection: DatabaseConnection | undefined

  async #patiently<T>(attempt: () => T | Promise<T>): Promise<T> {
    const deadline = performance.now() + patience
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw error
      }
      await delay(1 + Math.random() * 4)
    }
  }
}

/** SQLite does roll back DDL; with this Kysely's Migrator runs its steps inside a transaction. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

type DialectConfig = ConstructorParameters<typeof SqliteDialect>[0]

class ImmediateDialect extends SqliteDialect {
  readonly #config: DialectConfig
  readonly #database: Sqlite.Database
  constructor(database: Sqlite.Database) {
    const config = { database: holdingStatements(database) }
    super(config)
    this.#config = config
    this.#database = database
  }
  override createDriver() {
    return new ImmediateDriver(this.#config, this.#database)
  }
  override createAdapter() {
    return new TransactionalAdapter()
  }
}

/** Keeps prepared statements: preparing costs about three times what running does. */
const holdingStatements = (database: Sqlite.Database) => {
  const held = boundedMap<Sqlite.Statement>(500)
  return {
    close: () => void database.close(),
    prepare: (sql: string) => {
      let statement = held.get(sql)
      if (!statement) {
        statement = database.prepare(sql)
        held.set(sql, statement)
      }
      return statement as never
    },
  }
}

export interface SqliteFile {
  readonly dialect: SqliteDialect
  /** Reads beside the writer, never waiting for it: for the questions of the hot paths. */
  readonly reader: Sqlite.Database
}

/** Opens the file for the event loop's own reads and writes. */
export const openSqlite = (file: string): SqliteFile => ({
  dialect: new ImmediateDialect(connectFirst(file)),
  reader: connect(file, true),
})
