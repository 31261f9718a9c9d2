import { sql, type SqlBool } from 'kysely'
import { alreadyExists, conflict, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { holdsText } from '../storage/search.ts'
import { bit, type GroupRow } from '../storage/schema.ts'
import { toGroup, type Group, type GroupDetail } from './group.ts'

/** The seeded group: its members are whoever has `is_admin`, its role is the seeded `admin`. */
export const adminGroup = 'admin'

/** Groups themselves; who is in them and what they carry stands in members.ts and grants.ts. */
export class Groups {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(filter: PageParams & { search?: string; is_active?: boolean }) {
    let query = this.#database.reading.selectFrom('groups').selectAll()
    // As in users.list.
    if (filter.is_active !== undefined)
      query = query.where(filter.is_active ? sql<SqlBool>`is_active = 1` : sql<SqlBool>`is_active = 0`)
    if (filter.search !== undefined)
      query = query.where(await holdsText(this.#database, 'groups', filter.search))
    const page = await readPage(query, filter, {
      by: sql`lower(slug)`,
      keyOf: (row) => row.slug.toLowerCase(),
    })
    return { ...page, items: page.items.map(toGroup) }
  }

  /** One group by slug, in any case, or not_found. */
  async row(slug: string): Promise<GroupRow> {
    const row = await this.#database.query
      .selectFrom('groups')
      .selectAll()
      .where(sql`lower(slug)`, '=', slug.toLowerCase())
      .executeTakeFirst()
    if (!row) throw notFound('group', slug)
    return row
  }

  /** The same for a change; the seeded group cannot be changed by hand. */
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

  async add(fields: { slug: string; name?: string; description?: string }): Promise<Group> {
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
        created_at: at,
        updated_at: at,
      }
      await this.#database.query.insertInto('groups').values(row).execute()
      this.#database.changed('groups', [row.id])
      return toGroup(row)
    })
  }

  /** The slug is the group's identity in claims and stays. */
  async update(
    slug: string,
    fields: { name?: string; description?: string; is_active?: boolean },
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

  /** Its memberships and grants go with it. */
  async remove(slug: string): Promise<null> {
    return this.#database.write(async () => {
      const row = await this.changeable(slug)
      await this.#database.query.deleteFrom('groups').where('id', '=', row.id).execute()
      this.#database.changed('groups', [row.id])
      return null
    })
  }
}
