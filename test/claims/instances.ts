import * as fc from 'fast-check'

/** The time of evaluation; memberships end around it. */
export const at = 1000
const expiry = fc.constantFrom(null, null, null, at - 500, at, at + 1, at + 900)
const scope = fc.record({
  service: fc.constantFrom('', '', 'wiki', 'git'),
  context: fc.constantFrom(null, null, 0, 1, 2),
})
const claim = fc.constantFrom('a', 'a.b', 'wiki.read', 'wiki.write', 'git.push', 'tickets.close')
const grant = fc.record({ claim, scope })

/** A small instance as plain lists: IDs are indexes, and edges form no cycle. */
export const instances = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.record({
    groups: fc.array(fc.record({ is_active: fc.constantFrom(true, true, true, false) }), {
      minLength: count,
      maxLength: count,
    }),
    // Edges lead from a lower index to a higher one, so there is no cycle, as the methods ensure.
    edges: fc.array(
      fc
        .record({ one: fc.nat(count - 1), other: fc.nat(count - 1), expires_at: expiry })
        .map(({ one, other, expires_at }) => ({
          inner: Math.min(one, other),
          outer: Math.max(one, other),
          expires_at,
        })),
      { minLength: count, maxLength: 3 * count },
    ),
    groupClaims: fc.array(fc.record({ group: fc.nat(count - 1), grant }), { maxLength: 12 }),
    roles: fc.array(fc.array(grant, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    carried: fc.array(fc.record({ group: fc.nat(count - 1), role: fc.nat(2), scope }), { maxLength: 8 }),
    memberships: fc.array(fc.record({ group: fc.nat(count - 1), expires_at: expiry }), {
      minLength: 1,
      maxLength: 4,
    }),
    person: fc.record({
      is_active: fc.constantFrom(true, true, true, true, false),
      is_admin: fc.constantFrom(false, false, true),
    }),
    service: fc.constantFrom('', 'wiki', 'git', 'mail'),
    context: fc.constantFrom(0, 1, 2, 3),
  }),
)
export type Instance = typeof instances extends fc.Arbitrary<infer T> ? T : never

export const adminClaims = ['proxy.admin', 'proxy.users.read']
export const lives = (expires_at: number | null) => expires_at === null || expires_at > at

/** The reference: sets that grow until nothing is added, without order or paths. */
export const reference = (instance: Instance): Set<string> => {
  if (!instance.person.is_active) return new Set()
  const inside = new Set<number>()
  for (let size = -1; size !== inside.size;) {
    size = inside.size
    instance.groups.forEach(({ is_active }, group) => {
      const direct = instance.memberships.some((m) => m.group === group && lives(m.expires_at))
      const through = instance.edges.some(
        (e) => e.inner < e.outer && e.outer === group && inside.has(e.inner) && lives(e.expires_at),
      )
      if (is_active && (direct || through)) inside.add(group)
    })
  }
  const claims = new Set(['users.ada', ...[...inside].map((group) => `groups.g${group}`)])
  const holds = ({ service, context }: { service: string; context: number | null }) =>
    ['', instance.service].includes(service) && (context === null || context === instance.context)
  for (const { group, grant } of instance.groupClaims)
    if (inside.has(group) && holds(grant.scope)) claims.add(grant.claim)
  for (const { group, role, scope } of instance.carried)
    if (inside.has(group) && holds(scope))
      for (const grant of instance.roles[role % instance.roles.length]!)
        if (holds(grant.scope)) claims.add(grant.claim)
  if (instance.person.is_admin) for (const held of ['admin', 'groups.admin', ...adminClaims]) claims.add(held)
  return claims
}
