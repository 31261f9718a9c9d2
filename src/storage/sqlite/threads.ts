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
import type { ThreadData, ToThread, FromThread } from './thread_messages.ts'

/** Milliseconds after which a thread that nobody needs ends. */
const idle = 10_000

/** The keys of a union's members, each on its own. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never

interface Asked {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/**
 * SQLite in a thread with a connection of its own, so that what reads or writes much does not hold the event loop. It starts when
 * it is first used and ends when it has been idle. `kysely` runs queries and transactions there.
 */
export class SqliteThread {
  readonly kysely: Kysely<Schema>
  readonly #data: ThreadData
  readonly #asked = new Map<number, Asked>()
  readonly #answers = new Set<Promise<unknown>>()
  #worker: Worker | undefined
  #next = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(data: ThreadData) {
    this.#data = data
    this.kysely = new Kysely<Schema>({ dialect: new ThreadDialect(this) })
  }

  /** Runs the default export of a module there. Nothing else runs meanwhile, and no transaction is open. */
  run<A, R>(module: URL, argument: A): Promise<R> {
    // Holding the one connection of Kysely keeps transactions out.
    return this.kysely.connection().execute(() => this.ask<R>({ module: module.href, argument }))
  }

  /** What runs at present: a transaction ends with the thread that it began in. */
  get running(): Worker | undefined {
    return this.#worker
  }

  /** Sends one message and resolves with its result. */
  ask<R>(message: Without<Exclude<ToThread, 'close'>, 'id'>): Promise<R> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'))
    clearTimeout(this.#timer)
    const worker = (this.#worker ??= this.#start())
    // A thread that works keeps the process alive, one that waits does not.
    worker.ref()
    const id = this.#next++
    const answer = new Promise<R>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      worker.postMessage({ ...message, id })
    })
    this.#answers.add(answer)
    return answer.finally(() => {
      this.#asked.delete(id)
      this.#answers.delete(answer)
      if (this.#asked.size > 0) return
      worker.unref()
      clearTimeout(this.#timer)
      if (!this.#closed) this.#timer = setTimeout(() => this.#endIdle(), idle).unref()
    })
  }

  #start(): Worker {
    const script = new URL(`./sqlite_thread${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(script, { workerData: this.#data })
    worker.on('message', (message: FromThread) => {
      const asked = this.#asked.get(message.id)
      if ('result' in message) asked?.resolve(message.result as never)
      else asked?.reject(Object.assign(new Error(message.error), { code: message.code }))
    })
    const gone = (error: Error) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.values()) reject(error)
    }
    worker.on('error', gone)
    worker.on('exit', () => gone(Object.assign(new Error('the thread ended'), { code: 'SQLITE_IOERR' })))
    return worker
  }

  /** Never in the middle of a transaction: its statements are apart by a turn or two of the loop, not by seconds. */
  #endIdle(): void {
    this.#worker?.postMessage('close')
    this.#worker = undefined
  }

  /** Lets what is under way finish, which takes about a second at most. */
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

/** Kysely's own SQLite dialect, but for the driver. */
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
  #begun: Worker | undefined

  constructor(thread: SqliteThread) {
    this.#thread = thread
    this.#connection = {
      executeQuery: (query) => this.#execute(query),
      streamQuery: () => {
        throw new TypeError('rows come in pages')
      },
    }
  }

  async #execute<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    // What a thread that ended had begun is rolled back; in the next one the rest of it would count alone.
    if (this.#begun !== undefined && this.#begun !== this.#thread.running)
      throw Object.assign(new Error('the thread ended within a transaction'), { code: 'SQLITE_IOERR' })
    const { rows, changes } = await this.#thread.ask<{ rows: R[]; changes?: number }>({ sql, parameters })
    return changes === undefined ? { rows } : { rows, numAffectedRows: BigInt(changes) }
  }

  async init() {}

  async acquireConnection() {
    return this.#connection
  }

  /** A transaction that reads before it writes cannot begin deferred: another writer in between would make it fail. */
  async beginTransaction() {
    await this.#execute(CompiledQuery.raw('begin immediate'))
    this.#begun = this.#thread.running
  }

  async commitTransaction() {
    await this.#execute(CompiledQuery.raw('commit'))
    this.#begun = undefined
  }

  async rollbackTransaction() {
    try {
      await this.#execute(CompiledQuery.raw('rollback'))
    } finally {
      this.#begun = undefined
    }
  }

  async releaseConnection() {}
  async destroy() {}
}
