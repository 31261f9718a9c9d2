import type { Database } from '../storage/database.ts'
import type { LiveSession } from './live_session.ts'

/** Seconds that the database may lag behind. */
const lag = 60

/** When sessions were last used: noted in memory at every request, written down at most once a minute. */
export class SessionUses {
  readonly #database: Database
  #used = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(database: Database) {
    this.#database = database
  }

  note(session: LiveSession, at: number): void {
    if (session.used_at > at - lag) return
    session.used_at = at
    this.#used.set(session.id, at)
    // A minute is soon enough, and what a crash takes with it is a minute.
    if (!this.#closed)
      this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), lag * 1000).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#write().catch(() => {})
  }

  /** Caches of sessions stay as they are: this makes nobody somebody else. */
  async #write(): Promise<void> {
    this.#timer = undefined
    const used = this.#used
    this.#used = new Map()
    if (used.size === 0) return
    await this.#database.write(async () => {
      for (const [id, at] of used)
        await this.#database.query
          .updateTable('sessions')
          .set({ last_used_at: at })
          .where('id', '=', id)
          .where('last_used_at', '<', at)
          .execute()
    })
  }
}
