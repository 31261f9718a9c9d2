import { sql } from 'kysely'
import { alreadyExists, conflict, notFound } from '../contract/errors.ts'
import { scopeOf, sameScope, type Scope } from '../storage/grant_scope.ts'
import type { Database } from '../storage/database.ts'
import type { GroupDetail } from './group.ts'
import type { Groups } from './groups.ts'

/** What groups grant: roles and direct claims, each everywhere or limited to a service, a context or both. */
export class Grants {
  readonly #database: Database
  readonly #groups: Groups

  constructor(database: Database, groups: Groups) {
    this.#database = database
    this.#groups = groups
  }

  async addRole(group: string, role: string, scope: Scope): Promise<GroupDetail> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const { id: role_id, name } = await this.#roleRow(role)
      if (name === 'admin') throw conflict('The role admin is reserved: only is_admin grants it')
      const row = { group_id, role_id, ...scopeOf(scope) }
      const existing = await this.#database.query
        .selectFrom('group_roles')
        .select('role_id')
        .where('group_id', '=', group_id)
        .where('role_id', '=', role_id)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (existing) throw alreadyExists('role of this group', 'role')
      await this.#database.query.insertInto('group_roles').values(row).execute()
      this.#database.changed('groups', [group_id])
      return this.#groups.get(group)
    })
  }

  async removeRole(group: string, role: string, scope: Scope): Promise<null> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const { id: role_id } = await this.#roleRow(role)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('group_roles')
        .where('group_id', '=', group_id)
        .where('role_id', '=', role_id)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('role of this group', role)
      this.#database.changed('groups', [group_id])
      return null
    })
  }

  async addClaim(group: string, claim: string, scope: Scope): Promise<GroupDetail> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const existing = await this.#database.query
        .selectFrom('group_claims')
        .select('claim')
        .where('group_id', '=', group_id)
        .where('claim', '=', claim)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (existing) throw alreadyExists('claim of this group', 'claim')
      await this.#database.query
        .insertInto('group_claims')
        .values({ group_id, claim, ...scopeOf(scope) })
        .execute()
      this.#database.changed('groups', [group_id])
      return this.#groups.get(group)
    })
  }

  async removeClaim(group: string, claim: string, scope: Scope): Promise<null> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('group_claims')
        .where('group_id', '=', group_id)
        .where('claim', '=', claim)
        .where(sameScope(scope))
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('claim of this group', claim)
      this.#database.changed('groups', [group_id])
      return null
    })
  }

  async #roleRow(name: string) {
    const row = await this.#database.query
      .selectFrom('roles')
      .select(['id', 'name'])
      .where(sql`lower(name)`, '=', name.toLowerCase())
      .executeTakeFirst()
    if (!row) throw notFound('role', name)
    return row
  }
}
