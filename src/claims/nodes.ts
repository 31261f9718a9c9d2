import type { Database } from '../storage/database.ts'
import type { GroupNode, RoleNode } from './graph.ts'
import { isGrantable, isSegment } from './rule.ts'

/** Groups per query. */
export const chunkGroups = 500

interface FoundGroups {
  readonly adminGroup: string | null
  /** The ids that were looked up. */
  readonly ids: readonly string[]
  /** The groups that exist. */
  readonly nodes: ReadonlyMap<string, GroupNode>
  readonly revision: number
}

/** Reads groups and the groups above them, up to the limit of one query, except those that are known. */
export const readAbove = async (
  query: Database['query'],
  missing: readonly string[],
  known: ReadonlyMap<string, unknown>,
): Promise<FoundGroups> => {
  const admin = await query.selectFrom('groups').select('id').where('slug', '=', 'admin').executeTakeFirst()
  const startIds = [...missing, ...(admin ? [admin.id] : [])].slice(0, chunkGroups)
  const above = await idsAbove(query, startIds)
  const ids = [...new Set([...startIds, ...above])].filter((id) => !known.has(id))
  const nodes = await readNodes(query, ids)
  const { value: revision } = await query
    .selectFrom('revisions')
    .select('value')
    .where('subject', '=', 'groups')
    .executeTakeFirstOrThrow()
  return { adminGroup: admin?.id ?? null, ids, nodes, revision }
}

const idsAbove = async (query: Database['query'], ids: readonly string[]): Promise<string[]> => {
  const rows = await query
    .withRecursive('above(id)', (cte) =>
      cte
        .selectFrom('group_groups')
        .select('group_id as id')
        .where('member_group_id', 'in', ids)
        .union(
          cte
            .selectFrom('above')
            .innerJoin('group_groups', 'group_groups.member_group_id', 'above.id')
            .select('group_groups.group_id as id'),
        ),
    )
    .selectFrom('above')
    .select('id')
    .limit(chunkGroups)
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * Reads groups with their roles and claims. Ignores rows that were written directly into the database and break the
 * grammar or use reserved names.
 */
const readNodes = async (
  query: Database['query'],
  ids: readonly string[],
): Promise<Map<string, GroupNode>> => {
  if (ids.length === 0) return new Map()
  const groups = await query
    .selectFrom('groups')
    .select(['id', 'slug', 'is_active', 'proof'])
    .where('id', 'in', ids)
    .execute()
  const outer = await query
    .selectFrom('group_groups')
    .innerJoin('groups', 'groups.id', 'group_groups.group_id')
    .select(['member_group_id', 'group_id as group', 'expires_at', 'slug'])
    .where('member_group_id', 'in', ids)
    .orderBy('group_id')
    .execute()
  const claims = await query
    .selectFrom('group_claims')
    .selectAll()
    .where('group_id', 'in', ids)
    .orderBy('claim')
    .execute()
  const groupRoles = await query
    .selectFrom('group_roles')
    .selectAll()
    .where('group_id', 'in', ids)
    .orderBy('role_id')
    .execute()
  const roles = await readRoles(query, [...new Set(groupRoles.map(({ role_id }) => role_id))])
  const outerOf = Map.groupBy(outer, ({ member_group_id }) => member_group_id)
  const claimsOf = Map.groupBy(claims, ({ group_id }) => group_id)
  const rolesOf = Map.groupBy(groupRoles, ({ group_id }) => group_id)
  return new Map(
    groups
      .filter(({ slug }) => isSegment(slug))
      .map(({ id, slug, is_active, proof }) => [
        id,
        {
          slug,
          is_active: is_active === 1,
          proof,
          // Nobody becomes a member of the reserved group through another group.
          outer: (outerOf.get(id) ?? [])
            .filter((edge) => edge.slug !== 'admin')
            .map(({ group, expires_at }) => ({ group, expires_at })),
          claims: (claimsOf.get(id) ?? [])
            .filter(({ claim }) => isGrantable(claim))
            .map(({ claim, service, context }) => ({ claim, service, context })),
          roles: (rolesOf.get(id) ?? []).flatMap(({ role_id, service, context }) => {
            const role = roles.get(role_id)
            // The reserved role applies only in the reserved group.
            return role && (role.name !== 'admin' || slug === 'admin') ? [{ role, service, context }] : []
          }),
        },
      ]),
  )
}

const readRoles = async (
  query: Database['query'],
  ids: readonly string[],
): Promise<Map<string, RoleNode>> => {
  if (ids.length === 0) return new Map()
  const roles = await query.selectFrom('roles').select(['id', 'name']).where('id', 'in', ids).execute()
  const claims = await query
    .selectFrom('role_claims')
    .selectAll()
    .where('role_id', 'in', ids)
    .orderBy('claim')
    .execute()
  const claimsOf = Map.groupBy(claims, ({ role_id }) => role_id)
  return new Map(
    roles.map(({ id, name }) => [
      id,
      {
        name,
        claims: (claimsOf.get(id) ?? [])
          .filter(({ claim }) => isGrantable(claim) || (name === 'admin' && claim.startsWith('proxy.')))
          .map(({ claim, service, context }) => ({ claim, service, context })),
      },
    ]),
  )
}
