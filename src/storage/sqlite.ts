import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'

/** Milliseconds that a writer waits for the writers of other processes. */
const patience = 5000

/**
 * A read-then-write transaction that begins deferred fails with SQLITE_BUSY_SNAPSHOT when another process wrote meanwhile.
 * While another process writes, this one goes on with everything else: waiting inside SQLite would hold up all of it.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #begin: Sqlite.Statement
  readonly #impatient: Sqlite.Statement
  readonly #patient: Sqlite.Statement
  constructor(config: DialectConfig, database: Sqlite.Database) {
    super(config)
    this.#begin = database.prepare('begin immediate')
    this.#impatient = database.prepare('pragma busy_timeout = 0')
    this.#patient = database.prepare(`pragma busy_timeout = ${patience}`)
  }

  override async beginTransaction(): Promise<void> {
    const deadline = performance.now() + patience
    while (!this.#begins(performance.now() >= deadline)) await delay(1 + Math.random() * 4)
  }

  #begins(last: boolean): boolean {
    this.#impatient.get()
    try {
      this.#begin.run()
      return true
    } catch (error) {
      if (last || !(error as NodeJS.ErrnoException).code?.startsWith('SQLITE_BUSY')) throw error
      return false
    } finally {
      this.#patient.get()
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
  const held = new Map<string, Sqlite.Statement>()
  return {
    close: () => void database.close(),
    prepare: (sql: string) => {
      let statement = held.get(sql)
      if (!statement) {
        statement = database.prepare(sql)
        if (held.size >= 500) held.clear()
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

const damaged = (file: string, how: string) =>
  new Error(`the database file ${file} is damaged (${how.split('\n').join(' ')}); restore it from a backup`)

/** Opens the file as WAL with `synchronous=FULL`: what a commit acknowledged survives a power loss. */
export const openSqlite = (file: string): SqliteFile => {
  // Made by us with 0600 before SQLite sees it: its own files (WAL, index) take the mode of the database.
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600))
  chmodSync(file, 0o600)
  const database = new Sqlite(file, { timeout: patience })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    database.pragma('trusted_schema = OFF')
    const check = database.pragma('quick_check(1)', { simple: true })
    if (check !== 'ok') throw damaged(file, String(check))
  } catch (error) {
    database.close()
    const { code, message } = error as NodeJS.ErrnoException
    throw /^SQLITE_(NOTADB|CORRUPT)/.test(code ?? '') ? damaged(file, message) : error
  }
  return {
    dialect: new ImmediateDialect(database),
    reader: new Sqlite(file, { readonly: true, timeout: patience }),
  }
}
