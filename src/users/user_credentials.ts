import { shownName } from '../contract/names.ts'
import { sql, type DeleteQueryBuilder, type DeleteResult } from 'kysely'
import { refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import type { Reactions } from '../contract/reactions.ts'
import { alreadyExists, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { Schema } from '../storage/schema.ts'
import { normaliseNetwork, normalisePubkey } from './normalise.ts'
import type { Users } from './users.ts'

type Query = Database['query']
export type Table = 'user_networks' | 'user_keys' | 'user_identities'

/** The statements that write, per table. */
const insertInto: Record<Table, (query: Query, row: never) => Promise<unknown>> = {
  user_networks: (query, row) => query.insertInto('user_networks').values(row).execute(),
  user_keys: (query, row) => query.insertInto('user_keys').values(row).execute(),
  user_identities: (query, row) => query.insertInto('user_identities').values(row).execute(),
}
const deleteFrom: Record<Table, (query: Query) => DeleteQueryBuilder<Schema, Table, DeleteResult>> = {
  user_networks: (query) => query.deleteFrom('user_networks'),
  user_keys: (query) => query.deleteFrom('user_keys'),
  user_identities: (query) => query.deleteFrom('user_identities'),
}

interface Owned {
  readonly id: string
  readonly user: string
  readonly created_at: number
}

/**
 * What identifies a user: networks, public keys and identities at providers. Each belongs to one user. Adding one
 * requires proxy.users.write, and proxy.admin for an administrator's account, because each is a way to sign in.
 */
export class UserCredentials {
  readonly #database: Database
  readonly #users: Users
  readonly #reactions: Pick<Reactions, 'identityAdded' | 'removingIdentity'>

  constructor(
    database: Database,
    users: Users,
    reactions: Pick<Reactions, 'identityAdded' | 'removingIdentity'>,
  ) {
    this.#database = database
    this.#users = users
    this.#reactions = reactions
  }

  async listNetworks(user: string, page: PageParams) {
    return this.#list<Record<'network' | 'description', string>>('user_networks', user, page, [
      'network',
      'description',
    ])
  }

  async addNetwork(user: string, network: string, description: string, caller: Caller) {
    const canonical = normaliseNetwork(network)
    return this.#add('user_networks', user, { network: canonical, description }, 'network', caller)
  }

  async listKeys(user: string, page: PageParams) {
    return this.#list<Record<'pubkey' | 'description', string>>('user_keys', user, page, [
      'pubkey',
      'description',
    ])
  }

  async addKey(user: string, pubkey: string, description: string, caller: Caller) {
    return this.#add('user_keys', user, { pubkey: normalisePubkey(pubkey), description }, 'pubkey', caller)
  }

  async listIdentities(user: string, page: PageParams) {
    type Shown = Record<'provider' | 'subject' | 'login' | 'avatar_url', string> & {
      last_used_at: number | null
    }
    return this.#list<Shown>('user_identities', user, page, [
      'provider',
      'subject',
      'login',
      'avatar_url',
      'last_used_at',
    ])
  }

  async addIdentity(user: string, provider: string, subject: string, caller: Caller) {
    return this.#database.write(async () => {
      const added = await this.#add('user_identities', user, { provider, subject }, 'subject', caller)
      await this.#reactions.identityAdded((await this.#users.guard(user, caller)).id, provider, caller)
      const { created_at, ...identity } = added
      return { ...identity, login: '', avatar_url: '', last_used_at: null, created_at }
    })
  }

  /** Removes an identity, and what its provider granted. */
  async removeIdentity(user: string, id: string, caller: Caller): Promise<null> {
    refuseWhileImpersonating(caller)
    return this.#database.write(async () => {
      const owner = await this.#users.guard(user, caller)
      const identity = await this.#database.query
        .selectFrom('user_identities')
        .select(['id', 'user_id', 'provider'])
        .where('id', '=', id)
        .where('user_id', '=', owner.id)
        .executeTakeFirst()
      if (identity) await this.#reactions.removingIdentity(identity, caller)
      return this.remove('user_identities', user, id, caller)
    })
  }

  /** Names an entry for the audit log; empty if it does not exist. */
  async nameOf(table: Table, { user, id }: { user: string; id: string }): Promise<string> {
    const row = await this.#database.query
      .selectFrom(table)
      .innerJoin('users', 'users.id', `${table}.user_id`)
      .selectAll(table)
      .where(`${table}.id`, '=', id)
      .where(sql`lower(users.username)`, '=', user.toLowerCase())
      .executeTakeFirst()
    return Object.entries(row ?? {})
      .filter(([name]) => ['provider', 'subject', 'network', 'pubkey'].includes(name))
      .map(([name, value]) => `${name}=${/^[\w.:/-]+$/.test(String(value)) ? value : JSON.stringify(value)} `)
      .join('')
  }

  async remove(table: Table, user: string, id: string, caller: Caller): Promise<null> {
    refuseWhileImpersonating(caller)
    return this.#database.write(async () => {
      const owner = await this.#users.guard(user, caller)
      const { numDeletedRows } = await deleteFrom[table](this.#database.query)
        .where('id', '=', id)
        .where('user_id', '=', owner.id)
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('entry of this user', id)
      this.#database.changed('users')
      return null
    })
  }

  async #add<F extends Record<string, string>>(
    table: Table,
    user: string,
    fields: F,
    unique: string,
    caller: Caller,
  ): Promise<Owned & F> {
    refuseWhileImpersonating(caller)
    return this.#database.write(async () => {
      const owner = await this.#users.guard(user, caller)
      const keyColumns = unique === 'subject' ? ['provider', 'subject'] : [unique]
      const taken = await this.#database.query
        .selectFrom(table)
        .select('id')
        .where(
          sql<boolean>`${sql.join(
            keyColumns.map((column) => sql`${sql.ref(column)} = ${fields[column]}`),
            sql` and `,
          )}`,
        )
        .executeTakeFirst()
      if (taken) throw alreadyExists(unique, unique)
      const row = { id: newId(), user_id: owner.id, created_at: now(), ...fields }
      await insertInto[table](this.#database.query, row as never)
      this.#database.changed('users')
      return { id: row.id, user: owner.username, ...fields, created_at: row.created_at }
    })
  }

  async #list<F extends Record<string, string | number | null>>(
    table: Table,
    user: string,
    page: PageParams,
    columns: readonly (keyof F & string)[],
  ) {
    const owner = await this.#users.get({ username: user })
    const query = this.#database.query.selectFrom(table).selectAll().where('user_id', '=', owner.id)
    const { items, next_cursor } = await readPage(query, page, { by: sql.ref('id'), keyOf: ({ id }) => id })
    const rows = items as unknown as (F & { id: string; created_at: number })[]
    return {
      items: rows.map((row) => {
        const shown = Object.fromEntries(
          columns.map((column) => [
            column,
            column === 'description' ? shownName(String(row[column])) : row[column],
          ]),
        ) as unknown as F
        return { id: row.id, user: owner.username, ...shown, created_at: row.created_at }
      }),
      next_cursor,
    }
  }
}
