import { closeSync, openSync, readSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'
import type { Subject } from '../schema.ts'
import type { Revisions } from '../revisions.ts'

/** Of the index of the write-ahead log, in bytes: every commit writes it anew (the WAL-index format, section 2.1). */
const walHeader = 48

/** Tells by one system call whether anything was committed; the pragma takes several, and locks. */
class WalIndex {
  readonly #file: number
  readonly #seen = Buffer.alloc(walHeader)
  readonly #now = Buffer.alloc(walHeader)

  constructor(database: string) {
    this.#file = openSync(`${database}-shm`, 'r')
  }

  /** True if it has changed since it was asked last, and where it cannot be read. */
  moved(): boolean {
    if (readSync(this.#file, this.#now, 0, walHeader, 0) === walHeader && this.#now.equals(this.#seen))
      return false
    this.#now.copy(this.#seen)
    return true
  }

  close(): void {
    closeSync(this.#file)
  }
}

/**
 * SQLite: `PRAGMA data_version` moves when any other connection commits, in this process or another, and costs a few
 * microseconds. It is asked once for what runs until the event loop turns: the bytes of a request were all read before
 * its first question, so nobody who knows of a change can have sent it after the answer.
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
  #asked = false
  readonly #turned = () => {
    this.#asked = false
  }

  /**
   * `renew` ends the snapshot that `reader` has, if any: within it no change is seen. `hint` is called when something may have
   * changed, sooner than a look by the clock would find it.
   */
  constructor(reader: Sqlite.Database, renew: () => void, hint: () => void) {
    this.#reader = reader
    this.#renew = renew
    this.#hint = hint
    this.#version = reader.prepare<[], number>('pragma data_version').pluck()
    this.#rows = reader.prepare('select subject, value from revisions')
    // Asked once, the index is there.
    this.#version.get()
    this.#index = new WalIndex(reader.name)
  }

  refresh(): undefined {
    if (this.#asked) return
    this.#asked = true
    queueMicrotask(this.#turned)
    this.#renew()
    // Before the version: a commit in between is found the next time.
    if (!this.#index.moved()) return
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

  forget(): void {
    this.#asked = false
    this.#renew()
    this.#hint()
  }

  async committed(): Promise<void> {
    this.forget()
  }

  async close(): Promise<void> {
    this.#index.close()
    this.#reader.close()
  }
}
