import { sql } from 'kysely'
import { invalidParams } from '../contract/errors.ts'
import type { Database } from './database.ts'

/** Refuses a group that nobody could ask to join. Those of administrators follow is_admin alone. Null names none. */
export const refuseUnaskable = async (
  { query }: Pick<Database, 'query'>,
  ask_group: string | null | undefined,
): Promise<void> => {
  if (ask_group === null || ask_group === undefined) return
  const group = await query
    .selectFrom('groups')
    .select('slug')
    .where(sql`lower(slug)`, '=', ask_group.toLowerCase())
    .executeTakeFirst()
  if (!group || group.slug === 'admin') throw invalidParams('ask_group', 'the slug of a group, not admin')
}
