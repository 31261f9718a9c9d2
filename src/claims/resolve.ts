import type { Graph } from './graph.ts'
import type { Why } from './result_schemas.ts'
import { isSegment } from './rule.ts'

/** Somebody whose claims are asked for, with the groups that hold them directly. */
export interface Person {
  readonly username: string
  readonly is_active: boolean
  readonly is_admin: boolean
  readonly has_factor: boolean
  readonly context: number
  readonly groups: readonly { readonly group: string; readonly expires_at: number | null }[]
  /** The groups that this person administers, by id. */
  readonly administers: readonly string[]
}

export interface Resolved {
  /** Sorted, without duplicates. */
  readonly claims: readonly string[]
  readonly why: readonly Why[]
  /** Unix time at which a membership that was used runs out; Infinity if none does. */
  readonly until: number
}

/**
 * Who somebody is, as claims: breadth first from the person's groups to the groups that hold them. Inactive groups
 * neither give nor lead on, an inactive person has nothing. A grant with a scope counts only where the scope is known
 * and equal. Of several ways to one claim, the shortest is told.
 */
export const resolveClaims = (
  graph: Graph,
  person: Person,
  service: string,
  context: number,
  at: number,
  /** Whether what administrators hold takes a second factor. */
  factorDemanded = false,
): Resolved => {
  if (!person.is_active) return { claims: [], why: [], until: Infinity }
  const why = new Map<string, Why>()
  const withheld = factorDemanded && !person.has_factor
  let until = Infinity
  const tell = (claim: string, because: Why['because'], path: readonly string[], role: string | null) => {
    if (withheld && /^(admin$|proxy\.)/.test(claim)) return
    if (!why.has(claim)) why.set(claim, { claim, because, path: [...path], role })
  }
  const holds = (grant: { service: string; context: number | null }) =>
    (grant.service === '' || grant.service === service) &&
    (grant.context === null || grant.context === context)
  const lasts = (expires: number | null) => {
    if (expires === null) return true
    if (expires > at) until = Math.min(until, expires)
    return expires > at
  }

  if (isSegment(person.username)) tell(`users.${person.username}`, 'user', [], null)
  if (person.is_admin) tell('admin', 'is_admin', [], null)

  for (const id of person.administers) {
    const group = graph.groups.get(id)
    if (group?.is_active && id !== graph.adminGroup)
      tell(`groups.${group.slug}.admin`, 'group_admin', [group.slug], null)
  }
  const paths = new Map<string, readonly string[]>()
  const enter = (id: string, path: readonly string[]) => {
    const group = graph.groups.get(id)
    if (group?.is_active && !paths.has(id)) paths.set(id, [...path, group.slug])
  }
  if (person.is_admin && graph.adminGroup !== undefined) enter(graph.adminGroup, [])
  for (const { group, expires_at } of person.groups) {
    if (group !== graph.adminGroup && lasts(expires_at)) enter(group, [])
  }

  for (const [id, path] of paths) {
    const group = graph.groups.get(id)!
    tell(`groups.${group.slug}`, 'group', path, null)
    for (const grant of group.claims) if (holds(grant)) tell(grant.claim, 'group_claim', path, null)
    for (const carried of group.roles) {
      if (!holds(carried)) continue
      for (const grant of carried.role.claims)
        if (holds(grant)) tell(grant.claim, 'role', path, carried.role.name)
    }
    // A Map is walked in insertion order, also over what is added meanwhile: this is the breadth-first queue.
    for (const { group: outer, expires_at } of group.outer) if (lasts(expires_at)) enter(outer, path)
  }

  const claims = [...why.keys()].sort()
  return { claims, why: claims.map((claim) => why.get(claim)!), until }
}
