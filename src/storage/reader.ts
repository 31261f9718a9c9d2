import type Sqlite from 'better-sqlite3'

/**
 * Reads one row at a time with cached statements. Opening and closing a snapshot costs more than most reads, so the
 * reads of one callback share one snapshot from the second read on. All bytes of a request arrived before its callback,
 * so nobody who knew of a later change can have sent it.
 */
export class SnapshotReader {
  readonly #database: Sqlite.Database
  readonly #begin: Sqlite.Statement
  readonly #commit: Sqlite.Statement
  readonly #pages: Sqlite.Statement<[], number>
  /** Reads in the current callback, since the last `renew`. */
  #reads = 0

  constructor(database: Sqlite.Database) {
    this.#database = database
    this.#begin = database.prepare('begin')
    this.#commit = database.prepare('commit')
    this.#pages = database.prepare<[], number>('pragma page_count').pluck()
  }

  /** The size of the database, in pages of 4 KB. */
  get pages(): number {
    return this.#pages.get()!
  }

  prepare<R>(sql: string): (values: unknown[]) => R | undefined {
    const statement = this.#database.prepare<unknown[], R>(sql)
    return (values) => {
      this.#reads++
      if (this.#reads === 1) queueMicrotask(this.renew)
      else if (!this.#database.inTransaction) this.#begin.run()
      return statement.get(...values)
    }
  }

  /** Later reads are no older than this call. */
  readonly renew = (): void => {
    this.#reads = 0
    if (this.#database.open && this.#database.inTransaction) this.#commit.run()
  }
}
