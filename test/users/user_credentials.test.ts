import assert from 'node:assert/strict'
import { createECDH } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { AlreadyExists, ClaimRequired, InvalidParams, NotFound, type HeroProxy } from '../../sdk/index.ts'
import { normaliseNetwork } from '../../src/users/normalise.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'

describe('networks, keys and identities of people', () => {
  let daemon: TestDaemon
  let grace: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    for (const username of ['grace', 'ada', 'bob'])
      await daemon.hero.users.add({ username, password: goodPassword })
    await daemon.hero.users.update({ username: 'ada', is_admin: true })
    const { access_token } = await daemon.hero.auth.login({ login: 'grace', password: goodPassword })
    grace = daemon.hero.as(access_token)
  })
  after(() => daemon.close())

  test('a network has one spelling and one owner', async () => {
    const { networks } = daemon.hero.users
    const added = await networks.add({ user: 'grace', network: '192.168.7.9/24', description: 'At home' })
    assert.equal(added.network, '192.168.7.0/24')
    for (const network of ['192.168.7.0/24', '192.168.7.255/24', '::ffff:192.168.7.1/120']) {
      await assert.rejects(networks.add({ user: 'bob', network }), AlreadyExists, network)
    }
    await networks.add({ user: 'bob', network: '192.168.7.0/25' })
    assert.deepEqual(
      (await networks.list({ user: 'grace' })).items.map(({ network }) => network),
      ['192.168.7.0/24'],
    )
  })

  test('equivalent spellings of a network are normalised, and invalid ones refused', () => {
    const same: Record<string, string[]> = {
      '10.0.0.1/32': [
        '10.0.0.1',
        '10.0.0.1/32',
        '::ffff:10.0.0.1',
        '::FFFF:10.0.0.1/128',
        '::ffff:a00:1',
        '0:0:0:0:0:ffff:10.0.0.1',
        '0::FFFF:0a00:0001/128',
      ],
      'fd00:7::/64': ['fd00:7::1/64', 'FD00:0007:0:0:ffff::/64', 'fd00:7:0:0:1:2:3:4/64'],
      '::1/128': ['::1', '0:0:0:0:0:0:0:1/128'],
    }
    for (const [canonical, spellings] of Object.entries(same)) {
      for (const text of spellings) assert.equal(normaliseNetwork(text), canonical, text)
    }
    const wrong = [
      '',
      'x',
      '10.0.0.1/33',
      '10.0.0.1/-1',
      '10.0.0.1/',
      '10.0.0.1/8/8',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.0/7',
      '10.0.0.1/ 8',
      '010.0.0.1',
      'fe80::1%eth0',
      '::ffff:10.0.0.1/24',
      '::ffff:a00:1/96',
      '10.0.0.1/1e1',
      '::/15',
    ]
    for (const text of wrong) assert.throws(() => normaliseNetwork(text), /network/, text)
  })

  test('a key has one spelling and one owner, and must be a point on the curve', async () => {
    const { keys } = daemon.hero.users
    const pair = createECDH('secp256k1')
    const long = pair.generateKeys('hex')
    const short = pair.getPublicKey('hex', 'compressed')
    assert.equal((await keys.add({ user: 'grace', pubkey: long.toUpperCase() })).pubkey, short)
    await assert.rejects(keys.add({ user: 'bob', pubkey: short }), AlreadyExists)
    for (const pubkey of [
      `05${short.slice(2)}`,
      `02${'ff'.repeat(32)}`,
      short.slice(2),
      'xyz',
      `${short}00`,
    ]) {
      await assert.rejects(keys.add({ user: 'bob', pubkey }), InvalidParams, pubkey)
    }
  })

  test('an identity is a provider and subject, and belongs to one person', async () => {
    const { identities } = daemon.hero.users
    await identities.add({ user: 'grace', provider: 'forge', subject: '1906' })
    await identities.add({ user: 'bob', provider: 'github', subject: '1906' })
    await assert.rejects(identities.add({ user: 'bob', provider: 'forge', subject: '1906' }), AlreadyExists)
  })

  test('people see their own and cannot add any, because each is a way to sign in', async () => {
    for (const room of [grace.users.networks, grace.users.keys, grace.users.identities]) {
      assert.equal((await room.list({ user: 'grace' })).items.length, 1)
      await assert.rejects(room.list({ user: 'bob' }), ClaimRequired)
      const { id } = (await room.list({ user: 'Grace' })).items[0]!
      // People may unlink their own identities.
      if (room !== grace.users.identities)
        await assert.rejects(room.remove({ user: 'grace', id }), ClaimRequired)
    }
    await assert.rejects(grace.users.networks.add({ user: 'grace', network: '10.1.0.0/16' }), ClaimRequired)
    await assert.rejects(
      grace.users.identities.add({ user: 'grace', provider: 'forge', subject: '7' }),
      ClaimRequired,
    )
  })

  test('an ID of another person removes nothing', async () => {
    const { networks } = daemon.hero.users
    const { id } = (await networks.list({ user: 'grace' })).items[0]!
    await assert.rejects(networks.remove({ user: 'bob', id }), NotFound)
    await networks.remove({ user: 'grace', id })
    assert.deepEqual((await networks.list({ user: 'grace' })).items, [])
  })

  test('they are removed with their person', async () => {
    await daemon.hero.users.networks.add({ user: 'bob', network: '10.9.0.0/16' })
    await daemon.hero.users.remove({ username: 'bob' })
    await assert.rejects(daemon.hero.users.networks.list({ user: 'bob' }), NotFound)
    await daemon.hero.users.networks.add({ user: 'grace', network: '10.9.0.0/16' })
  })
})
