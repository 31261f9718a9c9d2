import type { Clients } from '../clients/clients.ts'
import type { Log } from '../log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { forgetVisits, readVisits } from './our_session.ts'
import type { Records } from './records.ts'

/** Seconds for which one try has the row to itself. */
const lease = 30
const mostTries = 8
/** How many are told at the same time, and of those one client: who is slow or away holds up nobody else. */
const abreast = 100
const ofOne = 10
const every = 1000

/** Sends a logout token to a client (OpenID Connect Back-Channel Logout section 2.5); rejects if it does not take it. */
export type SendLogout = (client: string, subject: string, sid: string) => Promise<void>

interface Parts {
  readonly database: Database
  readonly records: Records
  readonly clients: Clients
  readonly send: SendLogout
  readonly log: Log
}

/** Tells applications that a session ended, whatever ended it, from a queue that outlives a restart. */
export class Logouts {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Inside the transaction that ends these sessions: what depends on them ends too. */
  async sessionsEnded(ids: readonly string[]): Promise<void> {
    const { database, records, clients } = this.#parts
    for (const id of ids) {
      const { authorizations = {}, ...rest } = await readVisits(records, id)
      const subject = (rest as { accountId?: string }).accountId
      for (const [client, visit] of Object.entries(authorizations)) {
        if (visit.grantId !== undefined && !visit.persistsLogout) await records.removeGrant(visit.grantId)
        const known = await clients.find(client)
        if (!known?.backchannel_logout_uri || subject === undefined) continue
        await database.query
          .insertInto('oidc_logouts')
          .values({ id: newId(), client, subject, sid: visit.sid ?? '', due_at: now(), tries: 0 })
          .execute()
      }
      await forgetVisits(records, id)
    }
    if (ids.length > 0) database.afterCommit(() => this.#wake())
  }

  /** Begins to send what is due, now and as long as this process lives. One process per machine is enough. */
  start(): void {
    this.#timer = setInterval(() => this.#wake(), every).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#running
  }

  #wake(): void {
    if (this.#timer === undefined) return
    this.#running ??= this.#run()
      .catch((error: Error) =>
        this.#parts.log.warn({ error: error.message }, 'sessions that ended could not be looked through'),
      )
      .finally(() => (this.#running = undefined))
  }

  async #run(): Promise<void> {
    let taken
    do {
      // Looked for without the lock that writing takes: nearly always there is nothing.
      if ((await this.#due()).length === 0) return
      taken = await this.#parts.database.write(async () => {
        const rows = await this.#due()
        await this.#set(
          rows.map(({ id }) => id),
          { due_at: now() + lease },
        )
        return rows
      })
      await Promise.all(taken.map((row) => this.#try(row)))
    } while (taken.length > 0 && this.#timer !== undefined)
  }

  /** What is to be sent now, the first of each client first. */
  #due() {
    return this.#parts.database.query
      .selectFrom((from) =>
        from
          .selectFrom('oidc_logouts')
          .selectAll()
          .select(({ fn }) =>
            fn
              .agg<number>('row_number')
              .over((rows) => rows.partitionBy('client').orderBy('due_at'))
              .as('place'),
          )
          .where('due_at', '<=', now())
          .as('due'),
      )
      .select(['id', 'client', 'subject', 'sid', 'tries'])
      .where('place', '<=', ofOne)
      .orderBy('place')
      .limit(abreast)
      .execute()
  }

  async #try(row: {
    id: string
    client: string
    subject: string
    sid: string
    tries: number
  }): Promise<void> {
    const { database, send, log } = this.#parts
    const { id, client, subject, sid } = row
    const tries = row.tries + 1
    try {
      await send(client, subject, sid)
    } catch (error) {
      log.warn({ client, tries, error: (error as Error).message }, 'a client could not be told of a logout')
      if (tries < mostTries)
        return void (await database.write(() => this.#set([id], { tries, due_at: now() + 2 ** tries })))
    }
    await database.write(() => database.query.deleteFrom('oidc_logouts').where('id', '=', id).execute())
  }

  async #set(ids: readonly string[], fields: { due_at: number; tries?: number }): Promise<void> {
    if (ids.length === 0) return
    await this.#parts.database.query.updateTable('oidc_logouts').set(fields).where('id', 'in', ids).execute()
  }
}
