import { sql } from 'kysely'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { isUnconfirmedSql } from '../storage/schema.ts'

/** The addresses of accounts, and who has proved which. Every method belongs inside a transaction. */
export class Addresses {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Removes an account whose address was never confirmed. It has done nothing, so its name becomes free again. */
  async removeUnconfirmed(id: string): Promise<void> {
    await this.#database.query.deleteFrom('users').where('id', '=', id).where(isUnconfirmedSql()).execute()
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

  /** Changes the account's address to another verified one. */
  async setVerified(id: string, email: string): Promise<void> {
    const at = now()
    await this.#database.query
      .updateTable('users')
      .set({ email, email_verified_at: at, updated_at: at })
      .where('id', '=', id)
      .execute()
    this.#database.changed('users')
  }
}
