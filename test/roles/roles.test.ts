import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { refused } from '../support/refused.ts'

onBothDatabases('roles', (newUrl) => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon({ database_url: newUrl() })))
  after(() => daemon.close())

  test('roles are added, read, updated, listed and removed by name in any case', async () => {
    const { hero } = daemon
    const added = await hero.roles.add({ name: 'Writer', description: 'Writes' })
    assert.deepEqual(added.claims, [])
    assert.deepEqual(await hero.roles.get({ role: 'WRITER' }), added)
    await refused(hero.roles.add({ name: 'writer' }), 'already_exists', 'name')
    const updated = await hero.roles.update({ role: 'writer', description: 'Writes a lot' })
    assert.deepEqual(updated, { ...added, description: 'Writes a lot', updated_at: updated.updated_at })
    const page = await hero.roles.list({ limit: 1 })
    assert.deepEqual(
      page.items.map(({ name }) => name),
      ['admin'],
    )
    assert.deepEqual(await hero.roles.list({ limit: 1, cursor: page.next_cursor! }), {
      items: [updated],
      next_cursor: null,
    })
    assert.deepEqual((await hero.roles.list({ search: 'RIT' })).items, [updated])
    await refused(hero.roles.list({ cursor: 'AA' }), 'invalid_params', 'cursor')
    await hero.roles.remove({ role: 'wRITER' })
    await refused(hero.roles.get({ role: 'writer' }), 'not_found')
    await refused(hero.roles.remove({ role: 'writer' }), 'not_found')
    for (const name of ['', 'a.b', 'a,b', 'a\n', 'ä', '*', 'a'.repeat(64)])
      await refused(hero.roles.add({ name }), 'invalid_params', 'name')
  })

  test('claims are added and removed within their scope, and sorted', async () => {
    const { hero } = daemon
    await hero.roles.add({ name: 'editor' })
    await hero.roles.add_claim({ role: 'editor', claim: 'wiki.write' })
    await hero.roles.add_claim({ role: 'Editor', claim: 'wiki.write', service: 'wiki' })
    const whole = await hero.roles.add_claim({ role: 'editor', claim: 'wiki.read', context: 0 })
    assert.equal(whole.claims[0]!.claim, 'wiki.read')
    assert.equal(whole.claims[0]!.context, 0)
    assert.equal(whole.claims.length, 3)
    await refused(hero.roles.add_claim({ role: 'editor', claim: 'wiki.write' }), 'already_exists', 'claim')
    await refused(hero.roles.add_claim({ role: 'nobody', claim: 'a' }), 'not_found')
    await refused(hero.roles.remove_claim({ role: 'editor', claim: 'wiki.read' }), 'not_found')
    await hero.roles.remove_claim({ role: 'editor', claim: 'wiki.read', context: 0 })
    assert.equal((await hero.roles.get({ role: 'editor' })).claims.length, 2)
  })

  test('removing a role removes it from groups, and its claims from their members', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'linus' })
    await hero.groups.add({ slug: 'team' })
    await hero.groups.add_member({ group: 'team', user: 'linus' })
    await hero.groups.add_role({ group: 'team', role: 'editor' })
    const claims = async () => (await hero.claims.resolve({ user: 'linus' })).claims
    assert.ok((await claims()).includes('wiki.write'))
    await hero.roles.remove({ role: 'editor' })
    assert.ok(!(await claims()).includes('wiki.write'))
    assert.deepEqual((await hero.groups.get({ group: 'team' })).roles, [])
  })
})
