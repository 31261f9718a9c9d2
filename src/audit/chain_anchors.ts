import { createHmac } from 'node:crypto'
import type { Database } from '../storage/database.ts'
import { instanceFact, setInstanceFact } from '../storage/instance_facts.ts'

/** One entry of the audit log, by number and seal. */
export interface ChainEntry {
  readonly seq: number
  readonly seal: string
}

export const origin: ChainEntry = { seq: 0, seal: '' }

/**
 * The anchors of the audit log: where it begins and where it ends. Each has a seal of its own, so someone who removes
 * the newest or oldest entries cannot move the anchor to hide that.
 */
export class ChainAnchors {
  readonly #database: Database
  readonly #key: Buffer

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
  }

  /** The entry that an anchor names; undefined for a forged anchor. If there is none, nothing was written yet. */
  async read(mark: 'audit_anchor' | 'audit_head'): Promise<ChainEntry | undefined> {
    const fact = await instanceFact(this.#database, mark)
    if (fact === undefined) return origin
    const [seq, seal = '', own] = fact.split(':')
    const link = { seq: Number(seq), seal }
    // Written before there were seals: no sealed entry can follow it unnoticed.
    if (seal === '' && own === undefined) return link
    return own === this.#seal(mark, link) ? link : undefined
  }

  /** Moves an anchor, inside the transaction of what moves it. */
  async write(mark: 'audit_anchor' | 'audit_head', link: ChainEntry): Promise<void> {
    await setInstanceFact(this.#database, mark, `${link.seq}:${link.seal}:${this.#seal(mark, link)}`)
  }

  #seal(mark: string, { seq, seal }: ChainEntry): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([mark, seq, seal]))
      .digest('base64url')
  }
}
