import { shownName } from '../contract/names.ts'
import { sql, type SqlBool } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** Initial access tokens (RFC 7591 section 1.2): each lets a number of clients register themselves, for a while. */
export class RegistrationTokens {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Creates a token and returns it. It cannot be read again. `lifetime` is in seconds. */
  async add(name: string, uses: number, lifetimeSeconds: number) {
    return this.#database.write(async () => {
      const token = randomBytes(32).toString('base64url')
      const at = now()
      const shown = { id: newId(), name, uses_left: uses, created_at: at, expires_at: at + lifetimeSeconds }
      await this.#database.query
        .insertInto('registration_tokens')
        .values({ ...shown, token_hash: digest(token) })
        .execute()
      return { ...shown, initial_access_token: token }
    })
  }

  /** The valid tokens, oldest first. */
  async list() {
    const rows = await this.#valid().selectAll().orderBy('id').execute()
    return { items: rows.map(({ token_hash: _, ...shown }) => ({ ...shown, name: shownName(shown.name) })) }
  }

  async remove(id: string): Promise<null> {
    return this.#database.write(async () => {
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('registration_tokens')
        .where('id', '=', id)
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('registration token', id)
      return null
    })
  }

  /** Whether the token is currently valid. Does not use it. */
  async isValid(token: string): Promise<boolean> {
    const row = await this.#valid().select('id').where('token_hash', '=', digest(token)).executeTakeFirst()
    return row !== undefined
  }

  /** Uses the token once, inside the transaction of what it is used for. Returns false if it is no longer valid. */
  async use(token: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('registration_tokens')
      .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
      .where('token_hash', '=', digest(token))
      .where('uses_left', '>', 0)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }

  async sweep(): Promise<void> {
    const over = sql<SqlBool>`(expires_at <= ${now()} or uses_left <= 0)`
    await sweepRows(this.#database, 'registration_tokens', 'id', over, (query) =>
      query.deleteFrom('registration_tokens'),
    )
  }

  #valid() {
    return this.#database.query
      .selectFrom('registration_tokens')
      .where('uses_left', '>', 0)
      .where('expires_at', '>', now())
  }
}
