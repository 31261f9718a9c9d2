import type { Log } from '../log/log.ts'
import type { Database } from './database.ts'
import { now } from './ids.ts'

export interface QueuedRow {
  readonly id: string
  /** Attempts that failed so far. */
  readonly tries: number
}

/** What the owner of a table of waiting rows brings: its statements, and the work that a row stands for. */
export interface QueueOwner<Row extends QueuedRow> {
  readonly database: Database
  readonly log: Log
  /** What the log says when the rows cannot be read. */
  readonly unreadable: string
  readonly lookEveryMs: number
  /** Seconds for which one attempt has its row to itself, on all nodes: longer than any attempt lasts. */
  readonly leaseSeconds: number
  /** All rows go to one receiver: where it takes none of a batch, the rest waits for the next look. */
  readonly oneReceiver: boolean
  /** A batch of the rows that are due at `at`, in Unix seconds. */
  readonly due: (at: number) => Promise<Row[]>
  /** Writes when rows are due next. */
  readonly defer: (ids: readonly string[], dueAt: number) => Promise<unknown>
  /** Does the work, outside any transaction; rejects where it failed. */
  readonly attempt: (row: Row) => Promise<void>
  /** Writes that the work is done. */
  readonly done: (row: Row) => Promise<unknown>
  /** Writes that the attempt failed: when the next one is due, or that there is none. `tries` counts this one. */
  readonly failed: (row: Row, tries: number, error: Error) => Promise<unknown>
}

/** Work that outlives a restart: a row is written in the transaction of its cause, and attempted until it is done or given up. */
export class RowQueue<Row extends QueuedRow> {
  readonly #owner: QueueOwner<Row>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #lookAgain = false

  constructor(owner: QueueOwner<Row>) {
    this.#owner = owner
  }

  /** Begins to do what is due, now and as long as this process lives. One process per machine is enough. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), this.#owner.lookEveryMs).unref()
    this.wake()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#running
  }

  /** Looks for rows soon: one was committed. Does nothing in a process that did not start the queue. */
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
      // Looked for without the lock that writing takes: nearly always there is nothing.
      if ((await this.#owner.due(now())).length === 0) return
      const rows = await this.#take()
      const done = await Promise.all(rows.map((row) => this.#attempt(row)))
      if (rows.length === 0 || (this.#owner.oneReceiver && !done.includes(true))) return
    }
  }

  /** Takes rows for this process, so that no other works on them meanwhile. */
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

  /** True if the work is done. */
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
