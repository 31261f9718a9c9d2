import { guest } from '../contract/caller.ts'
import type { Log } from '../log/log.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Database } from '../storage/database.ts'
import type { Audit } from './audit.ts'

/** Milliseconds between two reports about the same user. */
const reportIntervalMs = 60_000

/** Records that a user's claims did not fit into a request, at most once a minute per user. */
export class OversizeReports {
  readonly #database: Database
  readonly #audit: Audit
  readonly #log: Log
  readonly #reportedAt = boundedMap<number>(10_000)

  constructor(database: Database, audit: Audit, log: Log) {
    this.#database = database
    this.#audit = audit
    this.#log = log
  }

  report(username: string, domain: string): void {
    const at = Date.now()
    if (at - (this.#reportedAt.get(username) ?? 0) < reportIntervalMs) return
    this.#reportedAt.set(username, at)
    const caller = guest({ via: 'edge' })
    this.#database
      .write(() =>
        this.#audit.append(caller, 'edge.forward', `user=${username} domain=${domain}`, 'claims_too_large'),
      )
      .catch((error: Error) =>
        this.#log.error(
          { error: error.message, username },
          'the claims were too large, and the audit entry could not be written',
        ),
      )
  }
}
