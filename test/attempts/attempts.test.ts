import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { networkOf } from '../../src/contract/networks.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const wrongPassword = 'velvet-harbor-93-comet'

test('an IPv6 client counts by its /64 in any spelling, and an IPv4 client by its address', () => {
  const one = '2001:db8:7:1::/64'
  for (const address of ['2001:db8:7:1::5', '2001:0DB8:7:1:ffff::1', '2001:db8:7:1:2:3:4:5'])
    assert.equal(networkOf(address), one, address)
  assert.notEqual(networkOf('2001:db8:7:2::5'), one)
  assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'))
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
  for (const address of [
    '192.0.2.7',
    '::ffff:192.0.2.7',
    '::FFFF:c000:207',
    '64:ff9b::192.0.2.7',
    '64:ff9b::c000:207',
  ])
    assert.equal(networkOf(address), '192.0.2.7', address)
  assert.equal(networkOf(''), undefined)
})

onSqliteFirst('failed sign-in attempts', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl(), trusted_proxies: '127.0.0.1' })
    for (const username of ['ada', 'bob', 'cleo', 'dora', 'eve'])
      await daemon.hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
  })
  after(() => daemon.close())

  /** Signs in from an address, and returns `ok` or the error code. */
  const tryFrom = async (address: string, login: string, password: string): Promise<string> => {
    const { body } = await ask(daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'X-Forwarded-For', address],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.login', params: { login, password } }),
    })
    const { result, error } = JSON.parse(body) as { result?: unknown; error?: { data: { code: string } } }
    return result ? 'ok' : error!.data.code
  }

  test('spellings of an account count together, and a correct password is refused while the account waits', async () => {
    const spellings = ['ada', 'ADA', 'ada@example.org', 'Ada@Example.ORG', 'aDa']
    for (let i = 0; i < 10; i++)
      assert.equal(await tryFrom(`198.51.100.${i}`, spellings[i % 5]!, wrongPassword), 'unauthenticated')
    for (const spelling of spellings)
      assert.equal(await tryFrom('203.0.113.9', spelling, wrongPassword), 'rate_limited')
    assert.equal(await tryFrom('203.0.113.9', 'ada', goodPassword), 'rate_limited')
    const error = await refused(
      daemon.hero.auth.login({ login: 'ada', password: goodPassword }),
      'rate_limited',
    )
    assert.ok(Number(error.data.retry_after) > 0 && Number(error.data.retry_after) <= 60)
  })

  test('an unknown name is limited like a known one', async () => {
    const codesFor = async (login: string) => {
      const codes: string[] = []
      for (let i = 0; i < 12; i++) codes.push(await tryFrom(`198.51.100.${i + 20}`, login, wrongPassword))
      return codes
    }
    assert.deepEqual(await codesFor('nobody'), await codesFor('eve'))
  })

  test('attempts from elsewhere do not lock a person out of a network where they have signed in', async () => {
    assert.equal(await tryFrom('192.0.2.7', 'bob', goodPassword), 'ok')
    for (let i = 0; i < 12; i++) await tryFrom(`198.51.100.${i + 40}`, 'bob', wrongPassword)
    assert.equal(await tryFrom('203.0.113.9', 'bob', goodPassword), 'rate_limited')
    assert.equal(await tryFrom('192.0.2.7', 'bob', goodPassword), 'ok')
  })

  test('of a hundred concurrent attempts the limit is checked and all of them stay counted', async () => {
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => tryFrom(`198.51.101.${i}`, 'cleo', wrongPassword)),
    )
    assert.equal(codes.filter((code) => code === 'unauthenticated').length, 10)
    assert.equal(codes.filter((code) => code === 'rate_limited').length, 90)
    daemon = await daemon.restart()
    assert.equal(await tryFrom('203.0.113.10', 'cleo', goodPassword), 'rate_limited')
    // An administrator who sets a password resets the count.
    await daemon.hero.auth.set_password({ user: 'cleo', password: goodPassword })
    assert.equal(await tryFrom('203.0.113.10', 'cleo', goodPassword), 'ok')
  })

  test('attempts at many names are limited for each network, and successful ones do not count', async (t) => {
    // The clock stands still, so that no attempt expires meanwhile.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const from = '2001:db8:5:5::'
    for (let i = 0; i < 30; i++) assert.equal(await tryFrom(`${from}${i}`, 'dora', goodPassword), 'ok')
    const codes: string[] = []
    for (let i = 0; i < 55; i++) codes.push(await tryFrom(`${from}${i}`, `name${i}`, wrongPassword))
    assert.equal(codes.indexOf('rate_limited'), 50)
    assert.equal(await tryFrom(`${from}99`, 'dora', goodPassword), 'rate_limited')
    assert.equal(await tryFrom('2001:db8:5:6::1', 'dora', goodPassword), 'ok')
  })

  test('setting the clock back limits the wait to that of a full count', async () => {
    const later = Math.floor(Date.now() / 1000) + 400_000
    await byHand(daemon, ({ query }) => query.updateTable('attempts').set({ full_until: later }).execute())
    const error = await refused(
      daemon.hero.auth.login({ login: 'ada', password: goodPassword }),
      'rate_limited',
    )
    assert.equal(error.data.retry_after, 60)
  })

  test('a hundred failures in a row lock the account until it gets a new password', async () => {
    await byHand(daemon, ({ query }) =>
      query.updateTable('attempts').set({ full_until: 0, failures: 99 }).execute(),
    )
    assert.equal(await tryFrom('198.51.102.1', 'ada', wrongPassword), 'unauthenticated')
    await byHand(daemon, ({ query }) => query.updateTable('attempts').set({ full_until: 0 }).execute())
    assert.equal(await tryFrom('198.51.102.2', 'ada', goodPassword), 'rate_limited')
    await daemon.hero.auth.set_password({ user: 'ada', password: goodPassword })
    assert.equal(await tryFrom('198.51.102.2', 'ada', goodPassword), 'ok')
    // The same applies if the attempts came from the person's own network.
    await byHand(daemon, ({ query }) => query.updateTable('attempts').set({ failures: 100 }).execute())
    assert.equal(await tryFrom('198.51.102.2', 'ada', goodPassword), 'rate_limited')
    await daemon.hero.auth.set_password({ user: 'ada', password: goodPassword })
    await byHand(daemon, ({ query }) =>
      query.deleteFrom('attempts').where('key', 'like', 'network %').execute(),
    )
    assert.equal(await tryFrom('198.51.102.2', 'ada', goodPassword), 'ok')
  })

  test('guesses of the current password in a session count too', async () => {
    const { access_token } = await daemon.hero.auth.login({ login: 'dora', password: goodPassword })
    const dora = daemon.hero.as(access_token)
    const guess = () =>
      dora.auth.set_password({ current_password: wrongPassword, password: 'cobalt-meadow-17-signal' })
    for (let i = 0; i < 10; i++) await refused(guess(), 'unauthenticated')
    await refused(guess(), 'rate_limited')
  })
})
