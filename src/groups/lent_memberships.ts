import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'

/** A group of a person, as they see it. */
export interface OwnGroup {
  readonly slug: string
  readonly name: string
  readonly description: string
  /** When the membership ends; null without an end, or if it comes through another group. */
  readonly expires_at: number | null
}

/** Memberships that end by themselves. */
export class LentMemberships {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Makes a person a member until a time. A membership that lasts longer stays as it is. Returns when it ends now; null without an end.
   * Inside a transaction.
   */
  async lend(groupId: string, userId: string, until: number): Promise<number | null> {
    const { query } = this.#database
    const known = await query
      .selectFrom('group_users')
      .select('expires_at')
      .where('group_id', '=', groupId)
      .where('user_id', '=', userId)
      .where('given_by', '=', '')
      .executeTakeFirst()
    if (known && (known.expires_at === null || known.expires_at >= until)) return known.expires_at
    const key = { group_id: groupId, user_id: userId, given_by: '' }
    const lent = { expires_at: until, added_at: now() }
    await query
      .insertInto('group_users')
      .values({ ...key, ...lent })
      .onConflict((known) => known.columns(['group_id', 'user_id', 'given_by']).doUpdateSet(lent))
      .execute()
    this.#database.changed('groups', [])
    return until
  }

  /** The groups with these slugs, and when a person's memberships in them end, of several in one group the last. */
  async of(userId: string, slugs: readonly string[]): Promise<OwnGroup[]> {
    if (slugs.length === 0) return []
    const { query } = this.#database
    const groups = await query
      .selectFrom('groups')
      .select(['id', 'slug', 'name', 'description'])
      .where('slug', 'in', [...slugs])
      .orderBy('slug')
      .execute()
    const rows = await query
      .selectFrom('group_users')
      .select(['group_id', 'expires_at'])
      .where('user_id', '=', userId)
      .execute()
    const at = now()
    return groups.map(({ id, ...group }) => {
      const ends = rows
        .filter(({ group_id, expires_at }) => group_id === id && (expires_at === null || expires_at > at))
        .map(({ expires_at }) => expires_at)
      return {
        ...group,
        expires_at: ends.length === 0 || ends.includes(null) ? null : Math.max(...(ends as number[])),
      }
    })
  }
}
