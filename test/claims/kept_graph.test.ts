import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { sql } from 'kysely'
import { Claims } from '../../src/claims/claims.ts'
import { AppError } from '../../src/contract/errors.ts'
import { Grants } from '../../src/groups/grants.ts'
import { Groups } from '../../src/groups/groups.ts'
import { Members } from '../../src/groups/members.ts'
import { createLog } from '../../src/log/log.ts'
import { Roles } from '../../src/roles/roles.ts'
import type { Database } from '../../src/storage/database.ts'
import { Users } from '../../src/users/users.ts'
import { operator } from '../../src/contract/caller.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { noReactions } from '../support/reactions.ts'
import { long } from '../long.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const caller = operator({ via: 'socket' })
const people = ['ada', 'grace', 'linus'] as const

const roomsOf = (database: Database) => {
  const groups = new Groups(database)
  return {
    database,
    groups,
    members: new Members(database, groups),
    grants: new Grants(database, groups),
    roles: new Roles(database),
    users: new Users(database, async () => 1, noReactions),
    claims: new Claims(database, async () => ({ factor: false, age: 86_400 })),
  }
}
type Node = ReturnType<typeof roomsOf>

const slug = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const role = fc.constantFrom('writer', 'reader')
const claim = fc.constantFrom('wiki.read', 'wiki.write', 'git.push')
const user = fc.constantFrom(...people)
const whichNode = fc.constantFrom(0, 1)

/** One change, made by one node. An impossible one is refused and changes nothing. */
const change = fc.oneof(
  fc.tuple(slug).map(
    ([group]) =>
      ({ groups }: Node) =>
        groups.add({ slug: group }),
  ),
  fc.tuple(slug).map(
    ([group]) =>
      ({ groups }: Node) =>
        groups.remove(group),
  ),
  fc.tuple(slug, fc.boolean()).map(
    ([group, is_active]) =>
      ({ groups }: Node) =>
        groups.update(group, { is_active }),
  ),
  ...[0, 1].map(() =>
    fc.tuple(slug, slug).map(
      ([outer, inner]) =>
        ({ members }: Node) =>
          members.add(outer, { member_group: inner }, null),
    ),
  ),
  fc.tuple(slug, slug).map(
    ([outer, inner]) =>
      ({ members }: Node) =>
        members.remove(outer, { member_group: inner }),
  ),
  ...[0, 1].map(() =>
    fc.tuple(slug, user).map(
      ([group, name]) =>
        ({ members }: Node) =>
          members.add(group, { user: name }, null),
    ),
  ),
  fc.tuple(slug, user).map(
    ([group, name]) =>
      ({ members }: Node) =>
        members.remove(group, { user: name }),
  ),
  fc.tuple(slug, claim).map(
    ([group, what]) =>
      ({ grants }: Node) =>
        grants.addClaim(group, what, {}),
  ),
  fc.tuple(slug, claim).map(
    ([group, what]) =>
      ({ grants }: Node) =>
        grants.removeClaim(group, what, {}),
  ),
  fc.tuple(slug, role).map(
    ([group, name]) =>
      ({ grants }: Node) =>
        grants.addRole(group, name, {}),
  ),
  fc.tuple(slug, role).map(
    ([group, name]) =>
      ({ grants }: Node) =>
        grants.removeRole(group, name, {}),
  ),
  fc.tuple(role).map(
    ([name]) =>
      ({ roles }: Node) =>
        roles.add({ name }),
  ),
  fc.tuple(role).map(
    ([name]) =>
      ({ roles }: Node) =>
        roles.remove(name),
  ),
  fc.tuple(role, claim).map(
    ([name, what]) =>
      ({ roles }: Node) =>
        roles.addClaim(name, what, {}),
  ),
  fc.tuple(role, claim).map(
    ([name, what]) =>
      ({ roles }: Node) =>
        roles.removeClaim(name, what, {}),
  ),
)

onSqliteFirst('the cached claim graph', (newUrl) => {
  let nodes: Node[]
  let ids: string[]
  before(async () => {
    const url = newUrl()
    nodes = [
      roomsOf(await openDatabase(url, createLog('silent'))),
      roomsOf(await openDatabase(url, createLog('silent'))),
    ]
    ids = []
    for (const username of people) ids.push((await nodes[0]!.users.add({ username }, caller)).id)
  })
  after(() => Promise.all(nodes.map(({ database }) => database.close())))

  /** Resolves the claims of all people at a node with a cached graph. */
  const kept = (node: Node) => {
    // On PostgreSQL, a notification does this shortly after the commit.
    node.database.revisions.invalidate()
    return Promise.all(ids.map((id) => node.claims.of(id)))
  }
  /** Resolves the same claims without a cache. */
  const uncached = ({ database }: Node) => {
    const claims = new Claims(database, async () => ({ factor: false, age: 86_400 }))
    return Promise.all(ids.map((id) => claims.of(id)))
  }

  test('after each change at either node, the cached graph equals an uncached one', async () => {
    const lists = long ? 40 : 20
    let gave = 0
    let made = 0
    const changes = fc.array(fc.tuple(whichNode, change), { minLength: 10, maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        for (const [which, make] of list) {
          const done = await make(nodes[which]!).then(
            () => true,
            (error: unknown) => {
              if (error instanceof AppError) return false
              throw error
            },
          )
          if (!done) continue
          made++
          const wanted = await uncached(nodes[0]!)
          for (const node of nodes) assert.deepEqual(await kept(node), wanted)
          if (wanted.flat().some((claim) => /^(wiki|git)/.test(claim!))) gave++
        }
      }),
      { numRuns: lists },
    )
    assert.ok(made > 2 * lists && gave > 0, `${made} changes, claims after ${gave} of them`)
  })

  test('the cache notices a change that is not in the log, and one that the log no longer covers', async () => {
    const [here, there] = nodes as [Node, Node]
    await here.groups.add({ slug: 'late' })
    await here.members.add('late', { user: 'ada' }, null)
    await here.grants.addClaim('late', 'late.claim', {})
    assert.ok((await kept(there))[0]!.includes('late.claim'))
    // An older version, which writes no log, removes the claim.
    await here.database.write(async () => {
      const { query } = here.database
      await query.deleteFrom('group_claims').where('claim', '=', 'late.claim').execute()
      await sql`update revisions set value = value + 1 where subject = 'groups'`.execute(query)
    })
    assert.ok(!(await kept(there))[0]!.includes('late.claim'))

    await here.grants.addClaim('late', 'late.claim', {})
    assert.ok((await kept(there))[0]!.includes('late.claim'))
    await here.grants.removeClaim('late', 'late.claim', {})
    const raise = async () => here.database.changed('groups', [])
    for (let i = 0; i < 1001; i++) await here.database.write(raise)
    assert.ok(!(await kept(there))[0]!.includes('late.claim'))
    const rows = await here.database.query.selectFrom('revision_log').select('revision').execute()
    assert.ok(rows.length <= 1000 && rows.length > 900, `${rows.length} revisions are in the log`)
  })

  test('during concurrent changes, nobody gets claims that were never held together', async () => {
    const [here, there] = nodes as [Node, Node]
    await here.groups.add({ slug: 'inner' })
    await here.groups.add({ slug: 'outer' })
    await here.members.add('inner', { user: 'ada' }, null)
    // The outer group contains the inner one only while it grants no claim.
    const state = { changing: true }
    const changing = (async () => {
      const steps = [
        () => here.members.add('outer', { member_group: 'inner' }, null),
        () => here.members.remove('outer', { member_group: 'inner' }),
        () => here.grants.addClaim('outer', 'outer.secret', {}),
        () => here.grants.removeClaim('outer', 'outer.secret', {}),
      ]
      for (let i = 0; i < 240; i++) {
        await steps[i % 4]!()
        await turn()
      }
      state.changing = false
    })()
    let reads = 0
    while (state.changing) {
      for (const { claims, database } of nodes) {
        database.revisions.invalidate()
        const held = await claims.of(ids[0]!)
        assert.ok(!held!.includes('outer.secret'))
        reads++
        // On SQLite, the changes continue only when this yields.
        await turn()
      }
    }
    await changing
    assert.ok(reads > 50, `only ${reads} reads`)
    assert.deepEqual(await kept(there), await uncached(here))
  })
})
