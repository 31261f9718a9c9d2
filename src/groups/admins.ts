import { alreadyExists, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { GroupDetail } from './group.ts'
import type { Groups } from './groups.ts'
import { userRow } from './members.ts'

/** Group administrators: they may change the members of their group, and nothing else. */
export class Admins {
  readonly #database: Database
  readonly #groups: Groups

  constructor(database: Database, groups: Groups) {
    this.#database = database
    this.#groups = groups
  }

  async add(group: string, username: string): Promise<GroupDetail> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const { query } = this.#database
      const user = await userRow(query, username)
      const existing = await query
        .selectFrom('group_admins')
        .select('user_id')
        .where('group_id', '=', group_id)
        .where('user_id', '=', user.id)
        .executeTakeFirst()
      if (existing) throw alreadyExists('administrator of this group', 'user')
      await query.insertInto('group_admins').values({ group_id, user_id: user.id, added_at: now() }).execute()
      this.#database.changed('groups', [])
      return this.#groups.get(group)
    })
  }

  async remove(group: string, username: string): Promise<null> {
    return this.#database.write(async () => {
      const { id: group_id } = await this.#groups.changeable(group)
      const user = await userRow(this.#database.query, username)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('group_admins')
        .where('group_id', '=', group_id)
        .where('user_id', '=', user.id)
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('administrator of this group', username)
      this.#database.changed('groups', [])
      return null
    })
  }
}
