import type { Database } from './database.ts'

/** Seconds by which the database may lag behind. */
const lagSeconds = 60

/** An object that records when it was last used. */
export interface Used {
  readonly id: string
  used_at: number
}

/** Records when rows were last used: in memory at every request, in the database at most once a minute. */
export class LastUsed {
  readonly #database: Database
  readonly #record: (id: string, at: number) => Promise<unknown>
  #used = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * `record` writes, inside a transaction, when one row was used. It must keep a later time that is already in the row.
   */
  constructor(database: Database, record: (id: string, at: number) => Promise<unknown>) {
    this.#database = database
    this.#record = record
  }

  note(used: Used, at: number): void {
    if (used.used_at > at - lagSeconds) return
    used.used_at = at
    this.#used.set(used.id, at)
    // One minute is often enough, and a crash loses no more than that.
    if (!this.#closed)
      this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), lagSeconds * 1000).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#write().catch(() => {})
  }

  /** Does not invalidate caches: a time of last use changes no permission. */
  async #write(): Promise<void> {
    this.#timer = undefined
    const used = this.#used
    this.#used = new Map()
    if (used.size === 0) return
    await this.#database.write(async () => {
      for (const [id, at] of used) await this.#record(id, at)
    })
  }
}
