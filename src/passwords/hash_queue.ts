import { availableParallelism } from 'node:os'
import { AppError } from '../contract/errors.ts'

const tooMany = () =>
  new AppError('rate_limited', 'Too many sign-ins at once; try again shortly', { retry_after: 2 })

/**
 * Runs hashing a few at a time: each takes 19 MiB and a thread that files and name look-ups want too.
 * Beyond `waiting` tasks it refuses with rate_limited instead of growing.
 */
export class HashQueue {
  readonly #parallel: number
  readonly #waiting: number
  readonly #queue: (() => void)[] = []
  #running = 0
  #reserved = 0

  constructor(parallel = Math.max(1, availableParallelism() - 1), waiting = 64) {
    this.#parallel = parallel
    this.#waiting = waiting
  }

  /**
   * Takes a place for who has something to do before the hashing, so that of a burst nobody does it in vain: the place is
   * given back by calling what is returned. Throws rate_limited if there is none.
   */
  reserve(): () => void {
    this.#refuseIfFull()
    if (this.#reserved >= this.#parallel + this.#waiting) throw tooMany()
    this.#reserved++
    return () => void this.#reserved--
  }

  #refuseIfFull(): void {
    if (this.#running >= this.#parallel && this.#queue.length >= this.#waiting) throw tooMany()
  }

  /** A slot is held until the work itself ends, whether or not anybody still waits for it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseIfFull()
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
