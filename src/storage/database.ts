import { AsyncLocalStorage } from 'node:async_hooks'
import { sql, type Compilable, type Kysely, type Transaction } from 'kysely'
import { AppError } from '../contract/errors.ts'
import { ChangeWatch } from './change_watch.ts'
import { asUnavailable } from './unavailable.ts'
import { PreparedQuery, type Prepared, type Values } from './prepared.ts'
import type { SnapshotReader } from './reader.ts'
import { raiseRevisions, type Revisions } from './revisions.ts'
import { entriesSince, type ChangedEntries } from './revision_log.ts'
import type { Schema, Subject } from './schema.ts'
import type { SqliteThread } from './sqlite/threads.ts'

/** An arbitrary number that all nodes share: the advisory lock that allows one write transaction at a time. */
const writerLock = 7_310_997

/** Pages of 4 KB. In a file of at most this size, no statement blocks the event loop for long (measured: 14 ms). */
const smallFilePages = 1000

/** The connection that the current call uses, outside a transaction. */
interface Aside {
  readonly kysely: Kysely<Schema>
  readonly transaction?: undefined
}

/**
 * The condition of the database file: `checking` until all of it was checked, `damaged` if something is wrong with it.
 */
export type Condition = 'checking' | 'ok' | 'damaged'

interface Open {
  readonly transaction: Transaction<Schema>
  readonly raised: ChangedEntries
  readonly afterwards: (() => void)[]
}

/**
 * The only way to the tables. `query` is the transaction of the current call inside `write`, and the database
 * otherwise. So a folder reads and writes without knowing whether it runs alone or as a part of something larger.
 */
export class Database {
  readonly kind: 'sqlite' | 'postgres'
  readonly revisions: Revisions
  readonly changes: ChangeWatch
  /** Of the SQLite file. PostgreSQL maintains its own files. */
  condition: Condition
  /** SQLite: one thread for large reads, and one for background work. PostgreSQL needs neither. */
  readonly threads: { readonly reading: SqliteThread; readonly jobs: SqliteThread } | undefined
  readonly #kysely: Kysely<Schema>
  /** SQLite: reads without ever waiting for the writer. */
  readonly #reader: SnapshotReader | undefined
  readonly #open = new AsyncLocalStorage<Open | Aside>()

  constructor(
    kind: 'sqlite' | 'postgres',
    kysely: Kysely<Schema>,
    revisions: Revisions,
    reader?: SnapshotReader,
    threads?: Database['threads'],
  ) {
    this.kind = kind
    this.#reader = reader
    this.#kysely = kysely
    this.revisions = revisions
    this.changes = new ChangeWatch(revisions)
    this.threads = threads
    this.condition = kind === 'sqlite' ? 'checking' : 'ok'
  }

  get query(): Kysely<Schema> {
    const open = this.#open.getStore()
    return open === undefined ? this.#kysely : (open.transaction ?? open.kysely)
  }

  /**
   * For reads that would block the event loop for too long: searches, and lists with rare rows. Inside `write`, this is
   * its transaction.
   */
  get reading(): Kysely<Schema> {
    return this.#open.getStore() === undefined && this.threads ? this.threads.reading.kysely : this.query
  }

  /** Whether the file is too small to need a thread, which takes 10 MB of memory. */
  get small(): boolean {
    return this.#reader !== undefined && this.#reader.pages <= smallFilePages
  }

  /** Runs `work` so that none of its statements blocks the event loop. */
  inBackground<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open.getStore() !== undefined || !this.threads || this.small) return work()
    return this.#open.run({ kysely: this.threads.jobs.kysely }, work)
  }

  /**
   * A one-row query for a hot path, built at its first call. SQLite answers it without a promise, with a cached
   * statement on the reading connection. Inside `write` it runs in the transaction. On PostgreSQL it is an ordinary
   * query.
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

  /** Whether another process's change is visible as soon as it commits. PostgreSQL notifies us a moment later. */
  get seesCommitsAtOnce(): boolean {
    return this.kind === 'sqlite'
  }

  /** True inside `write`: what is read now may still be rolled back, so it must not be cached. */
  get writing(): boolean {
    return this.#open.getStore()?.transaction !== undefined
  }

  /**
   * Runs `work` in one transaction, one writer at a time on all nodes, so that nothing can come between a check and the
   * change it allows. A `write` inside a `write` joins it. Never wait for hashing or the network inside.
   */
  async write<T>(work: () => Promise<T>): Promise<T> {
    const current = this.#open.getStore()
    if (current?.transaction) return work()
    if (this.condition === 'damaged') throw damagedFile()
    const raised: ChangedEntries = new Map()
    const afterwards: (() => void)[] = []
    try {
      const result = await (current?.kysely ?? this.#kysely).transaction().execute(async (transaction) => {
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
   * Marks, inside `write`, what caches hold of this subject as out of date: these `entries`, or anything if none are
   * given. For groups, an entry is the id of a group whose own row, outer groups or grants changed.
   */
  changed(subject: Subject, entries?: readonly string[]): void {
    const open = this.#open.getStore()
    if (!open?.transaction) throw new TypeError('changed() must be called inside write()')
    const before = open.raised.get(subject)
    const any = entries === undefined || before === 'any'
    open.raised.set(subject, any ? 'any' : new Set([...(before ?? []), ...entries]))
  }

  /**
   * The entries of a subject that changed after revision `from`, up to at least `to`. `unknown` if the log does not go
   * back that far.
   */
  changedSince(subject: Subject, from: number, to: number): Promise<ReadonlySet<string> | 'unknown'> {
    return entriesSince(this.#kysely, subject, from, to)
  }

  /** Runs `then` once the current transaction commits, and never if it rolls back. Call inside `write`. */
  afterCommit(then: () => void): void {
    const open = this.#open.getStore()
    if (!open?.transaction) throw new TypeError('afterCommit() must be called inside write()')
    open.afterwards.push(then)
  }

  /** The file is damaged: makes SQLite itself reject every further write from this process. */
  async refuseWrites(): Promise<void> {
    this.condition = 'damaged'
    const connections = [this.#kysely, ...(this.threads ? [this.threads.jobs.kysely] : [])]
    for (const kysely of connections) await sql`pragma query_only = on`.execute(kysely)
  }

  /** Stops commits of this process from moving the write-ahead log into the file: another thread does that. */
  async disableAutoCheckpoint(): Promise<void> {
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
    'The database file is damaged: writes are refused until it is restored from a backup',
    { reason: 'damaged' },
  )
