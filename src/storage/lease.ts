import type { Database } from './database.ts'
import { newId, now } from './ids.ts'
import { instanceFact, setInstanceFact } from './instance_facts.ts'

/** Seconds that a lease lasts without renewal: after that, its holder is presumed dead. */
const leaseSeconds = 60

interface LeaseRecord {
  readonly holder: string
  readonly until: number
}

/**
 * A lease on work that only one node does at a time. Clocks of nodes may differ by seconds; holders renew long before
 * the lease ends.
 */
export class Lease {
  readonly #database: Database
  readonly #key: string
  readonly #holder = newId()

  constructor(database: Database, key: string) {
    this.#database = database
    this.#key = key
  }

  /** Takes or renews the lease. Returns false while another node holds it. */
  async take(): Promise<boolean> {
    return this.#database.write(async () => {
      const current = await this.#current()
      if (current && current.holder !== this.#holder && current.until > now()) return false
      await this.#set(now() + leaseSeconds)
      return true
    })
  }

  async release(): Promise<void> {
    await this.#database.write(async () => {
      if ((await this.#current())?.holder === this.#holder) await this.#set(0)
    })
  }

  async #current(): Promise<LeaseRecord | undefined> {
    const text = await instanceFact(this.#database, this.#key)
    return text === undefined ? undefined : (JSON.parse(text) as LeaseRecord)
  }

  async #set(until: number): Promise<void> {
    await setInstanceFact(this.#database, this.#key, JSON.stringify({ holder: this.#holder, until }))
  }
}
