import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'

/** Milliseconds that a writer waits for writers on other connections. */
export const busyTimeoutMs = 5000

/** The write-ahead log is truncated to this size once all of it is in the database. */
const maxLogBytes = 64 * 1024 * 1024

export const damagedFileError = (file: string, how: string) =>
  new Error(`the database file ${file} is damaged (${how.split('\n').join(' ')}); restore it from a backup`)

/** Turns an SQLite error about a foreign or damaged file into one readable line. Returns any other error unchanged. */
export const asDamageError = (file: string, error: unknown): unknown => {
  const { code, message } = error as NodeJS.ErrnoException
  return /^SQLITE_(NOTADB|CORRUPT)/.test(code ?? '') ? damagedFileError(file, message) : error
}

/** Opens a connection in WAL mode with `synchronous=FULL`: an acknowledged commit survives a power loss. */
export const connect = (file: string, readonly = false): Sqlite.Database => {
  const database = new Sqlite(file, { readonly, timeout: busyTimeoutMs })
  try {
    if (!readonly) {
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.pragma('foreign_keys = ON')
      database.pragma(`journal_size_limit = ${maxLogBytes}`)
    }
    database.pragma('trusted_schema = OFF')
    return database
  } catch (error) {
    database.close()
    throw asDamageError(file, error)
  }
}

/**
 * The writing connection of a process. Creates the file if it does not exist. Reads the header, the size and the
 * schema, which detects a file that is not SQLite, truncated or overwritten at the start; the rest is checked after the
 * start.
 */
export const connectFirst = (file: string): Sqlite.Database => {
  // Create it with mode 0600 before SQLite opens it: SQLite's own files (WAL, index) take the mode of the database.
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600))
  chmodSync(file, 0o600)
  const database = connect(file)
  try {
    database.prepare('select count(*) from sqlite_schema').get()
    return database
  } catch (error) {
    database.close()
    throw asDamageError(file, error)
  }
}
