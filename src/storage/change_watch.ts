import type { Revisions } from './revisions.ts'
import type { Subject } from './schema.ts'

/** In milliseconds: how often is looked where nothing tells of a change, as of another process on the same SQLite file. */
const every = 250
/** In milliseconds: a notification that was lost is made up for so soon. */
const trust = 400

interface Watcher {
  readonly subjects: readonly Subject[]
  readonly listener: () => void
  /** Revisions only rise, so their sum tells whether one of them has. */
  seen: number
}

/** Tells whoever wants to know that something has changed, on whichever node: mostly at once, half a second later at most. */
export class Changes {
  readonly #revisions: Revisions
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #again = false
  #soon = false

  constructor(revisions: Revisions) {
    this.#revisions = revisions
  }

  /** Calls `listener` after a change of any of these subjects, perhaps once for several; returns what ends that. */
  watch(subjects: readonly Subject[], listener: () => void): () => void {
    const watcher: Watcher = { subjects, listener, seen: this.#sum(subjects) }
    this.#watchers.add(watcher)
    this.#timer ??= setInterval(() => void this.#look(), every).unref()
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

  /** Something may have changed. Looks, but not within the call that made the change: that is answered first. */
  lookSoon(): void {
    if (this.#soon || this.#watchers.size === 0) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#again = true
    if (this.#looking || this.#watchers.size === 0) return
    this.#looking = true
    try {
      while (this.#again) {
        this.#again = false
        await this.#revisions.refresh(trust)
        this.#tell()
      }
    } catch {
      // A database that does not answer tells of no change; the next look may.
    } finally {
      this.#looking = false
    }
  }

  #tell(): void {
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
