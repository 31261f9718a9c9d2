import { setImmediate as turn } from 'node:timers/promises'
import type { Log } from '../log/log.ts'
import type { Database } from './database.ts'
import { now } from './ids.ts'

export interface QueuedRow {
  readonly id: string
  /** Attempts that failed so far. */
  readonly tries: number
}

/** What the owner of a queue table provides: its statements, and the work that a row stands for. */
export interface QueueOwner<Row extends QueuedRow> {
  readonly database: Database
  readonly log: Log
  /** The log message when the rows cannot be read. */
  readonly unreadable: string
  readonly lookEveryMs: number
  /** Seconds for which one attempt has its row to itself, on all nodes. Longer than any attempt lasts. */
  readonly leaseSeconds: number
  /** All rows go to one receiver: if a whole batch fails, the rest waits for the next look. */
  readonly oneReceiver: boolean
  /** A batch of the rows that are due at `at`, in Unix seconds. */
  readonly due: (at: number) => Promise<Row[]>
  /** Sets when rows are due next. */
  readonly defer: (ids: readonly string[], dueAt: number) => Promise<unknown>
  /** Does the work, outside any transaction. Rejects if it failed. */
  readonly attempt: (row: Row) => Promise<void>
  /** Records that the work is done. */
  readonly done: (row: Row) => Promise<unknown>
  /** Records that the attempt failed, and when the next one is due, if any. `tries` includes this one. */
  readonly failed: (row: Row, tries: number, error: Error) => Promise<unknown>
}

/**
 * Work that survives a restart: a row is written in the transaction of its cause, and attempted until it succeeds or is
 * given up.
 */
export class RowQueue<Row extends QueuedRow> {
  readonly #owner: QueueOwner<Row>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #lookAgain = false

  constructor(owner: QueueOwner<Row>) {
    this.#owner = owner
  }

  /** Starts to do the work that is due, until `close`. One process per machine is enough. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), this.#owner.lookEveryMs).unref()
    this.wake()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#running
  }

  /** Looks for rows, because one was committed. Does nothing in a process that did not start the queue. */
  wake(): void {
    if (this.#timer === undefined) return
    if (this.#running) {
      this.#lookAgain = true
      return
    }
    this.#lookAgain = false
    this.#running = this.#run()
      .catch((error: Error) => this.#owner.log.warn({ error: error.message }, this.#owner.unreadable))
      .finally(() => {
        this.#running = undefined
        if (this.#lookAgain) this.wake()
      })
  }

  async #run(): Promise<void> {
    while (this.#timer !== undefined) {
      // Look without the write lock first: almost always there is nothing.
      if ((await this.#owner.due(now())).length === 0) return
      const rows = await this.#take()
      // One begins in each turn of the event loop: the work may sign or hash first.
      let begun = Promise.resolve()
      const attempts = await Promise.allSettled(
        rows.map((row) => (begun = begun.then(() => turn())).then(() => this.#attempt(row))),
      )
      const done = attempts.map((each) => {
        if (each.status === 'rejected') throw each.reason
        return each.value
      })
      if (rows.length === 0 || (this.#owner.oneReceiver && !done.includes(true))) return
    }
  }

  /** Reserves rows for this process, so that no other works on them at the same time. */
  #take(): Promise<Row[]> {
    const { database, due, defer, leaseSeconds } = this.#owner
    return database.write(async () => {
      const rows = await due(now())
      if (rows.length > 0)
        await defer(
          rows.map(({ id }) => id),
          now() + leaseSeconds,
        )
      return rows
    })
  }

  /** Returns true if the work succeeded. */
  async #attempt(row: Row): Promise<boolean> {
    const { database, attempt, done, failed } = this.#owner
    const error = await attempt(row).then(
      () => undefined,
      (fault: Error) => fault,
    )
    await database.write(() => (error ? failed(row, row.tries + 1, error) : done(row)))
    return error === undefined
  }
}
