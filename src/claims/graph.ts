import type { Database } from '../storage/database.ts'
import { isGrantable, isSegment } from './rule.ts'

interface Scoped {
  readonly service: string
  readonly context: number | null
}

export interface GroupNode {
  readonly slug: string
  readonly is_active: boolean
  /** The groups that hold this one, and until when. */
  readonly outer: { readonly group: string; readonly expires_at: number | null }[]
  readonly claims: (Scoped & { readonly claim: string })[]
  readonly roles: (Scoped & { readonly role: RoleNode })[]
}

export interface RoleNode {
  readonly name: string
  readonly claims: (Scoped & { readonly claim: string })[]
}

/** All groups by id: nesting, roles, claims. People are not in it; it changes when groups or roles do. */
export interface Graph {
  readonly groups: ReadonlyMap<string, GroupNode>
  readonly adminGroup: string | undefined
}

/** Reads the graph whole. What was written past us and breaks the grammar or is reserved gives nothing. */
export const loadGraph = async (database: Database): Promise<Graph> => {
  const { query } = database
  const roles = new Map<string, RoleNode>()
  for (const { id, name } of await query.selectFrom('roles').select(['id', 'name']).execute()) {
    roles.set(id, { name, claims: [] })
  }
  for (const { role_id, ...grant } of await query.selectFrom('role_claims').selectAll().execute()) {
    const role = roles.get(role_id)
    if (role && (isGrantable(grant.claim) || (role.name === 'admin' && grant.claim.startsWith('proxy.')))) {
      role.claims.push(grant)
    }
  }
  const groups = new Map<string, GroupNode>()
  for (const row of await query.selectFrom('groups').select(['id', 'slug', 'is_active']).execute()) {
    if (!isSegment(row.slug)) continue
    groups.set(row.id, { slug: row.slug, is_active: row.is_active === 1, outer: [], claims: [], roles: [] })
  }
  for (const { group_id, ...grant } of await query.selectFrom('group_claims').selectAll().execute()) {
    if (isGrantable(grant.claim)) groups.get(group_id)?.claims.push(grant)
  }
  for (const { group_id, role_id, service, context } of await query
    .selectFrom('group_roles')
    .selectAll()
    .execute()) {
    const role = roles.get(role_id)
    const group = groups.get(group_id)
    // The reserved role counts in the reserved group only.
    if (role && group && (role.name !== 'admin' || group.slug === 'admin'))
      group.roles.push({ role, service, context })
  }
  for (const row of await query.selectFrom('group_groups').selectAll().execute()) {
    const outer = groups.get(row.group_id)
    if (outer && outer.slug !== 'admin') {
      groups.get(row.member_group_id)?.outer.push({ group: row.group_id, expires_at: row.expires_at })
    }
  }
  let adminGroup: string | undefined
  for (const [id, { slug }] of groups) if (slug === 'admin') adminGroup = id
  return { groups, adminGroup }
}
