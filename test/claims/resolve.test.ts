import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Graph, GroupNode, RoleNode } from '../../src/claims/graph.ts'
import { resolveClaims, type Person } from '../../src/claims/resolve.ts'
import { adminClaims, at, instances, lives, reference, type Instance } from './instances.ts'

/** Converts the instance to the input of the resolver. */
const graphOf = (instance: Instance): Graph => {
  const roles: RoleNode[] = instance.roles.map((grants, i) => ({
    name: `r${i}`,
    claims: grants.map(({ claim, scope }) => ({ claim, ...scope })),
  }))
  const groups = new Map<string, GroupNode>(
    instance.groups.map(({ is_active }, i) => [
      `id${i}`,
      {
        slug: `g${i}`,
        is_active,
        proof: 'any',
        outer: instance.edges
          .filter((e) => e.inner === i && e.inner < e.outer)
          .map((e) => ({ group: `id${e.outer}`, expires_at: e.expires_at })),
        claims: instance.groupClaims
          .filter(({ group }) => group === i)
          .map(({ grant }) => ({ claim: grant.claim, ...grant.scope })),
        roles: instance.carried
          .filter(({ group }) => group === i)
          .map(({ role, scope }) => ({ role: roles[role % roles.length]!, ...scope })),
      },
    ]),
  )
  const everywhere = { service: '', context: null }
  groups.set('admins', {
    slug: 'admin',
    is_active: true,
    proof: 'any',
    outer: [],
    claims: [],
    roles: [
      {
        role: { name: 'admin', claims: adminClaims.map((claim) => ({ claim, ...everywhere })) },
        ...everywhere,
      },
    ],
  })
  return { groups, adminGroup: 'admins' }
}

const personOf = ({ person, memberships }: Instance): Person => ({
  username: 'ada',
  context: 1,
  has_factor: false,
  ends_at: null,
  ...person,
  groups: memberships.map(({ group, expires_at }) => ({ group: `id${group}`, expires_at })),
  administers: [],
})

const resolved = (instance: Instance, when = at) =>
  resolveClaims(graphOf(instance), personOf(instance), instance.service, instance.context, when)

/** Returns whether a path of slugs leads from the person through valid memberships and active groups. */
const isPath = (instance: Instance, path: readonly string[]): boolean => {
  const indexes = path.map((slug) => Number(slug.slice(1)))
  return indexes.every((group, i) => {
    const before = indexes[i - 1]
    const entered =
      before === undefined
        ? instance.memberships.some((m) => m.group === group && lives(m.expires_at))
        : instance.edges.some((e) => e.inner === before && e.outer === group && lives(e.expires_at))
    return instance.groups[group]!.is_active && entered
  })
}

test('300 random instances resolve to the sorted claims of the reference, each with a real path', () => {
  let nested = 0
  let denied = 0
  fc.assert(
    fc.property(instances, (instance) => {
      const { claims, why } = resolved(instance)
      assert.deepEqual(claims, [...reference(instance)].sort())
      assert.deepEqual(
        why.map(({ claim }) => claim),
        claims,
      )
      for (const { claim, because, path, role } of why) {
        if (because === 'user' || because === 'is_admin') assert.deepEqual(path, [])
        else if (path[0] === 'admin') assert.ok(instance.person.is_admin && path.length === 1)
        else assert.ok(path.length > 0 && isPath(instance, path), `${claim}: ${path.join(' < ')}`)
        const last = Number(path.at(-1)?.slice(1))
        if (because === 'group') assert.equal(claim, `groups.${path.at(-1)}`)
        if (because === 'group_claim')
          assert.ok(instance.groupClaims.some((g) => g.group === last && g.grant.claim === claim))
        if (because === 'role' && role !== 'admin')
          assert.ok(instance.roles[Number(role!.slice(1))]!.some((g) => g.claim === claim))
        if (path.length > 1) nested++
      }
      if (!instance.person.is_active) denied++
    }),
    { numRuns: 300 },
  )
  assert.ok(nested > 100 && denied > 10, `too few nested or inactive instances: ${nested}, ${denied}`)
})

test('until is the time before which no claim expires', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      const { claims, until } = resolved(instance)
      if (until === Infinity) assert.deepEqual(resolved(instance, at + 100_000).claims, claims)
      else assert.deepEqual(resolved(instance, until - 1).claims, claims)
      assert.ok(until > at)
    }),
    { numRuns: 300 },
  )
})

test('the shortest of several paths to a claim is returned', () => {
  const everywhere = { service: '', context: null }
  const node = (slug: string, outer: string[], claims: string[] = []): [string, GroupNode] => [
    slug,
    {
      slug,
      is_active: true,
      proof: 'any',
      outer: outer.map((group) => ({ group, expires_at: null })),
      claims: claims.map((claim) => ({ claim, ...everywhere })),
      roles: [],
    },
  ]
  const groups = new Map([
    node('far', ['middle']),
    node('middle', ['top']),
    node('near', ['top']),
    node('top', [], ['x']),
  ])
  const person = {
    username: 'ada',
    is_active: true,
    is_admin: false,
    has_factor: false,
    ends_at: null,
    context: 1,
    groups: ['far', 'near'].map((group) => ({ group, expires_at: null })),
    administers: [],
  }
  const { why } = resolveClaims({ groups, adminGroup: undefined }, person, '', 1, at)
  assert.deepEqual(why.find(({ claim }) => claim === 'x')?.path, ['near', 'top'])
})

test('a cycle written directly to the database terminates', () => {
  const node = (slug: string, outer: string): [string, GroupNode] => [
    slug,
    {
      slug,
      is_active: true,
      proof: 'any',
      outer: [{ group: outer, expires_at: null }],
      claims: [],
      roles: [],
    },
  ]
  const person = {
    username: 'ada',
    is_active: true,
    is_admin: false,
    has_factor: false,
    ends_at: null,
    context: 1,
    groups: [{ group: 'a', expires_at: null }],
    administers: [],
  }
  const groups = new Map([node('a', 'b'), node('b', 'a')])
  const { claims } = resolveClaims({ groups, adminGroup: undefined }, person, '', 1, at)
  assert.deepEqual(claims, ['groups.a', 'groups.b', 'users.ada'])
})
