import { availableParallelism } from 'node:os'
import { AppError } from '../errors.ts'

/**
 * Runs hashing a few at a time: each takes 19 MiB and a thread that files and name look-ups want too.
 * Beyond `waiting` tasks it refuses with rate_limited instead of growing.
 */
export class HashQueue {
  readonly #parallel: number
  readonly #waiting: number
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(parallel = Math.max(1, availableParallelism() - 1), waiting = 64) {
    this.#parallel = parallel
    this.#waiting = waiting
  }

  /** Throws rate_limited if a task would be refused now: for who has something to do before it. */
  refuseIfFull(): void {
    if (this.#running >= this.#parallel && this.#queue.length >= this.#waiting)
      throw new AppError('rate_limited', 'Too many sign-ins at once; try again shortly', { retry_after: 2 })
  }

  /** A slot is held until the work itself ends, whether or not anybody still waits for it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.refuseIfFull()
    if (this.#running >= this.#parallel) {
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      // The slot is handed on; it comes free only when nobody waits.
      const next = this.#queue.shift()
      if (next) next()
      else this.#running--
    }
  }
}
