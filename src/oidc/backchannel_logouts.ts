import type { Clients } from '../clients/clients.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { RowQueue, type QueuedRow } from '../storage/row_queue.ts'
import { forgetApplications, leaveApplication, readApplications } from './engine/session.ts'
import type { Records } from './engine/records.ts'
import { withDocument, type Told } from './told_client.ts'

/** How long one attempt holds the row alone. */
const leaseSeconds = 30
const maxTries = 8
/** How many notices are sent at the same time, in total and per client, so that a slow client does not delay the others. */
const maxConcurrent = 100
const maxConcurrentPerClient = 10
const pollIntervalMs = 1000

/** Sends a logout token to a client (OpenID Connect Back-Channel Logout section 2.5); rejects if the client does not accept it. */
export type SendLogout = (client: string, subject: string, sid: string) => Promise<void>

interface Parts {
  readonly database: Database
  readonly records: Records
  readonly clients: Clients
  readonly send: SendLogout
  readonly log: Log
}

/** A client that we have yet to notify of the end of a session. */
interface Waiting extends QueuedRow {
  readonly client: string
  readonly subject: string
  readonly sid: string
}

/** Deletes the queued notices of a client that is removed. Call it inside a transaction. */
export const forgetLogoutsOf = async (database: Database, client: string): Promise<void> => {
  await database.query.deleteFrom('oidc_logouts').where('client', '=', client).execute()
}

/** Notifies applications that a session ended, for any reason, from a queue that survives a restart. */
export class BackchannelLogouts {
  readonly #parts: Parts
  readonly #queue: RowQueue<Waiting>

  constructor(parts: Parts) {
    this.#parts = parts
    const { database, log, send } = parts
    this.#queue = new RowQueue({
      database,
      log,
      unreadable: 'could not read the queue of back-channel logouts',
      lookEveryMs: pollIntervalMs,
      leaseSeconds,
      oneReceiver: false,
      due: (at) => this.#due(at),
      defer: (ids, due_at) => this.#set(ids, { due_at }),
      attempt: ({ client, subject, sid }) => send(client, subject, sid),
      done: ({ id }) => this.#remove(id),
      failed: ({ id, client }, tries, error) => {
        log.warn({ client, tries, error: error.message }, 'could not notify a client of a logout')
        return tries < maxTries ? this.#set([id], { tries, due_at: now() + 2 ** tries }) : this.#remove(id)
      },
    })
  }

  /** Removes the grants that depend on these sessions and queues the notices. Call it inside the transaction that ends the sessions. */
  async sessionsEnded(ids: readonly string[]): Promise<void> {
    const { database, records, clients } = this.#parts
    for (const id of ids) {
      const { authorizations = {}, ...rest } = await readApplications(records, id)
      const subject = (rest as { accountId?: string }).accountId
      for (const [client, visit] of Object.entries(authorizations)) {
        if (visit.grantId !== undefined && !visit.persistsLogout) await records.removeGrant(visit.grantId)
        const known = (await clients.find(client)) ?? withDocument(client)
        if (!known?.backchannel_logout_uri || subject === undefined) continue
        await this.#queueNotice(client, subject, visit.sid ?? '')
      }
      await forgetApplications(records, id)
    }
    if (ids.length > 0) database.afterCommit(() => this.#queue.wake())
  }

  /** Whether a sign-in of a person has a proof from `oldest` or before. */
  async hasProof(userId: string, oldest: number): Promise<boolean> {
    const { query } = this.#parts.database
    const rows = query.selectFrom('sessions').select('id').where('user_id', '=', userId)
    return (await rows.where('proven_at', '<=', oldest).limit(1).execute()).length > 0
  }

  /**
   * Ends what a client got for a person, and queues a notice for each of their sessions that it was part of: everything, or what came
   * from proofs given at `oldest` or before.
   */
  async accessLost(userId: string, { client, backchannel_logout_uri }: Told, oldest?: number): Promise<void> {
    const { database, records } = this.#parts
    const sessions = await database.query
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', userId)
      .$if(oldest !== undefined, (all) => all.where('proven_at', '<=', oldest!))
      .execute()
    if (oldest !== undefined && sessions.length === 0) return
    await database.write(async () => {
      for (const { id } of sessions) {
        const visit = await leaveApplication(records, id, client)
        if (!visit) continue
        if (visit.grantId !== undefined) await records.removeGrant(visit.grantId)
        if (backchannel_logout_uri !== null) await this.#queueNotice(client, userId, visit.sid ?? '')
      }
      if (oldest === undefined) await records.removeOf(userId, client)
      database.afterCommit(() => this.#queue.wake())
    })
  }

  /**
   * Ends a grant that its client may not use any more. The client learns it by the refusal; its own session, which outlives that, ends by
   * a notice.
   */
  async grantLost(userId: string, { client, backchannel_logout_uri }: Told, grantId: string): Promise<void> {
    const { database, records } = this.#parts
    await database.write(async () => {
      const sessions = await database.query
        .selectFrom('sessions')
        .select('id')
        .where('user_id', '=', userId)
        .execute()
      for (const { id } of sessions) {
        const { authorizations = {} } = await readApplications(records, id)
        if (authorizations[client]?.grantId !== grantId) continue
        const visit = await leaveApplication(records, id, client)
        if (backchannel_logout_uri !== null) await this.#queueNotice(client, userId, visit!.sid ?? '')
      }
      await records.removeGrant(grantId)
      database.afterCommit(() => this.#queue.wake())
    })
  }

  async #queueNotice(client: string, subject: string, sid: string): Promise<void> {
    await this.#parts.database.query
      .insertInto('oidc_logouts')
      .values({ id: newId(), client, subject, sid, due_at: now(), tries: 0 })
      .execute()
  }

  /** Sends due notices until `close`. One process per machine is enough. */
  start(): void {
    this.#queue.start()
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }

  /** Returns the due notices, ordered so that each client's earliest comes first. */
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
      .where('place', '<=', maxConcurrentPerClient)
      .orderBy('place')
      .limit(maxConcurrent)
      .execute()
  }

  async #set(ids: readonly string[], fields: { due_at: number; tries?: number }): Promise<void> {
    await this.#parts.database.query.updateTable('oidc_logouts').set(fields).where('id', 'in', ids).execute()
  }

  async #remove(id: string): Promise<void> {
    await this.#parts.database.query.deleteFrom('oidc_logouts').where('id', '=', id).execute()
  }
}
