import type { Clients } from '../clients/clients.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { RowQueue, type QueuedRow } from '../storage/row_queue.ts'
import { forgetVisits, readVisits } from './engine/session.ts'
import type { Records } from './engine/records.ts'

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

/** A client that has yet to hear of the end of a session. */
interface Waiting extends QueuedRow {
  readonly client: string
  readonly subject: string
  readonly sid: string
}

/** A client that is removed hears of nothing more. Inside a transaction. */
export const forgetLogoutsOf = async (database: Database, client: string): Promise<void> => {
  await database.query.deleteFrom('oidc_logouts').where('client', '=', client).execute()
}

/** Tells applications that a session ended, whatever ended it, from a queue that outlives a restart. */
export class Logouts {
  readonly #parts: Parts
  readonly #queue: RowQueue<Waiting>

  constructor(parts: Parts) {
    this.#parts = parts
    const { database, log, send } = parts
    this.#queue = new RowQueue({
      database,
      log,
      unreadable: 'sessions that ended could not be looked through',
      lookEveryMs: every,
      leaseSeconds: lease,
      oneReceiver: false,
      due: (at) => this.#due(at),
      defer: (ids, due_at) => this.#set(ids, { due_at }),
      attempt: ({ client, subject, sid }) => send(client, subject, sid),
      done: ({ id }) => this.#remove(id),
      failed: ({ id, client }, tries, error) => {
        log.warn({ client, tries, error: error.message }, 'a client could not be told of a logout')
        return tries < mostTries ? this.#set([id], { tries, due_at: now() + 2 ** tries }) : this.#remove(id)
      },
    })
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
    if (ids.length > 0) database.afterCommit(() => this.#queue.wake())
  }

  /** Begins to send what is due, now and as long as this process lives. One process per machine is enough. */
  start(): void {
    this.#queue.start()
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }

  /** What is to be sent now, the first of each client first. */
  #due(at: number): Promise<Waiting[]> {
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
          .where('due_at', '<=', at)
          .as('due'),
      )
      .select(['id', 'client', 'subject', 'sid', 'tries'])
      .where('place', '<=', ofOne)
      .orderBy('place')
      .limit(abreast)
      .execute()
  }

  async #set(ids: readonly string[], fields: { due_at: number; tries?: number }): Promise<void> {
    await this.#parts.database.query.updateTable('oidc_logouts').set(fields).where('id', 'in', ids).execute()
  }

  async #remove(id: string): Promise<void> {
    await this.#parts.database.query.deleteFrom('oidc_logouts').where('id', '=', id).execute()
  }
}
