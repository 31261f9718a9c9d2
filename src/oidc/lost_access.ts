import { setImmediate as turn } from 'node:timers/promises'
import type { ClientLists } from '../clients/client_lists.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { ClientRules } from '../identity/client_rules.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { attendEach } from '../storage/sweeping.ts'
import type { CachedPeople } from '../users/cached_people.ts'
import type { BackchannelLogouts } from './backchannel_logouts.ts'
import { withDocument, type Told } from './told_client.ts'

/** How often we look for rights that time alone ended. */
const intervalMs = 30_000
/** Grants per query. */
const batchSize = 200
/** Maximum time in milliseconds that other work waits for us. */
const sliceMs = 4

interface Parts {
  readonly database: Database
  readonly clients: ClientLists
  readonly rules: ClientRules
  readonly people: Pick<CachedPeople, 'find'>
  readonly logouts: Pick<BackchannelLogouts, 'accessLost' | 'hasProof'>
  readonly log: Log
}

/** A person who lost access; with `oldest`, only what came from a proof given then or before. */
interface Lost {
  readonly id: string
  readonly oldest?: number
}

/**
 * Signs people out of applications that they may not enter any more: after every change that could matter, and regularly for rights
 * that end by time. What was issued to the application is refused at once wherever it is shown; its own session outlives that.
 */
export class LostAccess {
  readonly #parts: Parts
  #stopWatching: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Looks until `close`. One process per machine is enough, and several do no harm. */
  start(): void {
    const look = () => this.#look()
    this.#stopWatching = this.#parts.database.changes.watch(['groups', 'users', 'clients', 'settings'], look)
    this.#timer = setInterval(look, intervalMs).unref()
    look()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#stopWatching?.()
    await this.#running
  }

  #look(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  async #run(): Promise<void> {
    const { clients, rules, log } = this.#parts
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        const byDefault = await rules.hasDefaults()
        for (const client of await clients.withRule(byDefault)) await this.#sweep(client, client)
        for (const client of byDefault ? await this.#documents() : []) await this.#sweep(client, undefined)
      }
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'could not look for people who lost access')
    }
  }

  /** The clients that only have a metadata document, and were let in by somebody. */
  async #documents(): Promise<Told[]> {
    const rows = await this.#parts.database.query
      .selectFrom('oidc_records')
      .select('client')
      .distinct()
      .where('kind', '=', 'Grant')
      .where('client', '>=', 'https://')
      .where('client', '<', 'https:0')
      .execute()
    return rows.flatMap(({ client }) => withDocument(client ?? '') ?? [])
  }

  /** `known` is undefined for a client that only has a metadata document. */
  async #sweep(client: Told, known: ClientWithCredentials | undefined): Promise<void> {
    let after = ''
    while (!this.#closed) {
      const users = await this.#usersOf(client, after)
      await this.#sweepThese(users, client, known)
      if (users.length < batchSize) return
      after = users.at(-1)!
    }
  }

  async #sweepThese(
    users: readonly string[],
    client: Told,
    known: ClientWithCredentials | undefined,
  ): Promise<void> {
    const { database, logouts } = this.#parts
    const most = known?.session_max ?? null
    const oldest = most === null ? undefined : now() - most
    const lost: Lost[] = []
    let until = performance.now() + sliceMs
    for (const id of users) {
      if (!(await this.#isAdmitted(id, known))) lost.push({ id })
      else if (oldest !== undefined && (await logouts.hasProof(id, oldest))) lost.push({ id, oldest })
      if (performance.now() < until) continue
      await turn()
      until = performance.now() + sliceMs
    }
    const end = async ({ id, oldest }: Lost) => {
      // They may have come back meanwhile.
      if (oldest !== undefined || !(await this.#isAdmitted(id, known)))
        await logouts.accessLost(id, client, oldest)
    }
    while (lost.length > 0 && !this.#closed) {
      const batch: Lost[] = []
      until = performance.now() + sliceMs
      try {
        // Many people in one transaction, which is synced once, but never for long.
        await database.write(async () => {
          do {
            batch.push(lost.shift()!)
            await end(batch.at(-1)!)
          } while (lost.length > 0 && performance.now() < until)
        })
      } catch {
        await attendEach(this.#parts, 'could not sign somebody out who lost access', batch, end)
      }
      await turn()
    }
  }

  /** The people with a grant of the client, in order of their ids. */
  async #usersOf({ client }: Told, after: string): Promise<string[]> {
    const rows = await this.#parts.database.query
      .selectFrom('oidc_records')
      .select('user_id')
      .distinct()
      .where('client', '=', client)
      .where('kind', '=', 'Grant')
      .where('user_id', '>', after)
      .orderBy('user_id')
      .limit(batchSize)
      .execute()
    return rows.map(({ user_id }) => user_id!)
  }

  async #isAdmitted(userId: string, client: ClientWithCredentials | undefined): Promise<boolean> {
    const person = await this.#parts.people.find(userId)
    return person !== undefined && (await this.#parts.rules.admits(person, client))
  }
}
