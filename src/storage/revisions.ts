import { closeSync, openSync, readSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'
import { sql, type Kysely } from 'kysely'
import type { Client } from 'pg'
import type { Log } from '../log/log.ts'
import { logRevisions, type Raised } from './revision_log.ts'
import type { Schema, Subject } from './schema.ts'

/** How far each subject has changed. Caches compare it before every use and are never used past it. */
export interface Revisions {
  /**
   * Returns a promise only when the present state has to be asked for; caches wait for it before they answer. Silence
   * counts as no change for `trust` milliseconds.
   */
  refresh(trust?: number): Promise<void> | undefined
  of(subject: Subject): number
  /** Another number once anything of any subject has changed. */
  readonly stamp: number
  /** Another process says that it has changed something: what is known counts no more, and a question under way neither. */
  forget(): void
  /** After a commit of our own that raised some. */
  committed(): Promise<void>
  close(): Promise<void>
}

const raise = (query: Kysely<Schema>, raised: Raised) =>
  query
    .updateTable('revisions')
    .set((eb) => ({ value: eb('value', '+', 1) }))
    .where('subject', 'in', [...raised.keys()])
    .returning(['subject', 'value'])
    .execute()

/** Raises the revisions inside the transaction of the change; on PostgreSQL other nodes are told when it commits. */
export const raiseRevisions = async (query: Kysely<Schema>, raised: Raised, notify: boolean) => {
  if (raised.size === 0) return
  await logRevisions(query, raised, await raise(query, raised))
  if (notify) await sql`select pg_notify('hero_proxy_revisions', '')`.execute(query)
}

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

/** Milliseconds for which silence counts as no change: a dead connection or a pooler between may swallow a notification. */
const trustSilence = 1000

/** PostgreSQL: LISTEN tells of changes; while that connection is down, every question goes to the database. */
export class PostgresRevisions implements Revisions {
  readonly #connect: () => Client
  readonly #query: Kysely<Schema>
  readonly #log: Log
  readonly #values = new Map<Subject, number>()
  readonly #hint: () => void
  readonly #announce: () => Promise<void>
  stamp = 0
  #listener: Client | undefined
  #known = false
  /** Of a clock that nobody can set back: silence would be trusted until it has caught up. */
  #readAt = 0
  #closed = false
  #retry: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined

  /**
   * `hint` is called when something may have changed. `announce` lets the other processes of this daemon know of a commit of ours, and
   * resolves once they do.
   */
  constructor(
    connect: () => Client,
    query: Kysely<Schema>,
    log: Log,
    hint: () => void,
    announce: () => Promise<void>,
  ) {
    this.#connect = connect
    this.#query = query
    this.#log = log
    this.#hint = hint
    this.#announce = announce
  }

  async listen(): Promise<void> {
    const client = this.#connect()
    let ended = false
    const lost = () => {
      if (ended) return
      ended = true
      this.#known = false
      this.#listener = undefined
      if (this.#closed) return
      this.#log.warn('the connection that tells of changes was lost; asking the database meanwhile')
      this.#retry = setTimeout(() => void this.listen().catch(lost), 500).unref()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', () => this.forget())
    try {
      await client.connect()
      await client.query('listen hero_proxy_revisions')
      this.#listener = client
    } catch {
      lost()
    }
  }

  refresh(trust = trustSilence): Promise<void> | undefined {
    // While a read is on its way nothing is known yet, whatever it will find.
    if (this.#reading) return this.#reading
    if (this.#known && performance.now() - this.#readAt < trust) return undefined
    return this.#readBy(this.#read())
  }

  forget(): void {
    this.#known = false
    // One that is on its way may have looked before the change: whoever asks from now on waits for the one after it.
    if (this.#reading)
      void this.#readBy(this.#reading.catch(() => {}).then(() => this.#read())).catch(() => {})
    this.#hint()
  }

  #readBy(read: Promise<void>): Promise<void> {
    const reading = read.finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    // Caches ask whether they are warm and drop the promise if not: its failure is for those who wait for it.
    reading.catch(() => {})
    return (this.#reading = reading)
  }

  async #read(): Promise<void> {
    // Known only if no notification arrives while reading; without a listener it is never known.
    this.#known = this.#listener !== undefined
    this.#readAt = performance.now()
    const rows = await this.#query.selectFrom('revisions').selectAll().execute()
    for (const { subject, value } of rows) {
      if (this.#values.get(subject as Subject) === value) continue
      this.#values.set(subject as Subject, value)
      this.stamp++
    }
  }

  of(subject: Subject): number {
    return this.#values.get(subject) ?? 0
  }

  async committed(): Promise<void> {
    this.#known = false
    await Promise.all([this.#catchUp(), this.#announce()])
  }

  async #catchUp(): Promise<void> {
    // One that is on its way may have looked before our commit: the one after it has not.
    await this.#reading?.catch(() => {})
    await this.refresh()
    this.#hint()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#listener?.end()
  }
}
