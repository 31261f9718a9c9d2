import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Reactions, RevocationReason } from '../contract/reactions.ts'
import type { Database } from '../storage/database.ts'
import { batchRows, inBatches } from '../storage/sweeping.ts'
import { recordRevocations } from './revocations.ts'

/**
 * The only way to end sign-ins early, and with each its children. Records a revocation of each session for everyone who keeps
 * something open for it.
 */
export class SessionEndings {
  readonly #database: Database
  readonly #reactions: Pick<Reactions, 'sessionsEnding'>

  constructor(database: Database, reactions: Pick<Reactions, 'sessionsEnding'>) {
    this.#database = database
    this.#reactions = reactions
  }

  /** Ends all that match in one transaction, and returns how many ended. */
  async end(which: RawBuilder<SqlBool>, reason: RevocationReason): Promise<number> {
    return this.#database.write(async () => {
      const ended = await this.#database.query.selectFrom('sessions').select('id').where(which).execute()
      await this.#reactions.sessionsEnding(ended.map(({ id }) => id))
      await recordRevocations(this.#database.query, which, reason)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('sessions')
        .where(which)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('sessions')
      return Number(numDeletedRows)
    })
  }

  /** Ends all that match, a batch in each transaction. */
  inBatches(which: RawBuilder<SqlBool>, reason: RevocationReason): Promise<void> {
    return inBatches(async () => {
      const found = await this.#database.query
        .selectFrom('sessions')
        .select('id')
        .where(which)
        .limit(batchRows)
        .execute()
      const ids = sql.join(found.map(({ id }) => id))
      if (found.length > 0) await this.end(sql`sessions.id in (${ids}) and ${which}`, reason)
      return found.length
    })
  }

  /**
   * Ends the sign-ins that were opened at another host than home's: no browser can show their cookies any more. Sign-ins from before
   * this was kept were opened at home.
   */
  async atOtherHosts(home: string): Promise<void> {
    await this.#database.write(() =>
      this.#database.query.updateTable('sessions').set({ home }).where('home', '=', '').execute(),
    )
    // Two ranges, because an index finds no rows that differ.
    const other = sql<SqlBool>`(sessions.home < ${home} or sessions.home > ${home})`
    await this.inBatches(sql<SqlBool>`sessions.kind = 'cookie' and ${other}`, 'revoked')
  }
}
