import { sql } from 'kysely'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { isUnconfirmedSql, type UserRow } from '../storage/schema.ts'

/**
 * Frees an address that an account has without having proved it, for somebody who has, or for whom an administrator vouches.
 * That account has done nothing, so it goes. Names that were registered for the address stay reserved for the day: if they became
 * free, this would show that somebody has an account with it now. Inside a transaction.
 */
export const freeAddress = async (database: Database, email: string, except = ''): Promise<void> => {
  const address = email.toLowerCase()
  const { numDeletedRows } = await database.query
    .deleteFrom('users')
    .where(sql`lower(email)`, '=', address)
    .where('id', '!=', except)
    .where(isUnconfirmedSql())
    .executeTakeFirst()
  if (numDeletedRows > 0n) database.changed('users')
}

/** The addresses of accounts, and who has proved which. Every method that writes belongs inside a transaction. */
export class Addresses {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The account that has this address, confirmed or not. */
  holder(email: string): Promise<UserRow | undefined> {
    return this.#database.query
      .selectFrom('users')
      .selectAll()
      .where(sql`lower(email)`, '=', email.toLowerCase())
      .executeTakeFirst()
  }

  free(email: string): Promise<void> {
    return freeAddress(this.#database, email)
  }

  /** Somebody registers the address of an unconfirmed account again: it is kept for another day. */
  async renewUnconfirmed(id: string): Promise<void> {
    await this.#database.query
      .updateTable('users')
      .set({ created_at: now() })
      .where('id', '=', id)
      .where(isUnconfirmedSql())
      .execute()
  }

  /** Gives an unconfirmed account the display name that the registration wanted whose link is used. */
  async renameUnconfirmed(id: string, display_name: string): Promise<void> {
    await this.#database.query
      .updateTable('users')
      .set({ display_name })
      .where('id', '=', id)
      .where(isUnconfirmedSql())
      .execute()
    this.#database.changed('users')
  }

  /** Marks an address as verified if it is still the account's. Returns whether it was not verified before. */
  async markVerified(id: string, address: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('users')
      .set({ email_verified_at: now() })
      .where('id', '=', id)
      .where(sql`lower(email)`, '=', address)
      .where(isUnconfirmedSql())
      .executeTakeFirst()
    if (numUpdatedRows > 0n) this.#database.changed('users')
    return numUpdatedRows > 0n
  }

  /** Takes its address from the account. */
  async drop(id: string): Promise<void> {
    await this.#database.query
      .updateTable('users')
      .set({ email: null, email_verified_at: null, updated_at: now() })
      .where('id', '=', id)
      .execute()
    this.#database.changed('users')
  }

  /** Changes the account's address to another verified one. `byThemselves`: the person asked for it, and nobody else vouches for it. */
  async setVerified(id: string, email: string, byThemselves = false): Promise<void> {
    const at = now()
    await this.#database.query
      .updateTable('users')
      .set({ email, email_verified_at: at, address_since: byThemselves ? at : 0, updated_at: at })
      .where('id', '=', id)
      .execute()
    this.#database.changed('users')
  }

  /** When the person last changed the address themselves, in Unix seconds; 0 for never. */
  async selfGivenAt(id: string): Promise<number> {
    const row = await this.#database.query
      .selectFrom('users')
      .select('address_since')
      .where('id', '=', id)
      .executeTakeFirst()
    return row?.address_since ?? 0
  }
}
