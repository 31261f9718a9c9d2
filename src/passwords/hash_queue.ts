import { availableParallelism } from 'node:os'
import { AppError } from '../contract/errors.ts'

const tooMany = () =>
  new AppError('rate_limited', 'Too many sign-ins at once; try again shortly', { retry_after: 2 })

/**
 * Runs a few hashes at a time: each takes 19 MiB and a thread that file access and DNS lookups also need. Beyond
 * `maxWaiting` tasks, it refuses with rate_limited instead of growing.
 */
export class HashQueue {
  readonly #maxParallel: number
  readonly #maxWaiting: number
  readonly #queue: (() => void)[] = []
  #running = 0
  #reserved = 0

  constructor(maxParallel = Math.max(1, availableParallelism() - 1), maxWaiting = 64) {
    this.#maxParallel = maxParallel
    this.#maxWaiting = maxWaiting
  }

  /**
   * Reserves a place for a caller that has work to do before hashing, so that a burst does not do that work in vain.
   * Returns a function that releases the place. Throws rate_limited if none is free.
   */
  reserve(): () => void {
    this.#refuseIfFull()
    if (this.#reserved >= this.#maxParallel + this.#maxWaiting) throw tooMany()
    this.#reserved++
    return () => void this.#reserved--
  }

  #refuseIfFull(): void {
    if (this.#running >= this.#maxParallel && this.#queue.length >= this.#maxWaiting) throw tooMany()
  }

  /** A slot stays taken until the work itself ends, even if nobody waits for it any more. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseIfFull()
    if (this.#running >= this.#maxParallel) {
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      // The slot passes to the next task and becomes free only when none is waiting.
      const next = this.#queue.shift()
      if (next) next()
      else this.#running--
    }
  }
}
