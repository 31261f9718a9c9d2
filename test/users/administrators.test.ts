import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { long } from '../long.ts'
import type { HeroProxy } from '../../sdk/index.ts'
import { onBothDatabases } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { allRefused, refused } from '../support/refused.ts'

onBothDatabases('the last active administrator', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    await daemon.hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: goodPassword })
  })
  after(() => daemon.close())

  test('they cannot be demoted, deactivated or removed by anybody', async () => {
    const { hero } = daemon
    const ada = await signedIn(daemon, 'ada')
    for (const by of [hero, ada]) {
      await refused(by.users.update({ username: 'ada', is_admin: false }), 'conflict')
      await refused(by.users.update({ username: 'ada', is_active: false }), 'conflict')
      await refused(by.users.update({ username: 'ADA', is_admin: false, is_active: false }), 'conflict')
      await refused(by.users.remove({ username: 'ada' }), 'conflict')
    }
    const { is_admin, is_active } = await hero.users.get({ username: 'ada' })
    assert.ok(is_admin && is_active)
  })

  test('an inactive second administrator does not count, and an active one does', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'grace', is_admin: true })
    await hero.users.update({ username: 'grace', is_active: false })
    await refused(hero.users.remove({ username: 'ada' }), 'conflict')
    // An inactive administrator can be removed.
    await hero.users.remove({ username: 'grace' })
    await hero.users.add({ username: 'barbara', is_admin: true })
    assert.equal((await hero.users.update({ username: 'ada', is_admin: false })).is_admin, false)
    await refused(hero.users.update({ username: 'barbara', is_active: false }), 'conflict')
    await hero.users.update({ username: 'ada', is_admin: true })
    await hero.users.remove({ username: 'barbara' })
  })

  test('of two administrators who remove each other concurrently, exactly one stays', async () => {
    const { hero } = daemon
    const ways: ((by: HeroProxy, username: string) => Promise<unknown>)[] = [
      (by, username) => by.users.remove({ username }),
      (by, username) => by.users.update({ username, is_admin: false }),
      (by, username) => by.users.update({ username, is_active: false }),
    ]
    await hero.users.add({ username: 'keeper', is_admin: true })
    await hero.users.remove({ username: 'ada' })
    let count = 0
    const admin = async () => {
      const username = `admin${++count}`
      return { username, as: await person(daemon, username, { is_admin: true }) }
    }
    let pair = [await admin(), await admin()] as const
    for (let round = 0; round < (long ? 20 : 6); round++) {
      const [left, right] = pair
      await hero.users.update({ username: 'keeper', is_admin: false })
      const way = ways[round % 3]!
      const done = await Promise.allSettled([way(left.as, right.username), way(right.as, left.username)])
      const { items } = await hero.users.list({ is_admin: true, is_active: true })
      assert.equal(items.length, 1, `round ${round}`)
      assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`)
      await hero.users.update({ username: 'keeper', is_admin: true })
      const winner = pair.find(({ username }) => username === items[0]!.username)!
      const loser = winner === left ? right : left
      if (round % 3 === 0) pair = [winner, await admin()]
      else await hero.users.update({ username: loser.username, is_admin: true, is_active: true })
    }
  })
})

describe('managing accounts without being an administrator', () => {
  let daemon: TestDaemon
  /** An administrator while the reserved role lacks proxy.admin: the only way to hold proxy.users.write alone. */
  let keeper: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    keeper = await person(daemon, 'keeper', { is_admin: true })
    await person(daemon, 'ada', { is_admin: true })
    await person(daemon, 'grace')
    await byHand(daemon, async (database) => {
      await database.query.deleteFrom('role_claims').where('claim', '=', 'proxy.admin').execute()
      database.changed('groups')
    })
  })
  after(() => daemon.close())

  test('a manager can change the accounts of people', async () => {
    await keeper.users.add({ username: 'linus', context: 3 })
    await keeper.users.update({ username: 'linus', email: 'linus@example.org', is_active: false })
    await keeper.auth.set_password({ user: 'linus', password: 'velvet-harbor-93-comet' })
    await keeper.users.remove({ username: 'linus' })
  })

  test('a manager cannot make administrators or grant internal trust', async () => {
    const attempts = [
      keeper.users.add({ username: 'eve', is_admin: true }),
      keeper.users.add({ username: 'eve', context: 0 }),
      keeper.users.update({ username: 'grace', is_admin: true }),
      keeper.users.update({ username: 'grace', context: 0 }),
    ]
    for (const error of await allRefused(attempts, 'claim_required'))
      assert.deepEqual(error.data.claims, ['proxy.admin'])
    await refused(keeper.users.get({ username: 'eve' }), 'not_found')
  })

  test('a manager cannot change people with internal trust, because a new password would give access to it', async () => {
    await daemon.hero.users.add({ username: 'vault', context: 0, password: goodPassword })
    const [session] = [
      (await daemon.hero.auth.login({ login: 'vault', password: goodPassword })).access_token,
    ]
    await allRefused(
      [
        keeper.auth.set_password({ user: 'vault', password: 'velvet-harbor-93-comet' }),
        keeper.users.update({ username: 'VAULT', email: 'eve@example.org' }),
        keeper.users.networks.add({ user: 'vault', network: '10.7.0.0/16' }),
        keeper.users.identities.add({ user: 'vault', provider: 'forge', subject: '7' }),
        keeper.sessions.revoke_all({ user: 'vault' }),
        keeper.users.remove({ username: 'vault' }),
      ],
      'claim_required',
    )
    const vault = daemon.hero.as(session)
    await vault.users.update({ username: 'vault', display_name: 'The vault' })
    await vault.auth.set_password({ password: 'velvet-harbor-93-comet', current_password: goodPassword })
  })

  test('a manager cannot add a way to sign in for an administrator', async () => {
    const { networks, keys, identities } = keeper.users
    const { id } = await daemon.hero.users.networks.add({ user: 'ada', network: '10.9.0.0/16' })
    await allRefused(
      [
        networks.add({ user: 'ada', network: '10.8.0.0/16' }),
        keys.add({
          user: 'ada',
          pubkey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
        }),
        identities.add({ user: 'Ada', provider: 'forge', subject: '8' }),
        networks.remove({ user: 'ada', id }),
      ],
      'claim_required',
    )
  })

  test('a manager cannot change the account, password or sessions of an administrator', async () => {
    const [session] = (await daemon.hero.sessions.list({ user: 'ada' })).items
    const attempts = [
      keeper.users.update({ username: 'ada', email: 'eve@example.org' }),
      keeper.users.update({ username: 'ADA', is_active: false }),
      keeper.users.update({ username: 'ada', is_admin: false }),
      keeper.users.remove({ username: 'ada' }),
      keeper.auth.set_password({ user: 'ada', password: 'velvet-harbor-93-comet' }),
      keeper.sessions.revoke_all({ user: 'ada' }),
      keeper.sessions.revoke({ id: session!.id }),
    ]
    await allRefused(attempts, 'claim_required')
    assert.equal((await daemon.hero.sessions.list({ user: 'ada' })).items.length, 1)
    await signedIn(daemon, 'ada')
  })
})

describe('people and their own account', () => {
  let daemon: TestDaemon
  let grace: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    grace = await person(daemon, 'grace', { email: 'grace@example.org' })
    await person(daemon, 'linus')
  })
  after(() => daemon.close())

  test('they see their account and can change its display_name', async () => {
    const updated = await grace.users.update({ username: 'Grace', display_name: 'Rear Admiral' })
    assert.equal(updated.display_name, 'Rear Admiral')
    assert.deepEqual(await grace.users.get({ username: 'GRACE' }), updated)
  })

  test('they cannot change other fields, alone or together with it', async () => {
    for (const fields of [
      { email: 'other@example.org' },
      { email: null },
      { external_id: 'x' },
      { is_active: true },
      { is_admin: true },
      { is_admin: false },
      { context: 0 },
      { context: 1 },
      { display_name: 'x', is_admin: true },
    ])
      await refused(grace.users.update({ username: 'grace', ...fields }), 'claim_required')
    const { display_name, email, is_admin, context } = await daemon.hero.users.get({ username: 'grace' })
    assert.deepEqual(
      { display_name, email, is_admin, context },
      { display_name: 'Rear Admiral', email: 'grace@example.org', is_admin: false, context: 1 },
    )
  })

  test('they cannot access other accounts, whichever parameter names them', async () => {
    const { id } = await daemon.hero.users.get({ username: 'linus' })
    await refused(grace.users.get({ username: 'linus' }), 'claim_required')
    await refused(grace.users.get({ id }), 'claim_required')
    await refused(grace.users.get({ email: 'grace@example.org' }), 'claim_required')
    await refused(grace.users.get({ username: 'grace', id }), 'invalid_params')
    await refused(grace.users.update({ username: 'linus', display_name: 'x' }), 'claim_required')
    await refused(grace.users.list({}), 'claim_required')
    await refused(grace.users.remove({ username: 'grace' }), 'claim_required')
  })
})
