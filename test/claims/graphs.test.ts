import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { Claims } from '../../src/claims/claims.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { onBothDatabases } from '../support/databases.ts'
import { long } from '../long.ts'
import { adminClaims, at, instances, reference, type Instance } from './instances.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const times = { created_at: 1, updated_at: 1 }

/** Converts a time of an instance to one that stays past or future while the test runs. */
const shifted = (expires_at: number | null) =>
  expires_at === null ? null : expires_at > at ? now() + 3600 : now() - 3600

/** Replaces the tables with an instance, and returns the ID of its person. */
const put = (database: Database, instance: Instance): Promise<string> =>
  database.write(async () => {
    const { query } = database
    await query.deleteFrom('users').execute()
    await query.deleteFrom('groups').where('slug', '!=', 'admin').execute()
    await query.deleteFrom('roles').where('name', '!=', 'admin').execute()
    const ada = newId()
    const { is_active, is_admin } = instance.person
    await query
      .insertInto('users')
      .values({
        id: ada,
        username: 'ada',
        display_name: '',
        has_factor: 0,
        email: null,
        email_verified_at: null,
        external_id: null,
        is_active: is_active ? 1 : 0,
        is_admin: is_admin ? 1 : 0,
        context: 1,
        ...times,
      })
      .execute()
    const groups = instance.groups.map(({ is_active }, i) => ({ id: newId(), slug: `g${i}`, is_active }))
    const rows = groups.map((group) => ({
      ...group,
      name: '',
      description: '',
      is_active: group.is_active ? 1 : 0,
      ...times,
    }))
    await query
      .insertInto('groups')
      .values(rows as never)
      .execute()
    const roles = instance.roles.map((_, i) => ({ id: newId(), name: `r${i}`, description: '', ...times }))
    await query.insertInto('roles').values(roles).execute()

    // A repeated pair or grant counts once, as the methods ensure.
    const all = async (
      table: 'group_users' | 'group_groups' | 'group_claims' | 'group_roles' | 'role_claims',
      list: object[],
    ) => {
      if (list.length === 0) return
      await query
        .insertInto(table)
        .values(list as never)
        .onConflict((twice) => twice.doNothing())
        .execute()
    }
    await all(
      'group_users',
      instance.memberships.map(({ group, expires_at }) => ({
        group_id: groups[group]!.id,
        user_id: ada,
        expires_at: shifted(expires_at),
        added_at: 1,
      })),
    )
    await all(
      'group_groups',
      instance.edges
        .filter(({ inner, outer }) => inner < outer)
        .map(({ inner, outer, expires_at }) => ({
          group_id: groups[outer]!.id,
          member_group_id: groups[inner]!.id,
          expires_at: shifted(expires_at),
          added_at: 1,
        })),
    )
    await all(
      'group_claims',
      instance.groupClaims.map(({ group, grant }) => ({
        group_id: groups[group]!.id,
        claim: grant.claim,
        ...grant.scope,
      })),
    )
    await all(
      'group_roles',
      instance.carried.map(({ group, role, scope }) => ({
        group_id: groups[group]!.id,
        role_id: roles[role % roles.length]!.id,
        ...scope,
      })),
    )
    await all(
      'role_claims',
      instance.roles.flatMap((grants, i) =>
        grants.map(({ claim, scope }) => ({ role_id: roles[i]!.id, claim, ...scope })),
      ),
    )
    database.changed('groups')
    database.changed('users')
    return ada
  })

/** For a repeated pair, the tables keep the first. */
const firstOf = <T>(list: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(list.toReversed().map((item) => [key(item), item])).values(),
]
const asStored = (instance: Instance): Instance => ({
  ...instance,
  memberships: firstOf(instance.memberships, ({ group }) => String(group)),
  edges: firstOf(instance.edges, ({ inner, outer }) => `${inner} ${outer}`),
})

const runs = long ? 1000 : 250

onBothDatabases('claims of random instances', (newUrl) => {
  let database: Database
  before(async () => {
    database = await openDatabase(newUrl(), createLog('silent'))
  })
  after(() => database.close())

  test('random graphs resolve as in a naive reference, cold and warm', async () => {
    // One resolver for all, so that its cache of one graph would show in the next.
    const claims = new Claims(database, async () => ({ factor: false, age: 86_400 }))
    let some = 0
    const property = fc.asyncProperty(instances, async (instance) => {
      const ada = await put(database, instance)
      const { service, context } = instance
      const wanted = reference(asStored(instance))
      // The seeded role holds more claims of proxy.* than the reference.
      const plain = (list: readonly string[] = []) =>
        list.filter((claim) => !claim.startsWith('proxy.') || adminClaims.includes(claim))
      const cold = await claims.of(ada, { service, context })
      assert.deepEqual(plain(cold), [...wanted].sort())
      assert.equal(
        await claims.of(ada, { service, context }),
        cold,
        'the cached list is returned while nothing changes',
      )
      if (wanted.size > 3) some++
    })
    await fc.assert(property, { numRuns: runs })
    assert.ok(some > runs / 5, `only ${some} of them resolve to more than a few claims`)
  })
})
