import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

onBothDatabases('members', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    for (const username of ['ada', 'Grace', 'linus']) await daemon.hero.users.add({ username })
  })
  after(() => daemon.close())

  /** Creates groups named after a letter and a number, each inside the previous one. */
  const addChain = async (letter: string, length: number) => {
    const slugs = Array.from({ length }, (_, i) => `${letter}${i}`)
    for (const [i, slug] of slugs.entries()) {
      await daemon.hero.groups.add({ slug })
      if (i > 0) await daemon.hero.groups.add_member({ group: slugs[i - 1]!, member_group: slug })
    }
    return slugs
  }

  test('a membership is for one user or one group, once, and can be removed', async () => {
    const { hero } = daemon
    await hero.groups.add({ slug: 'team' })
    await hero.groups.add({ slug: 'inner' })
    const expires_at = inAnHour()
    assert.deepEqual(await hero.groups.add_member({ group: 'Team', user: 'grace', expires_at }), {
      group: 'team',
      user: 'Grace',
      member_group: null,
      expires_at,
    })
    assert.deepEqual(await hero.groups.add_member({ group: 'team', member_group: 'Inner' }), {
      group: 'team',
      user: null,
      member_group: 'inner',
      expires_at: null,
    })
    await refused(hero.groups.add_member({ group: 'team', user: 'GRACE' }), 'already_exists', 'user')
    await refused(
      hero.groups.add_member({ group: 'team', member_group: 'INNER' }),
      'already_exists',
      'member_group',
    )
    await refused(hero.groups.add_member({ group: 'team' }), 'invalid_params', 'user')
    await refused(
      hero.groups.add_member({ group: 'team', user: 'ada', member_group: 'inner' }),
      'invalid_params',
      'user',
    )
    await refused(hero.groups.add_member({ group: 'team', user: 'nobody' }), 'not_found')
    await refused(hero.groups.add_member({ group: 'nobody', user: 'ada' }), 'not_found')
    await refused(hero.groups.add_member({ group: 'team', member_group: 'nobody' }), 'not_found')
    await hero.groups.remove_member({ group: 'team', user: 'grace' })
    await refused(hero.groups.remove_member({ group: 'team', user: 'grace' }), 'not_found')
    await hero.groups.remove_member({ group: 'team', member_group: 'inner' })
    assert.deepEqual((await hero.groups.members({ group: 'team' })).items, [])
  })

  test('expires_at must be in the future', async () => {
    const { hero } = daemon
    const now = Math.floor(Date.now() / 1000)
    for (const expires_at of [now - 1, now - 86400, 0, -1, 1.5])
      await refused(hero.groups.add_member({ group: 'team', user: 'ada', expires_at }), 'invalid_params')
    assert.deepEqual((await hero.groups.members({ group: 'team' })).items, [])
  })

  test('an expired membership has no effect and can be added again', async (t) => {
    const { hero } = daemon
    const expires_at = inAnHour()
    await hero.groups.add({ slug: 'visitors' })
    await hero.groups.add_member({ group: 'visitors', user: 'ada', expires_at })
    await hero.groups.add_member({ group: 'visitors', member_group: 'team', expires_at })
    const inside = async () => (await hero.claims.resolve({ user: 'ada' })).claims.includes('groups.visitors')
    assert.ok(await inside())
    t.mock.timers.enable({ apis: ['Date'], now: expires_at * 1000 })
    assert.ok(!(await inside()))
    assert.deepEqual((await hero.groups.members({ group: 'visitors' })).items, [])
    await hero.groups.add_member({ group: 'visitors', user: 'ada' })
    await hero.groups.add_member({ group: 'visitors', member_group: 'team' })
    assert.ok(await inside())
  })

  test('members are listed with their shortest path, in pages', async () => {
    const { hero } = daemon
    await addChain('m', 3)
    await hero.groups.add_member({ group: 'm2', user: 'ada' })
    await hero.groups.add_member({ group: 'm1', user: 'ada' })
    await hero.groups.add_member({ group: 'm2', user: 'Grace' })
    await hero.groups.add_member({ group: 'm0', user: 'linus' })
    const all = [
      { user: 'ada', path: ['m0', 'm1'], expires_at: null },
      { user: 'Grace', path: ['m0', 'm1', 'm2'], expires_at: null },
      { user: 'linus', path: ['m0'], expires_at: null },
    ]
    assert.deepEqual((await hero.groups.members({ group: 'm0' })).items, all)
    const first = await hero.groups.members({ group: 'm0', limit: 2 })
    assert.deepEqual(first.items, all.slice(0, 2))
    const rest = await hero.groups.members({ group: 'm0', limit: 2, cursor: first.next_cursor! })
    assert.deepEqual(rest, { items: all.slice(2), next_cursor: null })
    await refused(hero.groups.members({ group: 'm0', cursor: 'AA' }), 'invalid_params', 'cursor')
    // Nobody is a member through an inactive group.
    await hero.groups.update({ group: 'm1', is_active: false })
    assert.deepEqual((await hero.groups.members({ group: 'm0' })).items, all.slice(2))
  })

  test('a group cannot contain itself, at any depth', async () => {
    const { hero } = daemon
    for (const length of [1, 2, 3, 7]) {
      const slugs = await addChain(`c${length}x`, length)
      await refused(
        hero.groups.add_member({ group: slugs.at(-1)!, member_group: slugs[0]!.toUpperCase() }),
        'conflict',
      )
    }
    // Two paths to one group are no cycle.
    for (const slug of ['top', 'left', 'right', 'bottom']) await hero.groups.add({ slug })
    for (const [group, member_group] of [
      ['top', 'left'],
      ['top', 'right'],
      ['left', 'bottom'],
      ['right', 'bottom'],
    ] as const)
      await hero.groups.add_member({ group, member_group })
    await refused(hero.groups.add_member({ group: 'bottom', member_group: 'top' }), 'conflict')
    // An inactive group still counts, because it may become active again.
    await hero.groups.update({ group: 'left', is_active: false })
    await refused(hero.groups.add_member({ group: 'bottom', member_group: 'left' }), 'conflict')
  })

  test('one of two concurrent writers that would close a cycle is refused', async () => {
    const { hero } = daemon
    await using other = await startTestDaemon({ ...peerOf(daemon) })
    for (let round = 0; round < 5; round++) {
      for (const slug of [`p${round}`, `q${round}`]) await hero.groups.add({ slug })
      const done = await Promise.allSettled([
        hero.groups.add_member({ group: `p${round}`, member_group: `q${round}` }),
        // On SQLite both writers use one daemon: two in one process would wait for each other's file lock.
        (daemon.config.database_url.startsWith('sqlite') ? hero : other.hero).groups.add_member({
          group: `q${round}`,
          member_group: `p${round}`,
        }),
      ])
      assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 1)
    }
  })

  test('removing a user or a group removes its memberships and grants', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'leaver' })
    await hero.groups.add({ slug: 'dissolved' })
    await hero.groups.add_claim({ group: 'dissolved', claim: 'x.y' })
    await hero.groups.add_member({ group: 'team', member_group: 'dissolved' })
    await hero.groups.add_member({ group: 'team', user: 'leaver' })
    const rows = () =>
      byHand(daemon, async ({ query }) => [
        (await query.selectFrom('group_users').select('user_id').execute()).length,
        (await query.selectFrom('group_groups').select('group_id').execute()).length,
        (await query.selectFrom('group_claims').select('claim').execute()).length,
      ])
    const [users, groups, claims] = (await rows()) as [number, number, number]
    await hero.users.remove({ username: 'leaver' })
    await hero.groups.remove({ group: 'dissolved' })
    assert.deepEqual(await rows(), [users - 1, groups - 1, claims - 1])
    assert.deepEqual((await hero.groups.get({ group: 'team' })).groups, [])
  })
})

/** The settings of a second node of the same instance. */
const peerOf = ({ config }: TestDaemon) => ({
  database_url: config.database_url,
  data_dir: config.data_dir,
})
