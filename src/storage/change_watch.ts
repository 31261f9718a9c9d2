import type { Revisions } from './revisions.ts'
import type { Subject } from './schema.ts'

/**
 * How often to look for changes that send no notification, such as those of another process on the same SQLite file.
 */
const lookIntervalMs = 250
/** How long silence counts as no change: a lost notification is made up for after this time. */
const trustSilenceMs = 400

interface Watcher {
  readonly subjects: readonly Subject[]
  readonly listener: () => void
  /** Revisions only rise, so a higher sum means that one of them has risen. */
  seen: number
}

/** Notifies watchers of changes on any node: usually at once, after half a second at the latest. */
export class ChangeWatch {
  readonly #revisions: Revisions
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #lookAgain = false
  #scheduled = false

  constructor(revisions: Revisions) {
    this.#revisions = revisions
  }

  /**
   * Calls `listener` after a change to any of these subjects, possibly once for several changes. Returns a function
   * that stops watching.
   */
  watch(subjects: readonly Subject[], listener: () => void): () => void {
    const watcher: Watcher = { subjects, listener, seen: this.#sum(subjects) }
    this.#watchers.add(watcher)
    this.#timer ??= setInterval(() => void this.#look(), lookIntervalMs).unref()
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.close()
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#watchers.clear()
  }

  /** Something may have changed. Looks after the current call, which made the change, has answered. */
  lookSoon(): void {
    if (this.#scheduled || this.#watchers.size === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking || this.#watchers.size === 0) return
    this.#looking = true
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false
        await this.#revisions.refresh(trustSilenceMs)
        this.#notify()
      }
    } catch {
      // While the database does not answer, there is nothing to report; the next look may succeed.
    } finally {
      this.#looking = false
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) {
      const sum = this.#sum(watcher.subjects)
      if (sum === watcher.seen) continue
      watcher.seen = sum
      watcher.listener()
    }
  }

  #sum(subjects: readonly Subject[]): number {
    return subjects.reduce((sum, subject) => sum + this.#revisions.of(subject), 0)
  }
}
