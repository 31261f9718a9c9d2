import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import type { Schema } from '../schema.ts'
import type { ThreadData, ThreadRequest, ThreadResponse } from './thread_messages.ts'

/** Milliseconds without work after which a thread ends. */
const idleTimeoutMs = 10_000

/** Omit for each member of a union. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never

interface Pending {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/**
 * SQLite in a thread with its own connection, so that large reads and writes do not block the event loop. The thread
 * starts on first use and ends when idle. `kysely` runs queries and transactions there.
 */
export class SqliteThread {
  readonly kysely: Kysely<Schema>
  readonly #data: ThreadData
  readonly #pending = new Map<number, Pending>()
  readonly #answers = new Set<Promise<unknown>>()
  #worker: Worker | undefined
  #next = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(data: ThreadData) {
    this.#data = data
    this.kysely = new Kysely<Schema>({ dialect: new ThreadDialect(this) })
  }

  /**
   * Runs the default export of a module in the thread. Nothing else runs at the same time, and no transaction is open.
   */
  run<A, R>(module: URL, argument: A): Promise<R> {
    // Holding Kysely's only connection keeps transactions out.
    return this.kysely.connection().execute(() => this.request<R>({ module: module.href, argument }))
  }

  /** The current worker. A transaction ends with the worker in which it began. */
  get running(): Worker | undefined {
    return this.#worker
  }

  /** Sends one message and resolves with its result. */
  request<R>(message: Without<Exclude<ThreadRequest, 'close'>, 'id'>): Promise<R> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'))
    clearTimeout(this.#timer)
    const worker = (this.#worker ??= this.#start())
    // A busy thread keeps the process alive; an idle one does not.
    worker.ref()
    const id = this.#next++
    const answer = new Promise<R>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      worker.postMessage({ ...message, id })
    })
    this.#answers.add(answer)
    return answer.finally(() => {
      this.#pending.delete(id)
      this.#answers.delete(answer)
      if (this.#pending.size > 0) return
      worker.unref()
      clearTimeout(this.#timer)
      if (!this.#closed) this.#timer = setTimeout(() => this.#endIdle(), idleTimeoutMs).unref()
    })
  }

  #start(): Worker {
    const script = new URL(`./sqlite_thread${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(script, { workerData: this.#data })
    worker.on('message', (message: ThreadResponse) => {
      const pending = this.#pending.get(message.id)
      if ('result' in message) pending?.resolve(message.result as never)
      else pending?.reject(Object.assign(new Error(message.error), { code: message.code }))
    })
    const fail = (error: Error) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#pending.values()) reject(error)
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(Object.assign(new Error('the thread ended'), { code: 'SQLITE_IOERR' })))
    return worker
  }

  /** Never interrupts a transaction: its statements are one or two turns of the event loop apart, not seconds. */
  #endIdle(): void {
    this.#worker?.postMessage('close')
    this.#worker = undefined
  }

  /** Waits for work in progress, which takes about a second at most. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.kysely.destroy()
    await Promise.allSettled(this.#answers)
    const worker = this.#worker
    this.#worker = undefined
    if (!worker) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    worker.postMessage('close')
    await ended
  }
}

/** Kysely's SQLite dialect with a different driver. */
class ThreadDialect implements Dialect {
  readonly #thread: SqliteThread
  constructor(thread: SqliteThread) {
    this.#thread = thread
  }
  readonly createDriver = () => new ThreadDriver(this.#thread)
  readonly createAdapter = () => new SqliteAdapter()
  readonly createQueryCompiler = () => new SqliteQueryCompiler()
  readonly createIntrospector = (kysely: Kysely<never>) => new SqliteIntrospector(kysely)
}

class ThreadDriver implements Driver {
  readonly #thread: SqliteThread
  readonly #connection: DatabaseConnection
  /** The thread in which the open transaction began. */
  #transactionThread: Worker | undefined

  constructor(thread: SqliteThread) {
    this.#thread = thread
    this.#connection = {
      executeQuery: (query) => this.#execute(query),
      streamQuery: () => {
        throw new TypeError('streaming is not supported: read rows in pages')
      },
    }
  }

  async #execute<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    // When a thread ends, SQLite rolls its transaction back. In the next thread, the remaining statements would run
    // outside it.
    if (this.#transactionThread !== undefined && this.#transactionThread !== this.#thread.running)
      throw Object.assign(new Error('the thread ended within a transaction'), { code: 'SQLITE_IOERR' })
    const { rows, changes } = await this.#thread.request<{ rows: R[]; changes?: number }>({ sql, parameters })
    return changes === undefined ? { rows } : { rows, numAffectedRows: BigInt(changes) }
  }

  async init() {}

  async acquireConnection() {
    return this.#connection
  }

  /**
   * A transaction that reads before it writes must not begin deferred: it would fail if another writer came in between.
   */
  async beginTransaction() {
    await this.#execute(CompiledQuery.raw('begin immediate'))
    this.#transactionThread = this.#thread.running
  }

  async commitTransaction() {
    await this.#execute(CompiledQuery.raw('commit'))
    this.#transactionThread = undefined
  }

  async rollbackTransaction() {
    try {
      await this.#execute(CompiledQuery.raw('rollback'))
    } finally {
      this.#transactionThread = undefined
    }
  }

  async releaseConnection() {}
  async destroy() {}
}
