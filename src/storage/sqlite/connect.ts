import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'

/** Milliseconds that a writer waits for the writers of other connections. */
export const patience = 5000

/** In bytes: what the write-ahead log is cut back to once all of it is in the database. */
const longestLog = 64 * 1024 * 1024

export const damaged = (file: string, how: string) =>
  new Error(`the database file ${file} is damaged (${how.split('\n').join(' ')}); restore it from a backup`)

/** An error of SQLite that says that the file is none of its own or broken, as one line for people; others as they are. */
export const asDamage = (file: string, error: unknown): unknown => {
  const { code, message } = error as NodeJS.ErrnoException
  return /^SQLITE_(NOTADB|CORRUPT)/.test(code ?? '') ? damaged(file, message) : error
}

/** A connection as WAL with `synchronous=FULL`: what a commit acknowledged survives a power loss. */
export const connect = (file: string, readonly = false): Sqlite.Database => {
  const database = new Sqlite(file, { readonly, timeout: patience })
  try {
    if (!readonly) {
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.pragma('foreign_keys = ON')
      database.pragma(`journal_size_limit = ${longestLog}`)
    }
    database.pragma('trusted_schema = OFF')
    return database
  } catch (error) {
    database.close()
    throw asDamage(file, error)
  }
}

/**
 * The writing connection of a process; the file is made if it is not there. Reads the header, compares the size, and reads the
 * schema, which finds a file that is none, cut off or overwritten at its head; the rest is checked after the start.
 */
export const connectFirst = (file: string): Sqlite.Database => {
  // Made by us with 0600 before SQLite sees it: its own files (WAL, index) take the mode of the database.
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600))
  chmodSync(file, 0o600)
  const database = connect(file)
  try {
    database.prepare('select count(*) from sqlite_schema').get()
    return database
  } catch (error) {
    database.close()
    throw asDamage(file, error)
  }
}
