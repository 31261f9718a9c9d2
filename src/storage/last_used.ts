import type { Database } from './database.ts'

/** Seconds that the database may lag behind. */
const lag = 60

/** Something that is used and tells when. */
export interface Used {
  readonly id: string
  used_at: number
}

/** When the rows of a table were last used: noted in memory at every request, written down at most once a minute. */
export class Uses {
  readonly #database: Database
  readonly #record: (id: string, at: number) => Promise<unknown>
  #used = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** `record` writes down when one row was used, inside a transaction; a later time that stands there stays. */
  constructor(database: Database, record: (id: string, at: number) => Promise<unknown>) {
    this.#database = database
    this.#record = record
  }

  note(one: Used, at: number): void {
    if (one.used_at > at - lag) return
    one.used_at = at
    this.#used.set(one.id, at)
    // A minute is soon enough, and what a crash takes with it is a minute.
    if (!this.#closed)
      this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), lag * 1000).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#write().catch(() => {})
  }

  /** Caches stay as they are: this makes nobody somebody else. */
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
