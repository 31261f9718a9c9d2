import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { allRefused, refused } from '../support/refused.ts'

onSqliteFirst('groups', (newUrl) => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon({ database_url: newUrl() })))
  after(() => daemon.close())

  test('add, get, update and remove, by slug in any case', async () => {
    const { hero } = daemon
    const added = await hero.groups.add({ slug: 'Writers', name: 'Those who write' })
    assert.deepEqual(await hero.groups.get({ group: 'writers' }), {
      ...added,
      admins: [],
      groups: [],
      roles: [],
      claims: [],
    })
    assert.ok(added.is_active)
    for (const slug of ['Writers', 'writers', 'WRITERS'])
      await refused(hero.groups.add({ slug }), 'already_exists', 'slug')
    const updated = await hero.groups.update({ group: 'WRITERS', description: 'x', is_active: false })
    assert.deepEqual(updated, {
      ...added,
      description: 'x',
      is_active: false,
      updated_at: updated.updated_at,
    })
    await refused(hero.call('groups.update', { group: 'writers', slug: 'other' } as never), 'invalid_params')
    await hero.groups.remove({ group: 'wRiters' })
    await refused(hero.groups.get({ group: 'writers' }), 'not_found')
    await refused(hero.groups.remove({ group: 'writers' }), 'not_found')
    await hero.groups.add({ slug: 'writers' })
  })

  test('slugs that could split a header or a claim are refused', async () => {
    const { hero } = daemon
    for (const slug of ['', 'a.b', 'a,b', 'a\n', 'a\r\nb', 'a\0', 'a b', 'ä', '-a', 'a*', 'a'.repeat(64)])
      await refused(hero.groups.add({ slug }), 'invalid_params', 'slug')
    await hero.groups.add({ slug: 'a'.repeat(63) })
  })

  test('list pages, filters and searches', async () => {
    const { hero } = daemon
    for (const slug of ['list-C', 'list-a', 'list-B']) await hero.groups.add({ slug, name: 'Ökonomie 5%' })
    await hero.groups.update({ group: 'list-a', is_active: false })
    const slugs = async (filter: object) => (await hero.groups.list(filter)).items.map(({ slug }) => slug)
    assert.deepEqual(await slugs({ search: 'LIST-' }), ['list-a', 'list-B', 'list-C'])
    assert.deepEqual(await slugs({ search: 'Ökonomie 5%', is_active: false }), ['list-a'])
    const first = await hero.groups.list({ search: 'list', limit: 2 })
    assert.deepEqual(
      first.items.map(({ slug }) => slug),
      ['list-a', 'list-B'],
    )
    assert.deepEqual(await slugs({ search: 'list', cursor: first.next_cursor! }), ['list-C'])
    await refused(hero.groups.list({ cursor: 'AA' }), 'invalid_params', 'cursor')
  })

  test('a group has a role or claim once in each scope', async () => {
    const { hero } = daemon
    await hero.groups.add({ slug: 'carrier' })
    await hero.roles.add({ name: 'writer' })
    const scopes = [{}, { service: 'wiki' }, { context: 0 }, { context: 1 }, { service: 'wiki', context: 1 }]
    for (const scope of scopes) {
      await hero.groups.add_role({ group: 'Carrier', role: 'Writer', ...scope })
      await refused(
        hero.groups.add_role({ group: 'carrier', role: 'writer', ...scope }),
        'already_exists',
        'role',
      )
      await hero.groups.add_claim({ group: 'carrier', claim: 'wiki.read', ...scope })
      await refused(
        hero.groups.add_claim({ group: 'carrier', claim: 'wiki.read', ...scope }),
        'already_exists',
        'claim',
      )
    }
    const { roles, claims } = await hero.groups.get({ group: 'carrier' })
    assert.equal(roles.length, 5)
    assert.equal(claims.length, 5)
    assert.ok(roles.some(({ service, context }) => service === null && context === 0))
    for (const scope of scopes) {
      await hero.groups.remove_role({ group: 'carrier', role: 'writer', ...scope })
      await refused(hero.groups.remove_role({ group: 'carrier', role: 'writer', ...scope }), 'not_found')
      await hero.groups.remove_claim({ group: 'carrier', claim: 'wiki.read', ...scope })
      await refused(hero.groups.remove_claim({ group: 'carrier', claim: 'wiki.read', ...scope }), 'not_found')
    }
    assert.deepEqual((await hero.groups.get({ group: 'carrier' })).roles, [])
    await refused(hero.groups.add_role({ group: 'carrier', role: 'nobody' }), 'not_found')
    await refused(hero.groups.add_role({ group: 'nobody', role: 'writer' }), 'not_found')
  })

  test('the admin group and the admin role cannot be changed', async () => {
    const { hero } = daemon
    const before = [await hero.groups.get({ group: 'admin' }), await hero.roles.get({ role: 'admin' })]
    await hero.users.add({ username: 'eve' })
    await hero.groups.add({ slug: 'outside' })
    for (const admin of ['admin', 'Admin', 'ADMIN']) {
      await refused(hero.groups.add({ slug: admin }), 'already_exists')
      await refused(hero.roles.add({ name: admin }), 'already_exists')
      const attempts = [
        hero.groups.update({ group: admin, is_active: false }),
        hero.groups.update({ group: admin, name: 'x' }),
        hero.groups.remove({ group: admin }),
        hero.groups.add_member({ group: admin, user: 'eve' }),
        hero.groups.remove_member({ group: admin, user: 'eve' }),
        hero.groups.add_member({ group: admin, member_group: 'outside' }),
        hero.groups.add_member({ group: 'outside', member_group: admin }),
        hero.groups.add_role({ group: admin, role: 'writer' }),
        hero.groups.remove_role({ group: admin, role: 'admin' }),
        hero.groups.add_claim({ group: admin, claim: 'wiki.read' }),
        hero.groups.remove_claim({ group: admin, claim: 'wiki.read' }),
        hero.groups.add_role({ group: 'outside', role: admin }),
        hero.roles.update({ role: admin, description: 'x' }),
        hero.roles.remove({ role: admin }),
        hero.roles.add_claim({ role: admin, claim: 'wiki.read' }),
        hero.roles.remove_claim({ role: admin, claim: 'wiki.read' }),
      ]
      await allRefused(attempts, 'conflict')
    }
    assert.deepEqual(
      [await hero.groups.get({ group: 'admin' }), await hero.roles.get({ role: 'admin' })],
      before,
    )
  })

  test('the members of the admin group are the administrators', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'zoe', is_admin: true })
    const { items } = await hero.groups.members({ group: 'admin' })
    assert.deepEqual(items, [{ user: 'zoe', path: ['admin'], expires_at: null }])
  })
})
