import { setTimeout as delay } from 'node:timers/promises'
import type Sqlite from 'better-sqlite3'
import { SqliteAdapter, SqliteDialect, SqliteDriver, type DatabaseConnection } from 'kysely'
import { boundedMap } from './bounded_map.ts'
import { busyTimeoutMs, connect, connectFirst } from './sqlite/connect.ts'

const isBusy = (error: unknown) => (error as NodeJS.ErrnoException).code?.startsWith('SQLITE_BUSY') === true

/**
 * Begins every transaction with `begin immediate`. A deferred transaction that reads and then writes fails with
 * SQLITE_BUSY_SNAPSHOT when another connection has written in between. While another thread or process holds the lock,
 * this driver retries from the event loop. Waiting inside SQLite would block everything else, and would never end if
 * the other transaction waits for this event loop.
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
    await this.#retryWhileBusy(() => this.#begin.run())
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return (this.#connection ??= {
      streamQuery: (...args) => connection.streamQuery(...args),
      // Inside a transaction we already hold the lock.
      executeQuery: (query) =>
        this.#database.inTransaction
          ? connection.executeQuery(query)
          : this.#retryWhileBusy(() => connection.executeQuery(query)),
    })
  }
  #connection: DatabaseConnection | undefined

  async #retryWhileBusy<T>(attempt: () => T | Promise<T>): Promise<T> {
    const deadline = performance.now() + busyTimeoutMs
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

/** SQLite can roll back DDL, so Kysely's Migrator may run its steps inside a transaction. */
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
    const config = { database: withStatementCache(database) }
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

/** Caches prepared statements: preparing one costs about three times as much as running it. */
const withStatementCache = (database: Sqlite.Database) => {
  const statements = boundedMap<Sqlite.Statement>(500)
  return {
    close: () => void database.close(),
    prepare: (sql: string) => {
      let statement = statements.get(sql)
      if (!statement) {
        statement = database.prepare(sql)
        statements.set(sql, statement)
      }
      return statement as never
    },
  }
}

export interface SqliteFile {
  readonly dialect: SqliteDialect
  /** A read-only connection that never waits for the writer: for queries on hot paths. */
  readonly reader: Sqlite.Database
}

/** Opens the file for reads and writes on the event loop. */
export const openSqlite = (file: string): SqliteFile => ({
  dialect: new ImmediateDialect(connectFirst(file)),
  reader: connect(file, true),
})
