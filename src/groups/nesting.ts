import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { conflict } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import type { GroupRow } from '../storage/schema.ts'
import { adminGroup } from './groups.ts'
import type { Readable } from './readers.ts'

// Nested groups: finds what is inside a group, and prevents cycles.

/** The condition that a group may be read; it is about the table groups. */
const mayRead = (readable: Readable): RawBuilder<SqlBool> =>
  readable === 'all'
    ? sql`1 = 1`
    : readable.size === 0
      ? sql`1 = 0`
      : sql`lower(groups.slug) in (${sql.join([...readable])})`

/** The condition that a user is, at a given time, in a group or in an active group inside it that may be read. */
export const isInside = (
  outer: string,
  at: number,
  readable: Readable,
): RawBuilder<SqlBool> => sql`users.id in (
  with recursive inside(id) as (
    select ${outer}
    union
    select groups.id from inside
    join group_groups on group_groups.group_id = inside.id
    join groups on groups.id = group_groups.member_group_id
    where groups.is_active = 1 and ${mayRead(readable)} and (group_groups.expires_at is null or group_groups.expires_at > ${at})
  )
  select group_users.user_id from inside join group_users on group_users.group_id = inside.id
  where group_users.expires_at is null or group_users.expires_at > ${at}
)`

/** The groups of which these users are direct members, at a given time. */
export const directGroups = async (query: Database['query'], userIds: readonly string[], at: number) =>
  userIds.length === 0
    ? []
    : query
        .selectFrom('group_users')
        .select(['user_id', 'group_id', 'expires_at'])
        .where('user_id', 'in', userIds)
        .where((w) => w.or([w('expires_at', 'is', null), w('expires_at', '>', at)]))
        .orderBy('group_id')
        .execute()

/** Groups per query. */
const chunkGroups = 500

/**
 * Finds which of these groups are inside `outer`, or are `outer`. Returns for each the slugs that lead to it through
 * active groups, shortest path first.
 */
export const pathsTo = async (
  query: Database['query'],
  outer: GroupRow,
  ids: ReadonlySet<string>,
  at: number,
  readable: Readable,
): Promise<Map<string, string[]>> => {
  // Search upwards from the groups: few groups are above them, but nearly all may be inside `outer`.
  const seen = new Set(ids)
  const edges = []
  for (let level = [...ids]; level.length > 0;) {
    const found = await query
      .selectFrom('group_groups')
      .innerJoin('groups', 'groups.id', 'group_groups.member_group_id')
      .select(['group_groups.group_id', 'groups.id', 'groups.slug'])
      .where('groups.is_active', '=', 1)
      .where(mayRead(readable))
      .where('group_groups.member_group_id', 'in', level.slice(0, chunkGroups))
      .where((w) => w.or([w('expires_at', 'is', null), w('expires_at', '>', at)]))
      .orderBy('group_groups.member_group_id')
      .execute()
    edges.push(...found)
    const above = new Set(found.map(({ group_id }) => group_id).filter((id) => !seen.has(id)))
    for (const id of above) seen.add(id)
    level = [...level.slice(chunkGroups), ...above]
  }
  const below = Map.groupBy(edges, ({ group_id }) => group_id)
  const paths = new Map([[outer.id, [outer.slug]]])
  for (const [id, path] of paths) {
    for (const inner of below.get(id) ?? [])
      if (!paths.has(inner.id)) paths.set(inner.id, [...path, inner.slug])
  }
  return paths
}

/** Refuses cycles. Also refuses the admin group as a member, because it follows is_admin alone. */
export const refuseCycle = async (
  query: Database['query'],
  outer: GroupRow,
  inner: GroupRow,
): Promise<void> => {
  if (inner.slug === adminGroup) throw conflict('The group admin cannot be a member of another group')
  if (outer.id === inner.id) throw conflict('A group cannot be a member of itself')
  const cycle = await query
    .withRecursive('inside(id)', (cte) =>
      cte
        .selectFrom('group_groups')
        .select('member_group_id as id')
        .where('group_id', '=', inner.id)
        .union(
          cte
            .selectFrom('inside')
            .innerJoin('group_groups', 'group_groups.group_id', 'inside.id')
            .select('group_groups.member_group_id as id'),
        ),
    )
    .selectFrom('inside')
    .select('id')
    .where('id', '=', outer.id)
    .executeTakeFirst()
  if (cycle) throw conflict(`${outer.slug} is already inside ${inner.slug}: that would be a cycle`)
}
