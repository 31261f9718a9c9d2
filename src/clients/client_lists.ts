import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import type { Database } from '../storage/database.ts'
import type { Schema } from '../storage/schema.ts'
import type { ClientWithCredentials } from './client.ts'
import type { Clients } from './clients.ts'

type Which = (where: ExpressionBuilder<Schema, 'clients'>) => ExpressionWrapper<Schema, 'clients', SqlBool>

/** Lists of the clients that are accepted now. */
export class ClientLists {
  readonly #database: Database
  readonly #clients: Pick<Clients, 'find'>

  constructor(database: Database, clients: Pick<Clients, 'find'>) {
    this.#database = database
    this.#clients = clients
  }

  /** The applications that have a start address. */
  withStart(): Promise<readonly ClientWithCredentials[]> {
    return this.#those((where) => where('start_url', '!=', ''))
  }

  /** The clients that not everybody may enter, or not for long; with `dynamic`, those that registered themselves too. */
  withRule(dynamic: boolean): Promise<readonly ClientWithCredentials[]> {
    return this.#those((where) =>
      where.or([
        where('required_claims', '!=', '[]'),
        where('session_max', 'is not', null),
        ...(dynamic ? [where('dynamic', '=', 1)] : []),
      ]),
    )
  }

  /** The client_ids of applications that an administrator added, and that every active person may enter. */
  async withoutRule(): Promise<string[]> {
    const open = await this.#those((where) => where('required_claims', '=', '[]'))
    return open
      .filter(({ dynamic, grants }) => !dynamic && grants.some((grant) => grant !== 'client_credentials'))
      .map(({ client }) => client)
  }

  async #those(which: Which): Promise<readonly ClientWithCredentials[]> {
    const rows = await this.#database.query
      .selectFrom('clients')
      .select('client')
      .where(which)
      .orderBy('client')
      .execute()
    const found = await Promise.all(rows.map(({ client }) => this.#clients.find(client)))
    return found.filter((client) => client !== undefined)
  }
}
