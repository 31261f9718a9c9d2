import { guest } from '../contract/caller.ts'
import type { Log } from '../log/log.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Database } from '../storage/database.ts'
import type { Audit } from './audit.ts'

/** A person who keeps trying is told of once in this many milliseconds. */
const quiet = 60_000

/** Writes down whose claims did not fit into a request, at most once a minute for each. */
export class OversizeReports {
  readonly #database: Database
  readonly #audit: Audit
  readonly #log: Log
  readonly #told = boundedMap<number>(10_000)

  constructor(database: Database, audit: Audit, log: Log) {
    this.#database = database
    this.#audit = audit
    this.#log = log
  }

  report(username: string, domain: string): void {
    const at = Date.now()
    if (at - (this.#told.get(username) ?? 0) < quiet) return
    this.#told.set(username, at)
    const caller = guest({ via: 'edge' })
    this.#database
      .write(() =>
        this.#audit.append(caller, 'edge.forward', `user=${username} domain=${domain}`, 'claims_too_large'),
      )
      .catch((error: Error) =>
        this.#log.error({ error: error.message, username }, 'claims too large, and not audited'),
      )
  }
}
