import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Milliseconds after which the dictionaries leave memory again. */
const idle = 10_000

/**
 * How hard a password is to guess, as zxcvbn scores it: 0 to 4. The dictionaries live in a thread of their own that
 * comes when a password is set and goes when none is, so they cost no memory at rest and hold up no traffic.
 */
class Strength {
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  #next = 0
  readonly #asked = new Map<number, { resolve: (score: number) => void; reject: (error: Error) => void }>()

  async score(password: string, names: readonly string[]): Promise<number> {
    const worker = (this.#worker ??= this.#start())
    clearTimeout(this.#timer)
    const id = this.#next++
    try {
      return await new Promise<number>((resolve, reject) => {
        this.#asked.set(id, { resolve, reject })
        worker.postMessage({
          id,
          password,
          names: names.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]),
        })
      })
    } finally {
      this.#asked.delete(id)
      if (this.#asked.size === 0) this.#timer = setTimeout(() => this.#end(), idle).unref()
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./strength_worker${extname(import.meta.url)}`, import.meta.url))
    worker.unref()
    worker.on('message', ({ id, score }: { id: number; score: number }) =>
      this.#asked.get(id)?.resolve(score),
    )
    worker.on('error', (error: Error) => {
      for (const { reject } of this.#asked.values()) reject(error)
      if (this.#worker === worker) this.#worker = undefined
    })
    return worker
  }

  #end(): void {
    void this.#worker?.terminate()
    this.#worker = undefined
  }
}

/** One for the process: loading the dictionaries takes a quarter of a second. Its thread keeps no process alive. */
export const strength = new Strength()
