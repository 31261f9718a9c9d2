import type { Graph, GroupNode } from './graph.ts'
import { resolveClaims, type Person } from './resolve.ts'

/** A claim that members of a group hold, for one service or context, or everywhere. */
export interface GivenClaim {
  readonly claim: string
  readonly service: string | null
  readonly context: number | null
}

/** Somebody who is in one group and in nothing else. */
const onlyIn = (group: string): Person => ({
  username: '',
  is_active: true,
  ends_at: null,
  is_admin: false,
  has_factor: false,
  context: 0,
  groups: [{ group, expires_at: null }],
  administers: [],
})

/** The claims that a membership gives at a service, in a context. */
export const heldByMember = (
  graph: Graph,
  group: string,
  service: string,
  context: number,
  at: number,
): readonly string[] => resolveClaims(graph, onlyIn(group), service, context, at).claims

/** Everything that a membership gives, wherever it applies. */
export const givenByMembership = (graph: Graph, group: string, at: number): GivenClaim[] => {
  const found = new Map<string, GivenClaim>()
  const give = (claim: string, ...scopes: readonly { service: string; context: number | null }[]) => {
    const service = scopes.map((scope) => scope.service).find((name) => name !== '') ?? null
    const context = scopes.map((scope) => scope.context).find((number) => number !== null) ?? null
    found.set(JSON.stringify([claim, service, context]), { claim, service, context })
  }
  const seen = new Set([group])
  for (const id of seen) {
    const node: GroupNode | undefined = graph.groups.get(id)
    if (!node?.is_active) continue
    give(`groups.${node.slug}`)
    for (const grant of node.claims) give(grant.claim, grant)
    for (const carried of node.roles)
      for (const grant of carried.role.claims) give(grant.claim, carried, grant)
    for (const { group: outer, expires_at } of node.outer)
      if (expires_at === null || expires_at > at) seen.add(outer)
  }
  return [...found.values()].sort(
    (a, b) => a.claim.localeCompare(b.claim) || (a.service ?? '').localeCompare(b.service ?? ''),
  )
}
