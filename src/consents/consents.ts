import type { Reactions } from '../contract/reactions.ts'
import { notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'

/** What users have allowed applications to access, until they revoke it. */
export class Consents {
  readonly #database: Database
  readonly #reactions: Pick<Reactions, 'consentRevoked'>

  constructor(database: Database, reactions: Pick<Reactions, 'consentRevoked'>) {
    this.#database = database
    this.#reactions = reactions
  }

  /** The scopes that a user granted a client; empty for none. */
  async of(userId: string, client: string): Promise<readonly string[]> {
    const row = await this.#database.query
      .selectFrom('consents')
      .select('scopes')
      .where('user_id', '=', userId)
      .where('client', '=', client)
      .executeTakeFirst()
    return row ? (JSON.parse(row.scopes) as string[]) : []
  }

  /** Whether any user granted the client anything. */
  async hasAnyConsent(client: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('consents')
      .select('user_id')
      .where('client', '=', client)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Grants more scopes in addition to earlier ones. Inside a transaction. */
  async give(userId: string, client: string, scopes: readonly string[]): Promise<void> {
    const before = await this.of(userId, client)
    if (before.length > 0 && scopes.every((scope) => before.includes(scope))) return
    const allScopes = JSON.stringify([...new Set([...before, ...scopes])])
    await this.#database.query
      .insertInto('consents')
      .values({ user_id: userId, client, scopes: allScopes, created_at: now() })
      .onConflict((same) =>
        same.columns(['user_id', 'client']).doUpdateSet({ scopes: allScopes, created_at: now() }),
      )
      .execute()
  }

  /** Removes what a user has allowed, or allowed more of, since a time. Inside a transaction. */
  async removeSince(userId: string, since: number): Promise<void> {
    const { query } = this.#database
    const consents = query.deleteFrom('consents').where('user_id', '=', userId)
    await consents.where('created_at', '>=', since).execute()
  }

  /** The applications that a user has allowed, with the scopes of each. */
  async list(userId: string) {
    const rows = await this.#database.query
      .selectFrom('consents')
      .leftJoin('clients', 'clients.client', 'consents.client')
      .select(['consents.client', 'clients.name', 'consents.scopes', 'consents.created_at'])
      .where('user_id', '=', userId)
      .orderBy('consents.client')
      .execute()
    return rows.map(({ client, name, scopes, created_at }) => ({
      client,
      name: name ?? client,
      scopes: JSON.parse(scopes) as string[],
      created_at,
    }))
  }

  /** Deletes all consents for a client that is being removed. Inside a transaction. */
  async forgetClient(client: string): Promise<void> {
    await this.#database.query.deleteFrom('consents').where('client', '=', client).execute()
  }

  /**
   * Revokes a consent: everything that the client has on behalf of the user becomes invalid, also what needed no consent. Throws
   * not_found. Inside a transaction.
   */
  async revoke(userId: string, client: string): Promise<void> {
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('consents')
      .where('user_id', '=', userId)
      .where('client', '=', client)
      .executeTakeFirst()
    // A first-party client gets tokens without a consent.
    if (numDeletedRows === 0n && !(await this.#isRegistered(client))) throw notFound('consent', client)
    await this.#reactions.consentRevoked(userId, client)
  }

  async #isRegistered(client: string): Promise<boolean> {
    const { query } = this.#database
    const row = await query.selectFrom('clients').select('id').where('client', '=', client).executeTakeFirst()
    return row !== undefined
  }
}
