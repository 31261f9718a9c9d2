import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HeroProxy } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import { Revocations } from '../../src/sessions/revocations.ts'
import { now } from '../../src/storage/ids.ts'
import { onBothDatabases } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

/** In milliseconds: a waiting call is answered long before its timeout. */
const soon = 2000

const early = <T>(call: Promise<T>): Promise<T> =>
  Promise.race([call, delay(soon, undefined, { ref: false }).then(() => assert.fail('it still waits'))])

onBothDatabases('revocations', (newUrl) => {
  let daemon: TestDaemon
  let other: TestDaemon
  let hero: HeroProxy
  before(async () => {
    const settings = { database_url: newUrl(), secret: 'the same secret for both of the nodes' }
    daemon = await startTestDaemon(settings)
    other = await startTestDaemon(settings)
    hero = daemon.hero
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
  })
  after(async () => {
    await daemon.close()
    await other.close()
  })

  let count = 0
  /** A user with two sessions, and their ids. */
  const newcomer = async () => {
    const user = `n${++count}`
    const own = await person(daemon, user)
    const again = await signedIn(daemon, user)
    const { items } = await hero.sessions.list({ user })
    return { user, own, again, ids: items.map(({ id }) => id).toReversed() as [string, string] }
  }
  const cursor = async () => (await hero.sessions.revocations()).cursor
  const since = async (after: number) => {
    const { items, cursor } = await hero.sessions.revocations({ after })
    assert.equal(cursor, items.at(-1)?.seq ?? after)
    for (const [i, { seq, at }] of items.entries()) {
      assert.equal(seq, after + i + 1)
      assert.ok(Math.abs(at - now()) < 60)
    }
    return items.map(({ session_id, user, reason }) => [session_id, user, reason])
  }

  test('every revocation is listed with its reason', async () => {
    const start = await cursor()
    const expected: string[][] = []
    const { user, own, again, ids } = await newcomer()
    await own.auth.logout()
    expected.push([ids[0], user, 'logout'])
    await hero.sessions.revoke({ id: ids[1] })
    expected.push([ids[1], user, 'revoked'])
    await refused(again.auth.me(), 'unauthenticated')

    const [all, changed, inactive, removed] = [
      await newcomer(),
      await newcomer(),
      await newcomer(),
      await newcomer(),
    ]
    await hero.sessions.revoke_all({ user: all.user })
    expected.push(...all.ids.map((id) => [id, all.user, 'revoked']))
    const password = 'velvet-harbor-93-comet'
    await changed.own.auth.set_password({ password, current_password: goodPassword })
    expected.push([changed.ids[1], changed.user, 'password'])
    await hero.users.update({ username: inactive.user, is_active: false })
    expected.push(...inactive.ids.map((id) => [id, inactive.user, 'deactivated']))
    await hero.users.remove({ username: removed.user })
    expected.push(...removed.ids.map((id) => [id, removed.user, 'removed']))
    assert.deepEqual(await since(start), expected)
  })

  test('a change that ends no session, and a session that expires, are not listed', async () => {
    const { user, own, ids } = await newcomer()
    const start = await cursor()
    await byHand(daemon, async (database) => {
      await database.query.updateTable('sessions').set({ expires_at: 1 }).where('id', '=', ids[1]).execute()
      database.changed('sessions')
    })
    const root = await signedIn(daemon, 'root')
    await root.auth.impersonate({ user })
    await root.auth.stop_impersonating()
    await hero.users.update({ username: user, display_name: 'Another' })
    await refused(own.users.remove({ username: user }), 'claim_required')
    await refused(hero.users.remove({ username: 'root' }), 'conflict')
    await refused(hero.users.update({ username: 'root', is_active: false }), 'conflict')
    assert.deepEqual(await since(start), [])
    assert.ok(await root.auth.me())
    await hero.sessions.revoke_all({ user })
    assert.deepEqual(await since(start), [[ids[0], user, 'revoked']])
  })

  test('a waiting call is answered by the first revocation on any node, and so are all others', async () => {
    const { user, ids } = await newcomer()
    const after = await cursor()
    const waiting = [daemon, daemon, other].map((node) => node.hero.sessions.revocations({ after, wait: 30 }))
    await delay(300)
    await hero.sessions.revoke({ id: ids[0] })
    for (const call of waiting) {
      const { items, cursor } = await early(call)
      assert.deepEqual(
        items.map(({ session_id }) => session_id),
        [ids[0]],
      )
      assert.equal(cursor, after + 1)
    }
    const next = other.hero.sessions.revocations({ after: after + 1, wait: 30 })
    await hero.sessions.revoke_all({ user })
    assert.equal((await early(next)).items[0]!.session_id, ids[1])
    // An existing revocation is returned without waiting.
    assert.equal((await early(hero.sessions.revocations({ after, wait: 30 }))).items.length, 2)
  })

  test('a revocation while a call begins to wait is not missed', async () => {
    const { user } = await newcomer()
    for (let i = 0; i < 20; i++) {
      const { access_token } = await hero.auth.login({ login: user, password: goodPassword })
      const after = await cursor()
      const own = new HeroProxy({ socket: daemon.socketPath })
      const ending = own.as(access_token).auth.logout()
      for (let turns = 0; turns < i; turns++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal((await early(hero.sessions.revocations({ after, wait: 30 }))).items.length, 1)
      await ending
      own.close()
    }
  })

  test('without a revocation the wait ends with the given cursor, and zero does not wait', async () => {
    const after = await cursor()
    const nothing = { items: [], cursor: after }
    assert.deepEqual(await early(hero.sessions.revocations({ after, wait: 1 })), nothing)
    assert.deepEqual(await early(hero.sessions.revocations({ after, wait: 0 })), nothing)
    assert.deepEqual(await early(hero.sessions.revocations({ wait: 30 })), nothing)
    for (const wait of [-1, 31, 1.5])
      await refused(hero.sessions.revocations({ after, wait }), 'invalid_params', 'wait')
    await refused(hero.sessions.revocations({ after: -1 }), 'invalid_params', 'after')
  })

  test('a cursor that is too old or of another database is refused with the current one', async () => {
    const { user } = await newcomer()
    await hero.sessions.revoke_all({ user })
    const last = await cursor()
    await byHand(daemon, (database) =>
      database.query
        .updateTable('revocations')
        .set({ at: now() - 25 * 3600 })
        .execute(),
    )
    const database = await openDatabase(daemon.config.database_url, createLog('silent'))
    await new Revocations(database).sweep()
    await database.close()
    for (const after of [0, last - 2, last + 1]) {
      const { data } = await refused(hero.sessions.revocations({ after, wait: 30 }), 'conflict')
      assert.equal(data.cursor, last)
    }
    // The newest is kept at any age, so that numbers never start again.
    assert.equal((await hero.sessions.revocations({ after: last - 1 })).items.length, 1)
    const { user: next } = await newcomer()
    await hero.sessions.revoke_all({ user: next })
    assert.equal(await cursor(), last + 2)
  })
})

describe('calls that wait', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await person(daemon, 'ada', { is_admin: true })
  })
  after(() => daemon.close())

  test('are limited to a thousand, and free their places when callers disconnect', async () => {
    const clients = Array.from({ length: 4 }, () => new HeroProxy({ socket: daemon.socketPath }))
    const calls = Array.from({ length: 1001 }, (_, i) =>
      clients[i % 4]!.sessions.revocations({ after: 0, wait: 30 }),
    )
    const outcomes = Promise.allSettled(calls)
    // One call more than the limit is refused.
    const { data } = await refused(Promise.race(calls), 'rate_limited')
    assert.equal(data.retry_after, 5)
    assert.equal((await daemon.hero.sessions.revocations({ after: 0 })).cursor, 0)
    for (const client of clients) client.close()
    await outcomes
    const waiting = daemon.hero.sessions.revocations({ after: 0, wait: 30 })
    await daemon.hero.sessions.revoke_all({ user: 'ada' })
    assert.equal((await early(waiting)).items.length, 1)
  })

  test('do not delay the shutdown of the daemon', async () => {
    const { access_token } = await daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const { cursor } = await daemon.hero.sessions.revocations()
    const onSocket = new HeroProxy({ socket: daemon.socketPath })
    const params = { after: cursor, wait: 30 }
    const call = onSocket.sessions.revocations(params)
    const atEdge = ask(daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Authorization', `Bearer ${access_token}`],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sessions.revocations', params }),
    })
    await delay(200)
    await early(daemon.close())
    assert.deepEqual(await call, { items: [], cursor })
    assert.match((await atEdge).body, /"items":\[\]/)
  })
})
