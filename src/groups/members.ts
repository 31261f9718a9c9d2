import { sql, type SqlBool } from 'kysely'
import { alreadyExists, invalidParams, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { maySignInSql } from '../storage/schema.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { Member, Membership } from './group.ts'
import { adminGroup, type Groups } from './groups.ts'
import { directGroups, isInside, pathsTo, refuseCycle } from './nesting.ts'
import type { Readable } from './readers.ts'

/** The member: exactly one of a user and an inner group. */
export interface MemberName {
  readonly user?: string
  readonly member_group?: string
}

/** The members of groups: users, and inner groups, whose members count as members too. */
export class Members {
  readonly #database: Database
  readonly #groups: Groups

  constructor(database: Database, groups: Groups) {
    this.#database = database
    this.#groups = groups
  }

  async add(group: string, name: MemberName, expiresAt: number | null): Promise<Membership> {
    const member = memberNamed(name)
    if (expiresAt !== null && expiresAt <= now()) throw invalidParams('expires_at', 'a time in the future')
    return this.#database.write(async () => {
      const outer = await this.#groups.changeable(group)
      const added = { expires_at: expiresAt, added_at: now() }
      await this.#sweepExpired(outer.id, added.added_at)
      if ('user' in member) {
        const user = await userRow(this.#database.query, member.user)
        const givenByHand = sql<SqlBool>`given_by = ''`
        await this.#refuseDuplicate('group_users', 'user_id', outer.id, user.id, givenByHand)
        await this.#database.query
          .insertInto('group_users')
          .values({ group_id: outer.id, user_id: user.id, ...added })
          .execute()
        this.#database.changed('groups', [])
        return { group: outer.slug, user: user.username, member_group: null, expires_at: expiresAt }
      }
      const inner = await this.#groups.row(member.inner)
      await refuseCycle(this.#database.query, outer, inner)
      await this.#refuseDuplicate('group_groups', 'member_group_id', outer.id, inner.id)
      await this.#database.query
        .insertInto('group_groups')
        .values({ group_id: outer.id, member_group_id: inner.id, ...added })
        .execute()
      this.#database.changed('groups', [inner.id])
      return { group: outer.slug, user: null, member_group: inner.slug, expires_at: expiresAt }
    })
  }

  async remove(group: string, name: MemberName): Promise<null> {
    const member = memberNamed(name)
    return this.#database.write(async () => {
      const outer = await this.#groups.changeable(group)
      const inner = 'inner' in member ? await this.#groups.row(member.inner) : undefined
      const result =
        'user' in member
          ? await this.#removeUser(outer.id, (await userRow(this.#database.query, member.user)).id)
          : await this.#database.query
              .deleteFrom('group_groups')
              .where('group_id', '=', outer.id)
              .where('member_group_id', '=', inner!.id)
              .executeTakeFirst()
      if (result.numDeletedRows === 0n)
        throw notFound('member', 'user' in member ? member.user : member.inner)
      this.#database.changed('groups', inner ? [inner.id] : [])
      return null
    })
  }

  /** Removes the membership that was given by hand; if there is none, those that providers gave, until the next sign-in. */
  async #removeUser(group: string, user: string) {
    const ofUser = this.#database.query
      .deleteFrom('group_users')
      .where('group_id', '=', group)
      .where('user_id', '=', user)
    const byHand = await ofUser.where('given_by', '=', '').executeTakeFirst()
    return byHand.numDeletedRows > 0n ? byHand : ofUser.executeTakeFirst()
  }

  /**
   * Syncs the memberships that a provider assigns to a user: exactly these groups. Memberships that were added by hand
   * or by another provider stay beside them. Inside a transaction.
   */
  async syncFromProvider(userId: string, provider: string, slugs: readonly string[]): Promise<void> {
    const { query } = this.#database
    const at = now()
    const wanted =
      slugs.length === 0
        ? []
        : await query
            .selectFrom('groups')
            .select('id')
            .where('slug', 'in', [...slugs])
            .where('slug', '!=', adminGroup)
            .execute()
    for (const { id } of wanted) await this.#sweepExpired(id, at)
    const memberships = await query
      .selectFrom('group_users')
      .select('group_id')
      .where('user_id', '=', userId)
      .where('given_by', '=', provider)
      .execute()
    const obsolete = memberships.filter(({ group_id }) => !wanted.some(({ id }) => id === group_id))
    const missing = wanted.filter(({ id }) => !memberships.some(({ group_id }) => group_id === id))
    for (const { group_id } of obsolete)
      await query
        .deleteFrom('group_users')
        .where('user_id', '=', userId)
        .where('group_id', '=', group_id)
        .where('given_by', '=', provider)
        .execute()
    for (const { id } of missing)
      await query
        .insertInto('group_users')
        .values({ group_id: id, user_id: userId, expires_at: null, added_at: at, given_by: provider })
        .execute()
    if (obsolete.length + missing.length > 0) this.#database.changed('groups', [])
  }

  /**
   * Removes the memberships that a provider assigned, for one user or all, except in some groups. Inside a transaction.
   */
  async removeProviderMemberships(
    provider: string,
    { userId, except = [] }: { userId?: string; except?: readonly string[] } = {},
  ): Promise<void> {
    let obsolete = this.#database.query
      .deleteFrom('group_users')
      .where('given_by', '=', provider)
      // Written like the partial index, so that SQLite uses it.
      .where(sql<SqlBool>`given_by <> ''`)
    if (userId !== undefined) obsolete = obsolete.where('user_id', '=', userId)
    if (except.length > 0)
      obsolete = obsolete.where('group_id', 'not in', (query) =>
        query
          .selectFrom('groups')
          .select('groups.id')
          .where('slug', 'in', [...except]),
      )
    const { numDeletedRows } = await obsolete.executeTakeFirst()
    if (numDeletedRows > 0n) this.#database.changed('groups', [])
  }

  /**
   * All members of the group who may sign in, directly or through inner groups, each with the shortest path. Other
   * accounts are nobody, so their memberships do not count. Of inner groups that are not `readable` it shows no member.
   */
  async resolve(
    group: string,
    page: PageParams,
    readable: Readable,
  ): Promise<{ items: Member[]; next_cursor: string | null }> {
    const outer = await this.#groups.row(group)
    const at = now()
    const { reading } = this.#database
    const query = reading
      .selectFrom('users')
      .select(['users.id', 'users.username'])
      .where(maySignInSql())
      // Written like the partial index of administrators, so that SQLite uses it.
      .$if(outer.slug === adminGroup, (q) => q.where(sql<SqlBool>`users.is_admin = 1`))
      .$if(outer.slug !== adminGroup, (q) => q.where(isInside(outer.id, at, readable)))
    const { items, next_cursor } = await readPage(query, page, {
      by: sql`lower(users.username)`,
      keyOf: (row) => row.username.toLowerCase(),
    })
    const direct = await directGroups(
      reading,
      items.map(({ id }) => id),
      at,
    )
    const paths = await pathsTo(reading, outer, new Set(direct.map(({ group_id }) => group_id)), at, readable)
    const directOf = Map.groupBy(direct, ({ user_id }) => user_id)
    return {
      items: items.map(({ id, username }): Member => {
        const nearest = (directOf.get(id) ?? [])
          .filter((row) => paths.has(row.group_id))
          .sort(
            (a, b) =>
              paths.get(a.group_id)!.length - paths.get(b.group_id)!.length ||
              (b.expires_at ?? Infinity) - (a.expires_at ?? Infinity) ||
              0,
          )[0]
        const path = nearest ? paths.get(nearest.group_id)! : [outer.slug]
        return { user: username, path, expires_at: nearest?.expires_at ?? null }
      }),
      next_cursor,
    }
  }

  /** Expired memberships have no effect, but would block adding the same membership again. */
  async #sweepExpired(group: string, at: number) {
    const { query } = this.#database
    await query
      .deleteFrom('group_users')
      .where('group_id', '=', group)
      .where('expires_at', '<=', at)
      .execute()
    await query.deleteFrom('group_groups').where('expires_at', '<=', at).execute()
  }

  async #refuseDuplicate(
    table: 'group_users' | 'group_groups',
    column: 'user_id' | 'member_group_id',
    group: string,
    member: string,
    which = sql<SqlBool>`1 = 1`,
  ) {
    const existing = await this.#database.query
      .selectFrom(table)
      .select('group_id')
      .where('group_id', '=', group)
      .where(sql.ref(column), '=', member)
      .where(which)
      .executeTakeFirst()
    if (existing) throw alreadyExists('member', column === 'user_id' ? 'user' : 'member_group')
  }
}

const memberNamed = ({ user, member_group }: MemberName): { user: string } | { inner: string } => {
  if (user !== undefined && member_group === undefined) return { user }
  if (member_group !== undefined && user === undefined) return { inner: member_group }
  throw invalidParams('user', 'exactly one of user and member_group')
}

/** Returns the user with this username. Throws not_found. */
export const userRow = async (query: Database['query'], username: string) => {
  const row = await query
    .selectFrom('users')
    .select(['id', 'username'])
    .where(sql`lower(username)`, '=', username.toLowerCase())
    .executeTakeFirst()
  if (!row) throw notFound('user', username)
  return row
}
