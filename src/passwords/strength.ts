import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Milliseconds without use after which the dictionaries are unloaded. */
const idleTimeoutMs = 10_000

/**
 * Scores how hard a password is to guess, from 0 to 4, with zxcvbn. The dictionaries live in a separate thread that
 * exists only while passwords are being set, so they use no memory at rest and delay no traffic.
 */
class Strength {
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  #next = 0
  readonly #pending = new Map<number, { resolve: (score: number) => void; reject: (error: Error) => void }>()

  async score(password: string, names: readonly string[]): Promise<number> {
    const worker = (this.#worker ??= this.#start())
    clearTimeout(this.#timer)
    const id = this.#next++
    worker.ref()
    try {
      return await new Promise<number>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject })
        worker.postMessage({
          id,
          password,
          names: names.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]),
        })
      })
    } finally {
      this.#pending.delete(id)
      if (this.#pending.size === 0) {
        worker.unref()
        this.#timer = setTimeout(() => this.#end(), idleTimeoutMs).unref()
      }
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./strength_worker${extname(import.meta.url)}`, import.meta.url))
    worker.on('message', ({ id, score }: { id: number; score: number }) =>
      this.#pending.get(id)?.resolve(score),
    )
    worker.on('error', (error: Error) => {
      for (const { reject } of this.#pending.values()) reject(error)
      if (this.#worker === worker) this.#worker = undefined
    })
    return worker
  }

  #end(): void {
    void this.#worker?.terminate()
    this.#worker = undefined
  }
}

/**
 * One per process, because loading the dictionaries takes a quarter of a second. Its thread keeps the process alive only
 * while somebody waits for a score.
 */
export const strength = new Strength()
