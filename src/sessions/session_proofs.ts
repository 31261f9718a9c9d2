import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { provenAgainBy, type FreshProof } from './opened_session.ts'
import { anotherDevice } from '../contract/caller.ts'

/** What people prove in sign-ins that are open. */
export class SessionProofs {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Records that the session's user has just authenticated again. Nothing is recorded in a sign-in that another device opened: its person
   * signs in anew. Inside a transaction.
   */
  async add(id: string, proof: FreshProof): Promise<void> {
    await this.#database.query
      .updateTable('sessions')
      .set(provenAgainBy(proof, now()))
      .where('id', '=', id)
      .where('provider', '<>', anotherDevice)
      .execute()
    this.#database.changed('sessions')
  }

  /**
   * When the session's user last showed that they read the mail of their address, and when they used a link for their first factor, in
   * Unix seconds; 0 for never.
   */
  async mailedAt(id: string): Promise<{ readonly mailed_at: number; readonly link_at: number }> {
    const row = await this.#database.query
      .selectFrom('sessions')
      .select(['mailed_at', 'link_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    return row ?? { mailed_at: 0, link_at: 0 }
  }

  /** Records what counts as a code from the mail of the session's user. Inside a transaction. */
  async noteMailed(id: string): Promise<void> {
    await this.#database.query
      .updateTable('sessions')
      .set({ mailed_at: now() })
      .where('id', '=', id)
      .execute()
    this.#database.changed('sessions')
  }

  /** Records that the session's user has used a link for their first factor. Inside a transaction. */
  async noteLink(id: string): Promise<void> {
    await this.#database.query.updateTable('sessions').set({ link_at: now() }).where('id', '=', id).execute()
    this.#database.changed('sessions')
  }

  /** Records that a user has no second factor any more: what was proved with one counts no longer. Inside a transaction. */
  async forgetFactors(userId: string): Promise<void> {
    await this.#database.query
      .updateTable('sessions')
      .set({ second_at: 0, passkey_at: 0, by_trust: 0 })
      .where('user_id', '=', userId)
      .execute()
    this.#database.changed('sessions')
  }
}
