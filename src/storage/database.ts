import { AsyncLocalStorage } from 'node:async_hooks'
import { sql, type Compilable, type Kysely, type Transaction } from 'kysely'
import { AppError } from '../contract/errors.ts'
import { Changes } from './change_watch.ts'
import { asUnavailable } from './unavailable.ts'
import { PreparedQuery, type Prepared, type Values } from './prepared.ts'
import type { Reader } from './reader.ts'
import { raiseRevisions, type Revisions } from './revisions.ts'
import { entriesSince, type Raised } from './revision_log.ts'
import type { Schema, Subject } from './schema.ts'
import type { SqliteThread } from './sqlite/threads.ts'

/** Any number that all nodes agree on: the lock under which one write transaction runs at a time. */
const writerLock = 7_310_997

/** Pages of 4 KB, at most: no statement that reads or checks so few holds the event loop for long (measured: 14 ms). */
const smallFile = 1000

/** Where the present call reads and writes. */
interface Aside {
  readonly kysely: Kysely<Schema>
  readonly transaction?: undefined
}

/** How the file of the database is: `checking` until it was looked at whole, `damaged` if something is wrong with it. */
export type Condition = 'checking' | 'ok' | 'damaged'

interface Open {
  readonly transaction: Transaction<Schema>
  readonly raised: Raised
  readonly afterwards: (() => void)[]
}

/**
 * The one way to the tables. `query` is the transaction of the present call if it runs inside `write`, otherwise the
 * database; so a room reads and writes without knowing whether it is called alone or as a part of something larger.
 */
export class Database {
  readonly kind: 'sqlite' | 'postgres'
  readonly revisions: Revisions
  readonly changes: Changes
  /** Of SQLite's file; PostgreSQL looks after its own. */
  condition: Condition
  /** SQLite: a thread for what may read much, and one for work nobody waits for. PostgreSQL needs neither. */
  readonly threads: { readonly reading: SqliteThread; readonly jobs: SqliteThread } | undefined
  readonly #kysely: Kysely<Schema>
  /** Of SQLite: reads beside the writer and never waits for it. */
  readonly #reader: Reader | undefined
  readonly #open = new AsyncLocalStorage<Open | Aside>()

  constructor(
    kind: 'sqlite' | 'postgres',
    kysely: Kysely<Schema>,
    revisions: Revisions,
    reader?: Reader,
    threads?: Database['threads'],
  ) {
    this.kind = kind
    this.#reader = reader
    this.#kysely = kysely
    this.revisions = revisions
    this.changes = new Changes(revisions)
    this.threads = threads
    this.condition = kind === 'sqlite' ? 'checking' : 'ok'
  }

  get query(): Kysely<Schema> {
    const open = this.#open.getStore()
    return open === undefined ? this.#kysely : (open.transaction ?? open.kysely)
  }

  /** For reads that may take longer than the event loop can be held: searches, lists with rare rows. Inside `write`, its transaction. */
  get reading(): Kysely<Schema> {
    return this.#open.getStore() === undefined && this.threads ? this.threads.reading.kysely : this.query
  }

  /** Whether the file is so small that nothing in it needs a thread, which takes 10 MB of memory. */
  get small(): boolean {
    return this.#reader !== undefined && this.#reader.pages <= smallFile
  }

  /** Runs `work` so that none of its statements holds the event loop, however long they take: what it reads and what it writes. */
  aside<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open.getStore() !== undefined || !this.threads || this.small) return work()
    return this.#open.run({ kysely: this.threads.jobs.kysely }, work)
  }

  /**
   * A query of one row for a hot path, built once, at its first call. SQLite answers it without a promise, by a statement held on the
   * reading connection. Inside `write` it runs in the transaction, and on PostgreSQL it is a query like any other.
   */
  prepared<V extends Values, R>(build: (query: Kysely<Schema>, values: V) => Compilable<R>): Prepared<V, R> {
    let query: PreparedQuery<V, R> | undefined
    let read: ((values: unknown[]) => R | undefined) | undefined
    return (values) => {
      query ??= new PreparedQuery(this.#kysely, build)
      if (this.#reader === undefined || this.writing)
        return this.query.executeQuery(query.with(values)).then(({ rows }) => rows[0])
      read ??= this.#reader.prepare<R>(query.sql)
      return read(query.parameters(values))
    }
  }

  /** Whether a change of another process is known with its commit. On PostgreSQL it is heard of a moment later. */
  get hearsAtOnce(): boolean {
    return this.kind === 'sqlite'
  }

  /** True inside `write`: what is read now may yet be rolled back, so nothing read may be kept. */
  get writing(): boolean {
    return this.#open.getStore()?.transaction !== undefined
  }

  /**
   * Runs `work` in one transaction, one writer at a time on all nodes, so that a check and the change it allows cannot
   * be parted. A `write` inside a `write` joins it. Never wait for hashing or the network inside.
   */
  async write<T>(work: () => Promise<T>): Promise<T> {
    const at = this.#open.getStore()
    if (at?.transaction) return work()
    if (this.condition === 'damaged') throw damagedFile()
    const raised: Raised = new Map()
    const afterwards: (() => void)[] = []
    try {
      const result = await (at?.kysely ?? this.#kysely).transaction().execute(async (transaction) => {
        if (this.kind === 'postgres')
          await sql`select pg_advisory_xact_lock(${writerLock})`.execute(transaction)
        return this.#open.run({ transaction, raised, afterwards }, async () => {
          const done = await work()
          await raiseRevisions(transaction, raised, this.kind === 'postgres')
          return done
        })
      })
      if (raised.size > 0) await this.revisions.committed()
      for (const then of afterwards) then()
      return result
    } catch (error) {
      throw asUnavailable(error)
    }
  }

  /**
   * Says, inside `write`, that what caches of this subject hold is out of date: these `entries` of it, or, without them, any. Of
   * groups, an entry is the id of a group whose own row, outer groups or grants changed.
   */
  changed(subject: Subject, entries?: readonly string[]): void {
    const open = this.#open.getStore()
    if (!open?.transaction) throw new TypeError('a subject changes inside write() only')
    const before = open.raised.get(subject)
    const any = entries === undefined || before === 'any'
    open.raised.set(subject, any ? 'any' : new Set([...(before ?? []), ...entries]))
  }

  /** The entries of a subject that changed after one revision, up to another at least; `unknown` where the log does not say. */
  changedSince(subject: Subject, from: number, to: number): Promise<ReadonlySet<string> | 'unknown'> {
    return entriesSince(this.#kysely, subject, from, to)
  }

  /** Runs `then` once the present transaction is committed, and never if it is rolled back. Inside `write`. */
  afterCommit(then: () => void): void {
    const open = this.#open.getStore()
    if (!open?.transaction) throw new TypeError('what comes after a commit is said inside write() only')
    open.afterwards.push(then)
  }

  /** The file is damaged: SQLite itself takes nothing more from this process, whatever way it comes. */
  async refuseWrites(): Promise<void> {
    this.condition = 'damaged'
    const all = [this.#kysely, ...(this.threads ? [this.threads.jobs.kysely] : [])]
    for (const kysely of all) await sql`pragma query_only = on`.execute(kysely)
  }

  /** The commits of this process leave the write-ahead log as it is: another thread moves it into the file. */
  async leaveLog(): Promise<void> {
    if (this.kind === 'sqlite') await sql`pragma wal_autocheckpoint = 0`.execute(this.#kysely)
  }

  async close(): Promise<void> {
    this.changes.close()
    await this.threads?.jobs.close()
    await this.threads?.reading.close()
    await this.revisions.close()
    await this.#kysely.destroy()
  }
}

const damagedFile = () =>
  new AppError(
    'unavailable',
    'The database file is damaged: nothing is written until it is restored from a backup',
    { reason: 'damaged' },
  )
