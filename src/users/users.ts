import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Caller } from '../caller.ts'
import { alreadyExists, AppError, conflict, invalidParams, notFound } from '../errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { UserRow } from '../storage/schema.ts'
import { isNameOfTrust } from './names_of_trust.ts'
import { bit, toUser, type User } from './user.ts'

/** Names the one user a call is about: exactly one of the four. */
export interface UserLookup {
  readonly username?: string
  readonly email?: string
  readonly external_id?: string
  readonly id?: string
}

export interface UserFields {
  readonly display_name?: string
  readonly email?: string | null
  readonly external_id?: string | null
  readonly is_active?: boolean
  readonly is_admin?: boolean
  readonly context?: number
}

/** What people may change about themselves: nothing that grants power or proves an address. */
const profileFields: ReadonlySet<string> = new Set<keyof UserFields>(['display_name'])

const holds = (caller: Caller, claim: string) => caller.kind === 'operator' || caller.claims.has(claim)

/** People's accounts. */
export class Users {
  readonly #database: Database
  readonly #defaultContext: () => Promise<number>

  constructor(database: Database, defaultContext: () => Promise<number>) {
    this.#database = database
    this.#defaultContext = defaultContext
  }

  async list(filter: PageParams & { search?: string; is_active?: boolean; is_admin?: boolean }) {
    const after = afterCursor(filter.cursor)
    let query = this.#database.query.selectFrom('users').selectAll()
    if (after !== '') query = query.where(sql<string>`lower(username)`, '>', after)
    if (filter.is_active !== undefined) query = query.where('is_active', '=', bit(filter.is_active))
    if (filter.is_admin !== undefined) query = query.where('is_admin', '=', bit(filter.is_admin))
    if (filter.search !== undefined) {
      const part = filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)
      const like = `%${part.toLowerCase()}%`
      // lower() of SQLite, and of PostgreSQL in the locale C, knows ASCII only: other letters match as they are written.
      query = query.where(
        sql<boolean>`(lower(username) like ${like} escape '\\' or lower(email) like ${like} escape '\\' or lower(display_name) like ${like} escape '\\' or display_name like ${`%${part}%`} escape '\\')`,
      )
    }
    const rows = await query
      .orderBy(sql`lower(username)`)
      .limit(pageSize(filter.limit) + 1)
      .execute()
    return toPage(rows, filter, (row) => row.username.toLowerCase(), toUser)
  }

  /** Whoever is called so, or undefined. */
  async find(username: string): Promise<User | undefined> {
    const row = await this.#database.query
      .selectFrom('users')
      .selectAll()
      .where(sql`lower(username)`, '=', username.toLowerCase())
      .executeTakeFirst()
    return row && toUser(row)
  }

  async get(lookup: UserLookup): Promise<User> {
    return toUser(await this.#row(lookup))
  }

  async #row(lookup: UserLookup): Promise<UserRow> {
    const given = (['username', 'email', 'external_id', 'id'] as const).filter(
      (key) => lookup[key] !== undefined,
    )
    const key = given[0]
    if (key === undefined || given.length > 1) {
      throw invalidParams('username', 'exactly one of username, email, external_id and id')
    }
    const value = lookup[key]!
    const row = await this.#database.query
      .selectFrom('users')
      .selectAll()
      .$if(key === 'username', (q) => q.where(sql`lower(username)`, '=', value.toLowerCase()))
      .$if(key === 'email', (q) => q.where(sql`lower(email)`, '=', value.toLowerCase()))
      .$if(key === 'external_id', (q) => q.where('external_id', '=', value))
      .$if(key === 'id', (q) => q.where('id', '=', value))
      .executeTakeFirst()
    if (!row) throw notFound('user', value)
    return row
  }

  async add(fields: UserFields & { username: string }, caller: Caller): Promise<User> {
    if (fields.is_admin || fields.context === 0) this.#requireAdministrator(caller)
    return this.#insert(fields)
  }

  /** For set-up alone, which has its own proof. */
  async addFirstAdministrator(fields: { username: string; email: string }): Promise<User> {
    return this.#insert({ ...fields, is_admin: true })
  }

  /** For registration, which has asked for less than an administrator vouches for. */
  async addRegistered(
    fields: { username: string; email: string; display_name?: string },
    verified: boolean,
  ): Promise<User> {
    return this.#insert(fields, verified)
  }

  /** For somebody whom a provider vouches for, together with the address if there is one. */
  async addVouchedFor(fields: {
    username: string
    email: string | null
    display_name: string
  }): Promise<User> {
    return this.#insert(fields)
  }

  /** A name like the wanted one that nobody has or had. Inside a transaction. */
  async freeName(wanted: string): Promise<string> {
    for (let i = 1; i < 100; i++) {
      const name = i === 1 ? wanted : `${wanted.slice(0, 60)}-${i}`
      if (await this.#isFree(name)) return name
    }
    return `${wanted.slice(0, 50)}-${randomBytes(6).toString('hex')}`
  }

  async #isFree(name: string): Promise<boolean> {
    try {
      await this.refuseOwnChoice(name)
      return true
    } catch (error) {
      if (error instanceof AppError) return false
      throw error
    }
  }

  /** The name for people, as a provider tells it. Inside a transaction. */
  async takeOverName(id: string, display_name: string): Promise<void> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('users')
      .set({ display_name, updated_at: now() })
      .where('id', '=', id)
      .where('display_name', '!=', display_name)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) this.#database.changed('users')
  }

  /** Takes away an account whose address was never confirmed: it has done nothing, and its name is free again. */
  async removePending(id: string): Promise<void> {
    await this.#database.query
      .deleteFrom('users')
      .where('id', '=', id)
      .where('email', 'is not', null)
      .where('email_verified_at', 'is', null)
      .execute()
    this.#database.changed('users')
  }

  /** The person reads the mail of this address, if it is still the account's. */
  async markVerified(id: string, address: string): Promise<void> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('users')
      .set({ email_verified_at: now() })
      .where('id', '=', id)
      .where(sql`lower(email)`, '=', address)
      .where('email_verified_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) this.#database.changed('users')
  }

  /** Registrations that nobody confirmed within a day. */
  async sweep(): Promise<void> {
    await this.#database.write(async () => {
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('users')
        .where('email', 'is not', null)
        .where('email_verified_at', 'is', null)
        .where('created_at', '<', now() - 86_400)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('users')
    })
  }

  async #insert(fields: UserFields & { username: string }, verified = true): Promise<User> {
    const { username, email = null, external_id = null, is_admin = false } = fields
    const context = fields.context ?? (await this.#defaultContext())
    return this.#database.write(async () => {
      await this.refuseTakenName(username)
      await this.#refuseTaken('email', email)
      await this.#refuseTaken('external_id', external_id)
      const at = now()
      const row: UserRow = {
        id: newId(),
        username,
        display_name: fields.display_name ?? username,
        email,
        // Addresses that administrators give they vouch for.
        email_verified_at: email === null || !verified ? null : at,
        external_id,
        is_active: 1,
        is_admin: bit(is_admin),
        has_factor: 0,
        context,
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
      this.#refuseBeyondProfile(fields, caller)
      this.#guardAdministrator(row, caller)
      if (fields.is_admin === true || fields.context === 0) this.#requireAdministrator(caller)
      if (fields.is_admin === false || fields.is_active === false) await this.#refuseLastAdministrator(row)
      if (fields.email !== undefined) await this.#refuseTaken('email', fields.email, row.id)
      if (fields.external_id !== undefined) await this.#refuseTaken('external_id', fields.external_id, row.id)
      const { is_active, is_admin, ...rest } = fields
      const next: UserRow = { ...row, ...rest, updated_at: now() }
      if (is_active !== undefined) next.is_active = bit(is_active)
      if (is_admin !== undefined) next.is_admin = bit(is_admin)
      // Vouched for by the administrator who gives it; the same address once more changes nothing.
      if (next.email !== row.email) next.email_verified_at = next.email === null ? null : next.updated_at
      await this.#database.query.updateTable('users').set(next).where('id', '=', row.id).execute()
      this.#database.changed('users')
      return toUser(next)
    })
  }

  /** Takes the account away with its memberships, sessions and credentials. Its name is never given out again. */
  async remove(username: string, caller: Caller): Promise<null> {
    return this.#database.write(async () => {
      const row = await this.#row({ username })
      this.#guardAdministrator(row, caller)
      await this.#refuseLastAdministrator(row)
      await this.#database.query.deleteFrom('users').where('id', '=', row.id).execute()
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
   * Throws claim_required unless the caller may act on this account. On an administrator's only administrators may, and on
   * one of internal trust: who sets its password has its trust.
   */
  async guard(username: string, caller: Caller): Promise<User> {
    const row = await this.#row({ username })
    this.#guardAdministrator(row, caller)
    return toUser(row)
  }

  #guardAdministrator(row: UserRow, caller: Caller) {
    const guarded = row.is_admin === 1 || row.context === 0
    if (guarded && caller.user_id !== row.id) this.#requireAdministrator(caller)
  }

  /** `proxy.users.write` keeps accounts; making administrators or internal trust of them takes an administrator. */
  #requireAdministrator(caller: Caller) {
    if (!holds(caller, 'proxy.admin')) {
      throw new AppError('claim_required', 'This takes the claim proxy.admin', { claims: ['proxy.admin'] })
    }
  }

  #refuseBeyondProfile(fields: UserFields, caller: Caller) {
    if (holds(caller, 'proxy.users.write')) return
    const beyond = Object.keys(fields).find((key) => !profileFields.has(key))
    if (beyond !== undefined) {
      throw new AppError('claim_required', `Changing ${beyond} takes the claim proxy.users.write`, {
        claims: ['proxy.users.write'],
        path: beyond,
      })
    }
  }

  async #refuseLastAdministrator(row: UserRow) {
    if (row.is_admin === 0 || row.is_active === 0) return
    const other = await this.#database.query
      .selectFrom('users')
      .select('id')
      .where('is_admin', '=', 1)
      .where('is_active', '=', 1)
      .where('id', '!=', row.id)
      .executeTakeFirst()
    if (!other) throw conflict('The last active administrator cannot be demoted, deactivated or removed')
  }

  /** Throws for a name that nobody gives themselves, and already_exists if somebody is or was called so. */
  async refuseOwnChoice(username: string): Promise<void> {
    if (isNameOfTrust(username))
      throw invalidParams('username', 'a name of your own; this one is given by an administrator only')
    await this.refuseTakenName(username)
  }

  /** Throws already_exists if somebody is or was called so. */
  async refuseTakenName(username: string): Promise<void> {
    const name = username.toLowerCase()
    // The audit calls the operator so.
    if (name === 'system') throw invalidParams('username', 'any name but system')
    const { query } = this.#database
    const taken =
      (await query
        .selectFrom('users')
        .select('id')
        .where(sql`lower(username)`, '=', name)
        .executeTakeFirst()) ??
      (await query
        .selectFrom('removed_usernames')
        .select('username')
        .where('username', '=', name)
        .executeTakeFirst())
    if (taken) throw alreadyExists('username', 'username')
  }

  async #refuseTaken(column: 'email' | 'external_id', value: string | null, except = '') {
    if (value === null) return
    const expression = column === 'email' ? sql`lower(email)` : sql`external_id`
    const taken = await this.#database.query
      .selectFrom('users')
      .select('id')
      .where(expression, '=', column === 'email' ? value.toLowerCase() : value)
      .where('id', '!=', except)
      .executeTakeFirst()
    if (taken) throw alreadyExists(column, column)
  }
}
