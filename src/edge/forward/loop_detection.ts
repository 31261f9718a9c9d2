import { randomBytes } from 'node:crypto'
import type { Database } from '../../storage/database.ts'
import { instanceFact, keepInstanceFact } from '../../storage/instance_facts.ts'
import type { Asked } from '../../wire/request.ts'
import type { Told } from '../../wire/refusal.ts'

const fact = 'via'

/**
 * Every forwarded request says in Via that it came through here (RFC 9110 section 7.6.3); one that says so when it comes
 * in has been here before. The name is random, and the same for all workers and nodes of an instance.
 */
export class LoopGuard {
  readonly #database: Database
  #name = `hero-${randomBytes(8).toString('hex')}`

  constructor(database: Database) {
    this.#database = database
  }

  /** Takes the name that the instance was given first. */
  async open(): Promise<void> {
    if ((await instanceFact(this.#database, fact)) === undefined)
      await keepInstanceFact(this.#database, fact, this.#name)
    this.#name = (await instanceFact(this.#database, fact))!
  }

  /** The value of the Via header that is added to a request of this version of HTTP. */
  entry(httpVersion: string): string {
    return `${httpVersion} ${this.#name}`
  }

  /** Whether a request has come through here already. */
  hasPassed({ via }: Pick<Asked, 'via'>): boolean {
    // Names of hosts know no case, and a proxy may write the list anew.
    return via !== undefined && via.toLowerCase().includes(this.#name)
  }
}

/** RFC 5842 section 7.2. */
export const loopDetected: Told = { status: 508, reason: 'loop_detected', code: 'loop_detected' }
