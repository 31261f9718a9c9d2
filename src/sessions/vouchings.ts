import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'

/** What an identity provider said about a person, in one sign-in there. */
export interface Vouching {
  readonly provider: string
  readonly identity_id: string
  /** The provider's own id for its session (`sid`); empty for none. */
  readonly sid: string
  /** The provider's ID token, sealed, as a hint when the person signs out there too; empty for none. */
  readonly id_token: string
}

/** Which vouchings of a provider: all, those for one user, or those with an id of the provider's session. */
export interface WhichVouchings {
  readonly userId?: string
  readonly sid?: string
  /** The session that stays. */
  readonly except?: string | undefined
}

/** The identity providers that have vouched for a sign-in, whichever proof opened it. */
export class Vouchings {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Records that a provider has vouched for a sign-in; a later one replaces an earlier one. Inside a transaction. */
  async add(sessionId: string, { provider, identity_id, sid, id_token }: Vouching): Promise<void> {
    const row = { identity_id, provider_sid: sid, id_token, vouched_at: now() }
    await this.#database.query
      .insertInto('vouchings')
      .values({ session_id: sessionId, provider, ...row })
      .onConflict((conflict) => conflict.columns(['session_id', 'provider']).doUpdateSet(row))
      .execute()
  }

  /** Removes vouchings, and leaves the sign-ins open. Returns how many. Inside a transaction. */
  async remove(provider: string, which: WhichVouchings): Promise<number> {
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('vouchings')
      .where(chosenVouchings(provider, which))
      .executeTakeFirst()
    if (numDeletedRows > 0n) this.#database.changed('sessions')
    return Number(numDeletedRows)
  }

  /** Returns what signing out at the provider that opened a sign-in requires. */
  async ofOpener(sessionId: string) {
    return this.#database.query
      .selectFrom('sessions')
      .innerJoin('vouchings', (join) =>
        join
          .onRef('vouchings.session_id', '=', 'sessions.id')
          .onRef('vouchings.provider', '=', 'sessions.provider'),
      )
      .select(['sessions.user_id', 'sessions.provider', 'vouchings.id_token'])
      .where('sessions.id', '=', sessionId)
      .executeTakeFirst()
  }
}

/**
 * The condition for vouchings. For one user, a session id of the provider includes vouchings without one, because they could be
 * the same one.
 */
export const chosenVouchings = (
  provider: string,
  { userId, sid, except = '' }: WhichVouchings,
): RawBuilder<SqlBool> => {
  const of = sql<SqlBool>`vouchings.provider = ${provider} and vouchings.session_id != ${except}`
  const user =
    userId === undefined
      ? sql``
      : sql` and vouchings.session_id in (select mine.id from sessions as mine where mine.user_id = ${userId})`
  const unnamed = userId === undefined ? sql`` : sql` or vouchings.provider_sid = ''`
  const named = sid === undefined ? sql`` : sql` and (vouchings.provider_sid = ${sid}${unnamed})`
  return sql<SqlBool>`${of}${user}${named}`
}
