import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '../../src/log/log.ts'
import { LiveSessions } from '../../src/sessions/live_sessions.ts'
import { Sessions } from '../../src/sessions/sessions.ts'
import { onBothDatabases } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { noReactions } from '../support/reactions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('sessions', (newUrl, kind) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    await person(daemon, 'ada', { is_admin: true })
    await person(daemon, 'grace')
    await daemon.hero.sessions.revoke_all({ user: 'ada' })
    await daemon.hero.sessions.revoke_all({ user: 'grace' })
  })
  after(() => daemon.close())

  test("are listed newest first and in pages, by default one's own", async () => {
    const graces = [await signedIn(daemon, 'grace'), await signedIn(daemon, 'grace')]
    const own = await graces[0]!.sessions.list({})
    assert.equal(own.items.length, 2)
    assert.ok(own.items[0]!.id > own.items[1]!.id)
    for (const { user, kind, provider, expires_at, created_at } of own.items) {
      assert.deepEqual({ user, kind, provider }, { user: 'grace', kind: 'token', provider: 'password' })
      assert.equal(expires_at - created_at, 86400)
    }
    assert.deepEqual(
      own.items.map(({ current }) => current),
      [false, true],
    )
    const asOthersSeeIt = own.items.map((session) => ({ ...session, current: false }))
    assert.deepEqual((await daemon.hero.sessions.list({ user: 'GRACE' })).items, asOthersSeeIt)
    const page = await graces[0]!.sessions.list({ limit: 1 })
    const rest = await graces[0]!.sessions.list({ limit: 1, cursor: page.next_cursor! })
    assert.deepEqual([...page.items, ...rest.items], own.items)
    assert.equal(rest.next_cursor, null)
    await refused(graces[0]!.sessions.list({ cursor: 'AA' }), 'invalid_params', 'cursor')
    await refused(graces[0]!.sessions.list({ user: 'ada' }), 'claim_required')
    await refused(daemon.hero.sessions.list({}), 'invalid_params', 'user')
  })

  test('can be revoked by their user or an administrator, and do not exist for others', async () => {
    const ada = await signedIn(daemon, 'ada')
    const [one, two] = [await signedIn(daemon, 'grace'), await signedIn(daemon, 'grace')]
    const [newest] = (await two.sessions.list({})).items
    const adas = (await ada.sessions.list({})).items[0]!
    const unknown = newest!.id.replace(/.$/, (c) => (c === '0' ? '1' : '0'))
    const [hidden, absent] = [
      await refused(one.sessions.revoke({ id: adas.id }), 'not_found'),
      await refused(one.sessions.revoke({ id: unknown }), 'not_found'),
    ]
    assert.equal(hidden.message.replace(adas.id, ''), absent.message.replace(unknown, ''))
    assert.deepEqual(hidden.data, absent.data)
    await one.sessions.revoke({ id: newest!.id })
    await refused(two.auth.me(), 'unauthenticated')
    await refused(one.sessions.revoke({ id: newest!.id }), 'not_found')
    await ada.sessions.revoke({ id: (await one.sessions.list({})).items[0]!.id })
    await refused(one.auth.me(), 'unauthenticated')
    await daemon.hero.sessions.revoke({ id: adas.id })
    await refused(ada.auth.me(), 'unauthenticated')
  })

  test('all end with revoke_all, except the current one of the caller', async () => {
    await daemon.hero.sessions.revoke_all({ user: 'grace' })
    const [here, there] = [await signedIn(daemon, 'grace'), await signedIn(daemon, 'grace')]
    await there.auth.me()
    assert.deepEqual(await here.sessions.revoke_all({}), { revoked: 1 })
    await here.auth.me()
    await refused(there.auth.me(), 'unauthenticated')
    assert.deepEqual(await here.sessions.revoke_all({ user: 'Grace' }), { revoked: 0 })
    await refused(here.sessions.revoke_all({ user: 'ada' }), 'claim_required')
    assert.deepEqual(await daemon.hero.sessions.revoke_all({ user: 'grace' }), { revoked: 1 })
    await refused(here.auth.me(), 'unauthenticated')
    await refused(daemon.hero.sessions.revoke_all({ user: 'nobody' }), 'not_found')
  })

  test('expire, cached or not, and are swept', async () => {
    const grace = await signedIn(daemon, 'grace')
    await grace.auth.me()
    await byHand(daemon, async (database) => {
      await database.query.updateTable('sessions').set({ expires_at: 1000 }).execute()
      await database.query.deleteFrom('refresh_tokens').execute()
      database.changed('sessions')
    })
    const lives = () =>
      grace.auth.me().then(
        () => true,
        () => false,
      )
    const patience = kind === 'postgres' ? Date.now() + 15_000 : 0
    while ((await lives()) && Date.now() < patience) await delay(10)
    await refused(grace.auth.me(), 'unauthenticated')
    assert.deepEqual((await daemon.hero.sessions.list({ user: 'grace' })).items, [])
    const database = await openDatabase(daemon.config.database_url, createLog('silent'))
    await new Sessions(database, async () => 300, noReactions, 'localhost').sweep()
    assert.deepEqual(await database.query.selectFrom('sessions').selectAll().execute(), [])
    await database.close()
  })

  test('last as long as session_lifetime says', async () => {
    const { hero } = daemon
    await hero.settings.set({ key: 'session_lifetime', value: 300 })
    const { expires_in } = await hero.auth.login({ login: 'grace', password: goodPassword })
    assert.equal(expires_in, 300)
    const [session] = (await hero.sessions.list({ user: 'grace' })).items
    assert.equal(session!.expires_at - session!.created_at, 300)
  })

  test('expire in the cache to the second, without a notification', async () => {
    const database = await openDatabase(daemon.config.database_url, createLog('silent'))
    const sessions = new Sessions(database, async () => 2, noReactions, 'localhost')
    const live = new LiveSessions(database, async () => 300)
    const { id } = await daemon.hero.users.get({ username: 'grace' })
    const origin = {
      kind: 'token',
      provider: 'password',
      factor: '',
      address: '',
      user_agent: 'x'.repeat(1000),
    } as const
    const { token } = await sessions.open(id, origin)
    assert.equal((await live.find(token))?.username, 'grace')
    assert.equal(await live.findSignIn(token), undefined)
    const deadline = Date.now() + 15_000
    while ((await live.find(token)) && Date.now() < deadline) await delay(20)
    assert.equal(await live.find(token), undefined)
    await database.close()
  })
})
