import { createHmac } from 'node:crypto'
import type { Database } from '../storage/database.ts'
import { instanceFact, setInstanceFact } from '../storage/instance_facts.ts'

/** One entry of the audit, by number and seal. */
export interface Link {
  readonly seq: number
  readonly seal: string
}

export const origin: Link = { seq: 0, seal: '' }

/**
 * Where the audit begins and ends. Both marks carry a seal of their own: whoever takes the newest entries out, or the
 * oldest, cannot move the mark to hide it.
 */
export class Marks {
  readonly #database: Database
  readonly #key: Buffer

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
  }

  /** The entry that a mark names; undefined for a mark that is not ours. Without one, nothing was written yet. */
  async read(mark: 'audit_anchor' | 'audit_head'): Promise<Link | undefined> {
    const fact = await instanceFact(this.#database, mark)
    if (fact === undefined) return origin
    const [seq, seal = '', own] = fact.split(':')
    const link = { seq: Number(seq), seal }
    // From before there were seals: nothing that carries one can follow it unseen.
    if (seal === '' && own === undefined) return link
    return own === this.#seal(mark, link) ? link : undefined
  }

  /** Inside the transaction of what moves the mark. */
  async write(mark: 'audit_anchor' | 'audit_head', link: Link): Promise<void> {
    await setInstanceFact(this.#database, mark, `${link.seq}:${link.seal}:${this.#seal(mark, link)}`)
  }

  #seal(mark: string, { seq, seal }: Link): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([mark, seq, seal]))
      .digest('base64url')
  }
}
