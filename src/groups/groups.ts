import { sql, type SqlBool } from 'kysely'
import { alreadyExists, conflict, notFound } from '../contract/errors.ts'
import type { ProofLevel } from '../contract/proofs.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { matchesSearch } from '../storage/search.ts'
import { bit, maySignInSql, type GroupRow } from '../storage/schema.ts'
import { toGroup, type Group, type GroupDetail } from './group.ts'

/** The seeded group: its members are the users with `is_admin`, and its role is the seeded role `admin`. */
export const adminGroup = 'admin'

/** The groups themselves. Their members are in members.ts, their roles and claims in grants.ts. */
export class Groups {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(filter: PageParams & { search?: string; is_active?: boolean }) {
    let query = this.#database.reading.selectFrom('groups').selectAll()
    // Written like the partial indexes: SQLite would not use them with a parameter.
    if (filter.is_active !== undefined)
      query = query.where(filter.is_active ? sql<SqlBool>`is_active = 1` : sql<SqlBool>`is_active = 0`)
    if (filter.search !== undefined)
      query = query.where(await matchesSearch(this.#database, 'groups', filter.search))
    const page = await readPage(query, filter, {
      by: sql`lower(slug)`,
      keyOf: (row) => row.slug.toLowerCase(),
    })
    return { ...page, items: page.items.map(toGroup) }
  }

  /** Returns one group by its slug, in any case, or undefined. */
  find(slug: string): Promise<GroupRow | undefined> {
    return this.#database.query
      .selectFrom('groups')
      .selectAll()
      .where(sql`lower(slug)`, '=', slug.toLowerCase())
      .executeTakeFirst()
  }

  /** Returns one group by its slug, in any case. Throws not_found. */
  async row(slug: string): Promise<GroupRow> {
    const row = await this.find(slug)
    if (!row) throw notFound('group', slug)
    return row
  }

  /** Returns a group that may be changed. Throws conflict for the seeded group. */
  async changeable(slug: string): Promise<GroupRow> {
    const row = await this.row(slug)
    if (row.slug === adminGroup)
      throw conflict('The group admin is reserved: it follows is_admin and cannot be changed')
    return row
  }

  async get(slug: string): Promise<GroupDetail> {
    const row = await this.row(slug)
    const { query } = this.#database
    const admins = await query
      .selectFrom('group_admins')
      .innerJoin('users', 'users.id', 'group_admins.user_id')
      .select('users.username')
      .where('group_admins.group_id', '=', row.id)
      .where(maySignInSql())
      .orderBy('users.username')
      .execute()
    const groups = await query
      .selectFrom('group_groups')
      .innerJoin('groups', 'groups.id', 'group_groups.member_group_id')
      .select('groups.slug')
      .where('group_groups.group_id', '=', row.id)
      .orderBy('groups.slug')
      .execute()
    const roles = await query
      .selectFrom('group_roles')
      .innerJoin('roles', 'roles.id', 'group_roles.role_id')
      .select(['roles.name as role', 'group_roles.service', 'group_roles.context'])
      .where('group_roles.group_id', '=', row.id)
      .orderBy('roles.name')
      .orderBy('group_roles.service')
      .orderBy(sql`coalesce(group_roles.context, -1)`)
      .execute()
    const claims = await query
      .selectFrom('group_claims')
      .select(['claim', 'service', 'context'])
      .where('group_id', '=', row.id)
      .orderBy('claim')
      .orderBy('service')
      .orderBy(sql`coalesce(context, -1)`)
      .execute()
    const scoped = <T extends { service: string }>(grant: T) => ({ ...grant, service: grant.service || null })
    return {
      ...toGroup(row),
      admins: admins.map(({ username }) => username),
      groups: groups.map(({ slug }) => slug),
      roles: roles.map(scoped),
      claims: claims.map(scoped),
    }
  }

  async add(fields: {
    slug: string
    name?: string
    description?: string
    proof?: ProofLevel
  }): Promise<Group> {
    return this.#database.write(async () => {
      const taken = await this.#database.query
        .selectFrom('groups')
        .select('id')
        .where(sql`lower(slug)`, '=', fields.slug.toLowerCase())
        .executeTakeFirst()
      if (taken) throw alreadyExists('group', 'slug')
      const at = now()
      const row: GroupRow = {
        id: newId(),
        slug: fields.slug,
        name: fields.name ?? fields.slug,
        description: fields.description ?? '',
        is_active: 1,
        proof: fields.proof ?? 'any',
        created_at: at,
        updated_at: at,
      }
      await this.#database.query.insertInto('groups').values(row).execute()
      this.#database.changed('groups', [row.id])
      return toGroup(row)
    })
  }

  /** The slug cannot change: it identifies the group in claims. */
  async update(
    slug: string,
    fields: { name?: string; description?: string; is_active?: boolean; proof?: ProofLevel },
  ): Promise<Group> {
    return this.#database.write(async () => {
      const row = await this.changeable(slug)
      const { is_active, ...rest } = fields
      const next: GroupRow = { ...row, ...rest, updated_at: now() }
      if (is_active !== undefined) next.is_active = bit(is_active)
      await this.#database.query.updateTable('groups').set(next).where('id', '=', row.id).execute()
      this.#database.changed('groups', [row.id])
      return toGroup(next)
    })
  }

  /** Also removes its memberships and grants. */
  async remove(slug: string): Promise<null> {
    return this.#database.write(async () => {
      const row = await this.changeable(slug)
      await this.#database.query.deleteFrom('groups').where('id', '=', row.id).execute()
      this.#database.changed('groups', [row.id])
      return null
    })
  }
}
