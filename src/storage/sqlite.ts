import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { CompiledQuery, SqliteAdapter, SqliteDialect, SqliteDriver, type DatabaseConnection } from 'kysely'

/** A read-then-write transaction that begins deferred fails with SQLITE_BUSY_SNAPSHOT when another process wrote meanwhile. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/** SQLite does roll back DDL; with this Kysely's Migrator runs its steps inside a transaction. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: ConstructorParameters<typeof SqliteDialect>[0]
  constructor(config: ConstructorParameters<typeof SqliteDialect>[0]) {
    super(config)
    this.#config = config
  }
  override createDriver() {
    return new ImmediateDriver(this.#config)
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
  const database = new Sqlite(file, { timeout: 5000 })
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
    dialect: new ImmediateDialect({ database: holdingStatements(database) }),
    reader: new Sqlite(file, { readonly: true, timeout: 5000 }),
  }
}
