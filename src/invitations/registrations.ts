import { sql, type SqlBool } from 'kysely'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'

/** Who came by which invitation, as long as that matters: until the address is confirmed, and until somebody has approved. */
export class Registrations {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Notes by which invitation an account came; without one, forgets it. Inside a transaction. */
  async note(userId: string, invitation: string | undefined): Promise<void> {
    const { query } = this.#database
    if (invitation === undefined) return this.forget(userId)
    const row = { invitation_id: invitation, asked_at: now() }
    await query
      .insertInto('registrations')
      .values({ user_id: userId, ...row })
      .onConflict((same) => same.column('user_id').doUpdateSet(row))
      .execute()
  }

  /** Undefined for an account that came by none; null if that is gone. */
  async invitationOf(userId: string): Promise<string | null | undefined> {
    const row = await this.#database.query
      .selectFrom('registrations')
      .select('invitation_id')
      .where('user_id', '=', userId)
      .executeTakeFirst()
    return row?.invitation_id
  }

  async forget(userId: string): Promise<void> {
    await this.#database.query.deleteFrom('registrations').where('user_id', '=', userId).execute()
  }

  /** The accounts that await approval, oldest first. */
  waiting(filter: PageParams) {
    const query = this.#database.query
      .selectFrom('users')
      .leftJoin('registrations', 'registrations.user_id', 'users.id')
      .select([
        'users.id',
        'users.username',
        'users.display_name',
        'users.email',
        'users.created_at',
        'registrations.asked_at',
        'registrations.invitation_id',
      ])
      // Written like the partial index, so that SQLite uses it.
      .where(sql<SqlBool>`users.awaits_approval = 1`)
    return readPage(query, filter, { by: sql.ref('users.id'), keyOf: ({ id }) => id })
  }

  async count(): Promise<number> {
    const row = await this.#database.query
      .selectFrom('users')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where(sql<SqlBool>`users.awaits_approval = 1`)
      .executeTakeFirstOrThrow()
    return Number(row.count)
  }
}
