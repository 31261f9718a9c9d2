import { randomBytes } from 'node:crypto'
import type { Database } from '../../storage/database.ts'
import { instanceFact, keepInstanceFact } from '../../storage/instance_facts.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { Refusal } from '../../wire/refusal.ts'

const fact = 'via'

/**
 * Every forwarded request names this instance in Via (RFC 9110 section 7.6.3). A request that already has the name when it
 * arrives is in a loop. The name is random, and the same for all workers and nodes of an instance.
 */
export class LoopDetection {
  readonly #database: Database
  #name = `hero-${randomBytes(8).toString('hex')}`

  constructor(database: Database) {
    this.#database = database
  }

  /** Reads the name of the instance, or stores a new one. */
  async open(): Promise<void> {
    if ((await instanceFact(this.#database, fact)) === undefined)
      await keepInstanceFact(this.#database, fact, this.#name)
    this.#name = (await instanceFact(this.#database, fact))!
  }

  /** The Via value for a request of this HTTP version. */
  entry(httpVersion: string): string {
    return `${httpVersion} ${this.#name}`
  }

  /** Whether this instance has already forwarded the request. */
  hasPassed({ via }: Pick<EdgeRequest, 'via'>): boolean {
    // Host names are case-insensitive, and a proxy may reformat the list.
    return via !== undefined && via.toLowerCase().includes(this.#name)
  }
}

/** RFC 5842 section 7.2. */
export const loopDetected: Refusal = { status: 508, reason: 'loop_detected', code: 'loop_detected' }
