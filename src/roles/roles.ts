import { shownName } from '../contract/names.ts'
import { sql } from 'kysely'
import { alreadyExists, conflict, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { plainInLike } from '../storage/text.ts'
import { sameScope, scopeOf, type Scope } from '../storage/grant_scope.ts'
import type { RoleRow } from '../storage/schema.ts'
import type { Role } from './role.ts'

/** Bundles of claims that groups can have. The seeded role `admin` has `proxy.*` and cannot be changed. */
export class Roles {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(
    filter: PageParams & { search?: string },
  ): Promise<{ items: Role[]; next_cursor: string | null }> {
    let query = this.#database.reading.selectFrom('roles').selectAll()
    if (filter.search !== undefined) {
      // Like users and groups: a search of fewer than three letters matches only the beginning.
      const like = `${[...filter.search].length < 3 ? '' : '%'}${plainInLike(filter.search.toLowerCase())}%`
      query = query.where(sql<boolean>`(lower(name) like ${like} escape '\\')`)
    }
    const page = await readPage(query, filter, {
      by: sql`lower(name)`,
      keyOf: (row) => row.name.toLowerCase(),
    })
    return { ...page, items: await Promise.all(page.items.map((row) => this.#withClaims(row))) }
  }

  async get(name: string): Promise<Role> {
    return this.#withClaims(await this.#row(name))
  }

  async add(fields: { name: string; description?: string }): Promise<Role> {
    return this.#database.write(async () => {
      const taken = await this.#find(fields.name)
      if (taken) throw alreadyExists('role', 'name')
      const at = now()
      const row: RoleRow = {
        id: newId(),
        name: fields.name,
        description: fields.description ?? '',
        created_at: at,
        updated_at: at,
      }
      await this.#database.query.insertInto('roles').values(row).execute()
      this.#database.changed('groups', [])
      return this.#withClaims(row)
    })
  }

  async update(name: string, fields: { description?: string }): Promise<Role> {
    return this.#database.write(async () => {
      const row = { ...(await this.#changeable(name)), ...fields, updated_at: now() }
      await this.#database.query.updateTable('roles').set(row).where('id', '=', row.id).execute()
      return this.#withClaims(row)
    })
  }

  /** Also removes it from the groups that have it. */
  async remove(name: string): Promise<null> {
    return this.#database.write(async () => {
      const { id } = await this.#changeable(name)
      await this.#database.query.deleteFrom('roles').where('id', '=', id).execute()
      this.#database.changed('groups')
      return null
    })
  }

  async addClaim(name: string, claim: string, scope: Scope): Promise<Role> {
    return this.#database.write(async () => {
      const role = await this.#changeable(name)
      const existing = await this.#database.query
        .selectFrom('role_claims')
        .select('claim')
        .where('role_id', '=', role.id)
        .where('claim', '=', claim)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (existing) throw alreadyExists('claim of this role', 'claim')
      await this.#database.query
        .insertInto('role_claims')
        .values({ role_id: role.id, claim, ...scopeOf(scope) })
        .execute()
      this.#database.changed('groups')
      return this.#withClaims(role)
    })
  }

  async removeClaim(name: string, claim: string, scope: Scope): Promise<null> {
    return this.#database.write(async () => {
      const { id } = await this.#changeable(name)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('role_claims')
        .where('role_id', '=', id)
        .where('claim', '=', claim)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('claim of this role', claim)
      this.#database.changed('groups')
      return null
    })
  }

  #find(name: string) {
    return this.#database.query
      .selectFrom('roles')
      .selectAll()
      .where(sql`lower(name)`, '=', name.toLowerCase())
      .executeTakeFirst()
  }

  async #row(name: string): Promise<RoleRow> {
    const row = await this.#find(name)
    if (!row) throw notFound('role', name)
    return row
  }

  async #changeable(name: string): Promise<RoleRow> {
    const row = await this.#row(name)
    if (row.name === 'admin') throw conflict('The role admin is reserved and cannot be changed')
    return row
  }

  async #withClaims(row: RoleRow): Promise<Role> {
    const claims = await this.#database.query
      .selectFrom('role_claims')
      .select(['claim', 'service', 'context'])
      .where('role_id', '=', row.id)
      .orderBy('claim')
      .orderBy('service')
      .orderBy(sql`coalesce(context, -1)`)
      .execute()
    return {
      ...row,
      description: shownName(row.description),
      claims: claims.map((grant) => ({ ...grant, service: grant.service || null })),
    }
  }
}
