import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { instanceFact, setInstanceFact } from '../storage/instance_facts.ts'

/** Seconds to wait after failures; the last repeats. Authorities allow about five failed attempts an hour for a name. */
const waits = [5 * 60, 15 * 60, 3600]
const key = 'acme_failures'

interface Failed {
  readonly times: number
  readonly again: number
}

/** Names for which no certificate could be had. All nodes share the count: each of its own would ask too often together. */
export class Failures {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async withoutWaiting(names: readonly string[]): Promise<string[]> {
    const failed = await this.#read()
    return names.filter((name) => (failed[name]?.again ?? 0) <= now())
  }

  /** Counts one, and says how long to wait now. */
  async add(name: string): Promise<{ times: number; wait: number }> {
    return this.#database.write(async () => {
      const failed = await this.#read()
      const times = (failed[name]?.times ?? 0) + 1
      const wait = waits[Math.min(times, waits.length) - 1]!
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
