import type { Database } from '../storage/database.ts'
import { instanceFact, keepInstanceFact } from '../storage/instance_facts.ts'

/** Where passkeys are valid (WebAuthn sections 5.1.7, 5.11 and 13.4.9). */
export interface RelyingParty {
  /** Host and origin of the public URL. */
  readonly host: string
  readonly origin: string
  /** The origins of earlier public URLs, by their hosts. */
  readonly previous: ReadonlyMap<string, readonly string[]>
  readonly name: () => Promise<string>
  /** The setting `passkey_rp_id`; empty if it was never set. */
  readonly chosen: () => Promise<string>
}

const fact = 'passkey_rp_id'

/**
 * The names for which passkeys are made, each the host of the public URL of its time. New passkeys keep to one name, although the
 * public URL may have changed since, until an administrator chooses another.
 */
export class RpIds {
  readonly #database: Database
  readonly #party: RelyingParty

  constructor(database: Database, party: RelyingParty) {
    this.#database = database
    this.#party = party
  }

  isOurs(id: string): boolean {
    return id === this.#party.host || this.#party.previous.has(id)
  }

  /** Returns the name for which passkeys are made now. */
  async current(): Promise<string> {
    const { host, previous, chosen } = this.#party
    if (previous.size === 0) return host
    const wanted = (await chosen()) || (await instanceFact(this.#database, fact)) || host
    return this.isOurs(wanted) ? wanted : host
  }

  /** Returns the names that a sign-in page asks for, the current one first: others only as long as somebody has such a passkey. */
  async offered(): Promise<string[]> {
    const current = await this.current()
    const { host, previous } = this.#party
    const others = [host, ...previous.keys()].filter((id) => id !== current)
    const used = await Promise.all(others.map((id) => this.#isUsed(id)))
    return [current, ...others.filter((_, i) => used[i])]
  }

  /** Remembers the name of the first passkey. Inside a transaction. */
  async keep(id: string): Promise<void> {
    await keepInstanceFact(this.#database, fact, id)
  }

  /** Passkeys from before their name was kept were made for home. Called at the start. */
  async adopt(): Promise<void> {
    if (!(await this.#isUsed(''))) return
    await this.#database.write(async () => {
      await this.#database.query
        .updateTable('passkeys')
        .set({ rp_id: this.#party.host })
        .where('rp_id', '=', '')
        .execute()
      await this.keep(this.#party.host)
    })
  }

  /** Returns how many passkeys were made for each name other than home's. */
  async elsewhere(): Promise<{ readonly rp_id: string; readonly count: number }[]> {
    const rows = await this.#database.query
      .selectFrom('passkeys')
      .select(({ fn }) => ['rp_id', fn.countAll<number>().as('count')])
      .where('rp_id', '<>', this.#party.host)
      .groupBy('rp_id')
      .orderBy('rp_id')
      .execute()
    return rows.map(({ rp_id, count }) => ({ rp_id, count: Number(count) }))
  }

  async #isUsed(id: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('passkeys')
      .select('id')
      .where('rp_id', '=', id)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }
}
