import type { Database } from './database.ts'
import { newId, now } from './ids.ts'
import { instanceFact, setInstanceFact } from './instance_facts.ts'

/** Seconds that a lease holds without being renewed: then its holder is taken for dead. */
const life = 60

interface Held {
  readonly holder: string
  readonly until: number
}

/** What one node at a time does. Clocks of nodes may differ by seconds; whoever works renews long before the end. */
export class Lease {
  readonly #database: Database
  readonly #key: string
  readonly #holder = newId()

  constructor(database: Database, key: string) {
    this.#database = database
    this.#key = key
  }

  /** Takes or renews it; false while another node holds it. */
  async take(): Promise<boolean> {
    return this.#database.write(async () => {
      const held = await this.#held()
      if (held && held.holder !== this.#holder && held.until > now()) return false
      await this.#set(now() + life)
      return true
    })
  }

  async release(): Promise<void> {
    await this.#database.write(async () => {
      if ((await this.#held())?.holder === this.#holder) await this.#set(0)
    })
  }

  async #held(): Promise<Held | undefined> {
    const text = await instanceFact(this.#database, this.#key)
    return text === undefined ? undefined : (JSON.parse(text) as Held)
  }

  async #set(until: number): Promise<void> {
    await setInstanceFact(this.#database, this.#key, JSON.stringify({ holder: this.#holder, until }))
  }
}
