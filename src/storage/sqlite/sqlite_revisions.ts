import { closeSync, openSync, readSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'
import type { Subject } from '../schema.ts'
import type { Revisions } from '../revisions.ts'

/** Size of the header of the WAL index. Every commit rewrites it (WAL-index format, section 2.1). */
const walHeaderBytes = 48

/** Detects a commit with one system call. The pragma takes several, and takes locks. */
class WalIndex {
  readonly #file: number
  readonly #seen = Buffer.alloc(walHeaderBytes)
  readonly #current = Buffer.alloc(walHeaderBytes)

  constructor(database: string) {
    this.#file = openSync(`${database}-shm`, 'r')
  }

  /** True if the header changed since the last call, or cannot be read. */
  hasMoved(): boolean {
    if (
      readSync(this.#file, this.#current, 0, walHeaderBytes, 0) === walHeaderBytes &&
      this.#current.equals(this.#seen)
    )
      return false
    this.#current.copy(this.#seen)
    return true
  }

  close(): void {
    closeSync(this.#file)
  }
}

/**
 * SQLite: `PRAGMA data_version` changes when any other connection commits, in this process or another, and costs a few
 * microseconds. It runs once per turn of the event loop: all bytes of a request were read before its first query, so
 * nobody who knew of a later change can have sent it.
 */
export class SqliteRevisions implements Revisions {
  readonly #reader: Sqlite.Database
  readonly #renew: () => void
  readonly #version: Sqlite.Statement<[], number>
  readonly #rows: Sqlite.Statement<[], { subject: Subject; value: number }>
  readonly #values = new Map<Subject, number>()
  readonly #index: WalIndex
  readonly #hint: () => void
  stamp = 0
  #seen = -1
  #checked = false
  readonly #recheck = () => {
    this.#checked = false
  }

  /**
   * `renew` ends the snapshot that `reader` has open, if any: no change is visible inside it. `hint` is called when
   * something may have changed, earlier than a periodic look would find it.
   */
  constructor(reader: Sqlite.Database, renew: () => void, hint: () => void) {
    this.#reader = reader
    this.#renew = renew
    this.#hint = hint
    this.#version = reader.prepare<[], number>('pragma data_version').pluck()
    this.#rows = reader.prepare('select subject, value from revisions')
    // The first query creates the index file.
    this.#version.get()
    this.#index = new WalIndex(reader.name)
  }

  refresh(): undefined {
    if (this.#checked) return
    this.#checked = true
    queueMicrotask(this.#recheck)
    this.#renew()
    // Check the index before the version: a commit in between is found the next time.
    if (!this.#index.hasMoved()) return
    const version = this.#version.get()!
    if (version === this.#seen) return
    for (const { subject, value } of this.#rows.all()) {
      if (this.#values.get(subject) === value) continue
      this.#values.set(subject, value)
      this.stamp++
    }
    this.#seen = version
  }

  of(subject: Subject): number {
    return this.#values.get(subject) ?? 0
  }

  invalidate(): void {
    this.#checked = false
    this.#renew()
    this.#hint()
  }

  async committed(): Promise<void> {
    this.invalidate()
  }

  async close(): Promise<void> {
    this.#index.close()
    this.#reader.close()
  }
}
