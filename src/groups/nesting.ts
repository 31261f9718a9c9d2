import { conflict } from '../errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/id.ts'
import type { GroupRow } from '../storage/schema.ts'
import { adminGroup } from './groups.ts'

// Groups within groups: which are inside one, and that none is ever inside itself.

/** The active groups inside `outer`, each with the slugs that lead to it, shortest first. */
export const pathsBelow = async (
  query: Database['query'],
  outer: GroupRow,
): Promise<Map<string, string[]>> => {
  const edges = await query
    .selectFrom('group_groups')
    .innerJoin('groups', 'groups.id', 'group_groups.member_group_id')
    .select(['group_groups.group_id', 'groups.id', 'groups.slug'])
    .where('groups.is_active', '=', 1)
    .where((w) => w.or([w('expires_at', 'is', null), w('expires_at', '>', now())]))
    .execute()
  const below = Map.groupBy(edges, ({ group_id }) => group_id)
  const paths = new Map([[outer.id, [outer.slug]]])
  for (const [id, path] of paths) {
    for (const inner of below.get(id) ?? [])
      if (!paths.has(inner.id)) paths.set(inner.id, [...path, inner.slug])
  }
  return paths
}

/** The admin group follows is_admin alone, and no group may hold itself, however far inside. */
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
  if (cycle) throw conflict(`${outer.slug} is inside ${inner.slug} already: that would be a cycle`)
}
