import type { Graph } from './graph.ts'
import type { Granter } from './resolution.ts'
import { matchesClaim } from './rule.ts'

/** How many ways are told; the first are as good as the next. */
const most = 20

/** The groups whose members would satisfy a pattern, and by what: what to do about a missing claim. */
export const grantersOf = (graph: Graph, pattern: string): Granter[] => {
  const found: Granter[] = []
  for (const group of graph.groups.values()) {
    if (found.length >= most) break
    if (!group.is_active) continue
    const { slug } = group
    if (matchesClaim(pattern, [`groups.${slug}`]))
      found.push({ group: slug, role: null, service: null, context: null })
    for (const { claim, service, context } of group.claims) {
      if (matchesClaim(pattern, [claim]))
        found.push({ group: slug, role: null, service: service || null, context })
    }
    for (const { role, service, context } of group.roles) {
      const grant = role.claims.find(({ claim }) => matchesClaim(pattern, [claim]))
      if (!grant) continue
      found.push({
        group: slug,
        role: role.name,
        service: service || grant.service || null,
        context: context ?? grant.context,
      })
    }
  }
  return found.slice(0, most)
}
