import { sql, type SqlBool } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import type { Reactions } from '../contract/reactions.ts'
import { alreadyExists, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { matchesSearch } from '../storage/search.ts'
import { bit, isUnconfirmed, isUnconfirmedSql, type UserRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { whenReady } from '../storage/when_ready.ts'
import { hasValue, userRows, type UserLookup } from './lookup.ts'
import {
  guardAdministrator,
  refuseBeyondProfile,
  refuseEndOfAdministrator,
  refuseLastAdministrator,
  requireAdministrator,
} from './guards.ts'
import { toUser, type User, type UserFields } from './user.ts'
import { freeAddress } from './addresses.ts'
import { refuseTakenName } from './usernames.ts'

/** User accounts. */
export class Users {
  readonly #database: Database
  readonly #defaultContext: () => Promise<number>
  readonly #row: ReturnType<typeof userRows>
  readonly #reactions: Pick<Reactions, 'addressChanged'>

  constructor(
    database: Database,
    defaultContext: () => Promise<number>,
    reactions: Pick<Reactions, 'addressChanged'>,
  ) {
    this.#database = database
    this.#reactions = reactions
    this.#defaultContext = defaultContext
    this.#row = userRows(database)
  }

  async list(
    filter: PageParams & { search?: string; is_active?: boolean; is_admin?: boolean },
    { confirmed = false } = {},
  ) {
    let query = this.#database.reading.selectFrom('users').selectAll()
    if (confirmed) query = query.where(sql<SqlBool>`not ${isUnconfirmedSql()}`)
    // Written like the partial indexes: SQLite would not use them with a parameter.
    if (filter.is_active !== undefined)
      query = query.where(filter.is_active ? sql<SqlBool>`is_active = 1` : sql<SqlBool>`is_active = 0`)
    if (filter.is_admin !== undefined)
      query = query.where(filter.is_admin ? sql<SqlBool>`is_admin = 1` : sql<SqlBool>`is_admin = 0`)
    if (filter.search !== undefined)
      query = query.where(await matchesSearch(this.#database, 'users', filter.search))
    const page = await readPage(query, filter, {
      by: sql`lower(username)`,
      keyOf: (row) => row.username.toLowerCase(),
    })
    return { ...page, items: page.items.map(toUser) }
  }

  /** The user with this username, or undefined. */
  async find(username: string): Promise<User | undefined> {
    const row = await this.#database.query
      .selectFrom('users')
      .selectAll()
      .where(hasValue('username', username))
      .executeTakeFirst()
    return row && toUser(row)
  }

  /** Throws or rejects with not_found. On SQLite it returns no promise. */
  get(lookup: UserLookup): User | Promise<User> {
    return whenReady(this.#row(lookup), toUser)
  }

  /** The same, without accounts that nobody has confirmed. */
  getConfirmed(lookup: UserLookup): User | Promise<User> {
    return whenReady(this.#row(lookup), (row) => {
      if (isUnconfirmed(row)) throw notFound('user', Object.values(lookup).join())
      return toUser(row)
    })
  }

  async add(fields: UserFields & { username: string }, caller: Caller): Promise<User> {
    if (fields.is_admin || fields.context === 0) requireAdministrator(caller)
    return this.#insert(fields)
  }

  /** For set-up only, which has its own proof of authority. */
  async addFirstAdministrator(fields: { username: string; email: string }): Promise<User> {
    return this.#insert({ ...fields, is_admin: true })
  }

  /** For registration, which verifies less than an administrator does. */
  async addRegistered(
    fields: { username: string; email: string | null; display_name?: string },
    verified: boolean,
  ): Promise<User> {
    return this.#insert(fields, verified)
  }

  /** For a user whom a provider vouches for, with an email address if it reports one. */
  async addVouchedFor(fields: {
    username: string
    email: string | null
    display_name: string
  }): Promise<User> {
    return this.#insert(fields)
  }

  /** Updates the display name to what a provider reports. Inside a transaction. */
  async setReportedName(id: string, display_name: string): Promise<void> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('users')
      .set({ display_name, updated_at: now() })
      .where('id', '=', id)
      .where('display_name', '!=', display_name)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) this.#database.changed('users')
  }

  /** What an invitation or somebody who approves says about a new account. Inside a transaction. */
  async admit(id: string, fields: { ends_at?: number | null; awaits_approval: boolean }): Promise<void> {
    const set = { ...fields, awaits_approval: bit(fields.awaits_approval) }
    await this.#database.query.updateTable('users').set(set).where('id', '=', id).execute()
    this.#database.changed('users')
  }

  /** Sets whether the user has a second factor or a passkey and must use it. Inside a transaction. */
  async markFactor(id: string, has: boolean): Promise<void> {
    const set = { has_factor: bit(has) }
    await this.#database.query.updateTable('users').set(set).where('id', '=', id).execute()
    this.#database.changed('users')
  }

  /** Deletes registrations that were not confirmed within a day. */
  async sweep(): Promise<void> {
    const which = sql<SqlBool>`${isUnconfirmedSql()} and created_at < ${now() - 86_400}`
    await sweepRows(this.#database, 'users', 'id', which, (query) => query.deleteFrom('users'), 'users')
    const kept = sql<SqlBool>`reserved_at < ${now() - 86_400}`
    await sweepRows(this.#database, 'reserved_names', 'username', kept, (query) =>
      query.deleteFrom('reserved_names'),
    )
  }

  async #insert(fields: UserFields & { username: string }, verified = true): Promise<User> {
    const { username, email = null, external_id = null, is_admin = false } = fields
    const context = fields.context ?? (await this.#defaultContext())
    return this.#database.write(async () => {
      await refuseTakenName(this.#database.query, username, email ?? '')
      await this.#refuseTaken('email', email)
      await this.#refuseTaken('external_id', external_id)
      const at = now()
      const row: UserRow = {
        id: newId(),
        username,
        display_name: fields.display_name ?? username,
        email,
        address_since: 0,
        // Administrators vouch for the addresses they enter.
        email_verified_at: email === null || !verified ? null : at,
        external_id,
        is_active: 1,
        is_admin: bit(is_admin),
        has_factor: 0,
        context,
        ends_at: fields.ends_at ?? null,
        end_stage: 0,
        awaits_approval: 0,
        created_at: at,
        updated_at: at,
      }
      await this.#database.query.insertInto('users').values(row).execute()
      this.#database.changed('users')
      return toUser(row)
    })
  }

  async update(username: string, fields: UserFields, caller: Caller): Promise<User> {
    return this.#database.write(async () => {
      const row = await this.#row({ username })
      refuseBeyondProfile(fields, caller)
      guardAdministrator(row, caller)
      if (fields.is_admin === true || fields.context === 0) requireAdministrator(caller)
      if (fields.is_admin === false || fields.is_active === false)
        await refuseLastAdministrator(this.#database.query, row)
      if (fields.email !== undefined) await this.#refuseTaken('email', fields.email, row.id)
      refuseEndOfAdministrator({ ...row, ...fields })
      if (fields.external_id !== undefined) await this.#refuseTaken('external_id', fields.external_id, row.id)
      const { is_active, is_admin, ...rest } = fields
      const next: UserRow = { ...row, ...rest, updated_at: now() }
      if (is_active !== undefined) next.is_active = bit(is_active)
      if (is_admin !== undefined) next.is_admin = bit(is_admin)
      if (next.ends_at !== row.ends_at) next.end_stage = 0
      const moves = next.email !== row.email // Administrators vouch for addresses, but not for their own.
      if (moves) next.email_verified_at = next.email === null ? null : next.updated_at
      if (moves) next.address_since = caller.user_id === row.id ? next.updated_at : 0
      await this.#database.query.updateTable('users').set(next).where('id', '=', row.id).execute()
      if (moves) {
        const before = row.email_verified_at === null ? undefined : (row.email ?? undefined)
        await this.#reactions.addressChanged(row.id, { before, after: next.email }, caller)
      }
      this.#database.changed('users')
      return toUser(next)
    })
  }

  /** Removes the account with its memberships, sessions and credentials. Its username is never reused. */
  async remove(username: string, caller: Caller): Promise<null> {
    return this.#database.write(async () => {
      const row = await this.#row({ username })
      guardAdministrator(row, caller)
      await refuseLastAdministrator(this.#database.query, row)
      await this.#database.query.deleteFrom('users').where('id', '=', row.id).execute()
      // An account that nobody has confirmed or approved was nobody, so its name may be somebody's.
      if (!isUnconfirmed(row) && row.awaits_approval === 0)
        await this.#database.query
          .insertInto('removed_usernames')
          .values({ username: row.username.toLowerCase(), removed_at: now() })
          .execute()
      this.#database.changed('users')
      this.#database.changed('sessions')
      return null
    })
  }

  /**
   * Throws claim_required unless the caller may act on this account. Only administrators may act on the account of an
   * administrator or of internal trust: setting its password gives access to its power.
   */
  async guard(username: string, caller: Caller): Promise<User> {
    const row = await this.#row({ username })
    guardAdministrator(row, caller)
    return toUser(row)
  }

  async #refuseTaken(column: 'email' | 'external_id', value: string | null, except = '') {
    if (value === null) return
    // Somebody who has not proved an address blocks nobody from having it.
    if (column === 'email') await freeAddress(this.#database, value, except)
    const taken = await this.#database.query
      .selectFrom('users')
      .select('id')
      .where(hasValue(column, value))
      .where('id', '!=', except)
      .executeTakeFirst()
    if (taken) throw alreadyExists(column, column)
  }
}
