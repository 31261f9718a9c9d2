import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { long } from '../long.ts'
import { HeroProxy } from '../../sdk/index.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const ada = { username: 'ada', email: 'ada@example.org', password: goodPassword }
const tokenOf = ({ setupLink }: TestDaemon) => new URL(setupLink!).searchParams.get('token')!

describe('setup with the link', () => {
  let daemon: TestDaemon
  let outside: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    outside = new HeroProxy({ url: daemon.origin.replace('127.0.0.1', 'localhost') })
  })
  after(() => daemon.close())

  test('setup needs the token of the current start', async () => {
    const token = tokenOf(daemon)
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
    await refused(outside.auth.setup(ada), 'unauthenticated')
    for (const wrong of ['', 'x', token.slice(1), `${token}x`, 'A'.repeat(43)])
      await refused(outside.auth.setup({ ...ada, token: wrong }), 'unauthenticated')
    daemon = await daemon.restart()
    outside = new HeroProxy({ url: daemon.origin.replace('127.0.0.1', 'localhost') })
    await refused(outside.auth.setup({ ...ada, token }), 'unauthenticated')
    const rows = await byHand(daemon, ({ query }) =>
      query.selectFrom('one_time_tokens').selectAll().execute(),
    )
    assert.equal(rows.length, 1)
    assert.ok(!JSON.stringify(rows).includes(tokenOf(daemon)))
  })

  test('a weak password or an invalid name does not use the link up', async () => {
    const token = tokenOf(daemon)
    await refused(outside.auth.setup({ ...ada, token, password: 'ada@example.org' }), 'invalid_params')
    await refused(outside.auth.setup({ ...ada, token, username: 'a,b' }), 'invalid_params', 'username')
    await refused(outside.auth.setup({ ...ada, token, username: 'system' }), 'invalid_params', 'username')
  })

  test('an expired link is refused', async () => {
    const token = tokenOf(daemon)
    const setExpiry = (expires_at: number) =>
      byHand(daemon, ({ query }) => query.updateTable('one_time_tokens').set({ expires_at }).execute())
    await setExpiry(Math.floor(Date.now() / 1000) - 1)
    await refused(outside.auth.setup({ ...ada, token }), 'unauthenticated')
    await setExpiry(Math.floor(Date.now() / 1000) + 3600)
  })

  test('setup creates an administrator and signs in, once', async () => {
    const token = tokenOf(daemon)
    const { access_token, user } = await outside.auth.setup({ ...ada, token })
    assert.equal(user, 'ada')
    const me = await daemon.hero.as(access_token).auth.me()
    assert.ok(me.claims.includes('proxy.admin') && me.claims.includes('groups.admin'))
    await refused(outside.auth.setup({ ...ada, username: 'eve', email: 'eve@x.org', token }), 'conflict')
    await refused(outside.auth.setup({ ...ada, username: 'eve', email: 'eve@x.org' }), 'conflict')
    await signedIn(daemon, 'ada@example.org')
    const rows = await byHand(daemon, ({ query }) =>
      query.selectFrom('one_time_tokens').selectAll().execute(),
    )
    assert.deepEqual(rows, [])
  })

  test('setup stays closed to the link, even without an active administrator', async () => {
    await byHand(daemon, async (database) => {
      await database.query.updateTable('users').set({ is_active: 0 }).execute()
      database.changed('users')
    })
    daemon = await daemon.restart()
    assert.equal(daemon.setupLink, undefined)
    outside = new HeroProxy({ url: daemon.origin.replace('127.0.0.1', 'localhost') })
    await refused(outside.auth.setup({ ...ada, username: 'eve', email: 'eve@x.org' }), 'conflict')
    // The operator can run it again.
    const again = await daemon.hero.auth.setup({ ...ada, username: 'grace', email: 'grace@example.org' })
    assert.equal(again.user, 'grace')
    await refused(daemon.hero.auth.setup({ ...ada, username: 'eve', email: 'eve@x.org' }), 'conflict')
  })
})

onSqliteFirst('setup by the operator', (newUrl) => {
  test('one of many concurrent attempts succeeds', async () => {
    await using daemon = await startTestDaemon({ database_url: newUrl() })
    const attempts = await Promise.allSettled(
      Array.from({ length: long ? 50 : 10 }, (_, i) =>
        daemon.hero.auth.setup({ ...ada, username: `first${i}`, email: `first${i}@example.org` }),
      ),
    )
    assert.equal(attempts.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const attempt of attempts)
      if (attempt.status === 'rejected') assert.equal(attempt.reason.code, 'conflict')
    assert.equal((await daemon.hero.users.list({})).items.length, 1)
  })

  test('the operator needs no token, and a taken username leaves setup open', async () => {
    await using daemon = await startTestDaemon({ database_url: newUrl() })
    await daemon.hero.users.add({ username: 'taken' })
    await refused(daemon.hero.auth.setup({ ...ada, username: 'Taken' }), 'already_exists', 'username')
    await daemon.hero.auth.setup(ada)
    assert.deepEqual(
      (await daemon.hero.users.list({ is_admin: true })).items.map(({ username }) => username),
      ['ada'],
    )
  })

  test('an administrator added by the operator closes setup too', async () => {
    await using daemon = await startTestDaemon({ database_url: newUrl() })
    await daemon.hero.users.add({ username: 'root', is_admin: true })
    await refused(daemon.hero.auth.setup(ada), 'conflict')
  })
})
