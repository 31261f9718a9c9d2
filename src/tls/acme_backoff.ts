import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { instanceFact, setInstanceFact } from '../storage/instance_facts.ts'

/** Seconds to wait after each failure; the last one repeats. Authorities allow about five failed attempts per name and hour. */
const waitSeconds = [5 * 60, 15 * 60, 3600]
const key = 'acme_failures'

interface Failed {
  readonly times: number
  readonly again: number
}

/** Failed orders by name. All nodes share the count: with a count for each node, all together would try too often. */
export class OrderFailures {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async withoutWaiting(names: readonly string[]): Promise<string[]> {
    const failed = await this.#read()
    return names.filter((name) => (failed[name]?.again ?? 0) <= now())
  }

  /** Counts a failure and returns how many seconds to wait. */
  async add(name: string): Promise<{ times: number; wait: number }> {
    return this.#database.write(async () => {
      const failed = await this.#read()
      const times = (failed[name]?.times ?? 0) + 1
      const wait = waitSeconds[Math.min(times, waitSeconds.length) - 1]!
      await this.#write({ ...failed, [name]: { times, again: now() + wait } })
      return { times, wait }
    })
  }

  async forget(name: string): Promise<void> {
    await this.#database.write(async () => {
      const { [name]: known, ...others } = await this.#read()
      if (known) await this.#write(others)
    })
  }

  async #read(): Promise<Record<string, Failed>> {
    return JSON.parse((await instanceFact(this.#database, key)) ?? '{}') as Record<string, Failed>
  }

  async #write(failed: Record<string, Failed>): Promise<void> {
    await setInstanceFact(this.#database, key, JSON.stringify(failed))
  }
}
