import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import { now } from '../../src/storage/ids.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { AccountEnds } from '../../src/users/account_ends.ts'
import { goodPassword } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'
import { ask, signIn } from '../support/http.ts'
import { signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { valuesOf } from '../support/upstream.ts'

const ahead = (t: TestContext, seconds: number) => {
  const clock = Date.now.bind(Date)
  return t.mock.method(Date, 'now', () => clock() + seconds * 1000).mock
}
const week = 7 * 86_400

onSqliteFirst('the end of an account', (newUrl) => {
  let stage: Stage
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    stage = await startStage({ database_url: newUrl(), trusted_proxies: '127.0.0.1' })
    await useServer(stage.daemon, smtp)
    await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'bearer.localhost', auth_mode: 'bearer' })
    await stage.daemon.hero.settings.set({ key: 'network_login', value: true })
  })
  after(async () => {
    await stage.close()
    await smtp[Symbol.asyncDispose]()
  })
  const endsIn = (seconds: number | null, username = 'bob') =>
    stage.daemon.hero.users.update({ username, ends_at: seconds === null ? null : now() + seconds })
  test('makes a person nobody at every door, at that moment, with nothing else changed', async (t) => {
    const { hero } = stage.daemon
    const bob = await signedIn(stage.daemon, 'bob')
    const { access_token: token } = await hero.token.create({ user: 'bob', name: 'script', scope: 'write' })
    const keeper = hero.as(token)
    await hero.users.networks.add({ user: 'bob', network: '10.9.0.0/16' })
    await hero.groups.add({ slug: 'ends' })
    await hero.groups.add_member({ group: 'ends', user: 'bob' })
    await endsIn(100)
    const user = async (host: string, ...headers: string[]) => {
      const answer = await ask(stage.daemon, host, '/', { headers })
      return answer.status === 200 ? valuesOf(got(answer).rawHeaders, 'x-hero-user').join() : answer.status
    }
    const doors = () =>
      Promise.all([
        user('local.localhost', 'Cookie', stage.bob),
        user('enter.localhost', 'Cookie', stage.bob),
        user('bearer.localhost', 'Authorization', `Bearer ${token}`),
        user('enter.localhost', 'X-Forwarded-For', '10.9.1.1'),
        bob.auth.me({}).then(
          ({ user }) => user,
          () => 'refused',
        ),
        keeper.auth.me({}).then(
          ({ user }) => user,
          () => 'refused',
        ),
        hero.claims.resolve({ user: 'bob' }).then(({ claims }) => claims.includes('groups.ends')),
        hero.token.validate({ token: token }).then(({ active }) => active),
        hero.groups.members({ group: 'ends' }).then(({ items }) => items.length),
      ])
    const before = ['bob', 'bob', 'bob', 'bob', 'bob', 'bob', true, true, 1]
    // Twice, so that every answer is one that is kept.
    assert.deepEqual([await doors(), await doors()], [before, before])
    const clock = ahead(t, 101)
    assert.deepEqual(await doors(), [401, '', 401, '', 'refused', 'refused', false, false, 0])
    const error = await refused(signedIn(stage.daemon, 'bob'), 'unauthenticated')
    assert.equal(error.data.reason, 'account_ended')
    const wrong = await refused(signedIn(stage.daemon, 'bob', 'copper-meadow-17-violin'), 'unauthenticated')
    assert.equal(wrong.data.reason, 'wrong_login', 'a stranger learns nothing')
    clock.restore()
    await endsIn(null)
  })

  test('ends impersonation, and sessions do not come back when the account is prolonged', async (t) => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'root1', password: goodPassword, is_admin: true })
    const admin = await signedIn(stage.daemon, 'root1')
    await endsIn(100)
    const bob = await signedIn(stage.daemon, 'bob')
    await admin.auth.impersonate({ user: 'bob' })
    assert.equal((await admin.auth.me({})).impersonating, 'bob')
    const clock = ahead(t, 101)
    assert.equal((await admin.auth.me({})).impersonating, null)
    await refused(admin.auth.impersonate({ user: 'bob' }), 'conflict')
    await endsIn(1000)
    await refused(bob.auth.me({}), 'unauthenticated')
    clock.restore()
    await refused(bob.auth.me({}), 'unauthenticated')
    assert.equal((await hero.sessions.list({ user: 'bob' })).items.length, 0)
    await endsIn(null)
  })

  /** Looks as the daemon does, from several processes at once. */
  const look = (processes = 1) =>
    Promise.all(
      Array.from({ length: processes }, async () => {
        const database = await openDatabase(stage.daemon.config.database_url, createLog('silent'))
        const done: string[] = []
        const tell = async ({ username }: { username: string }) => void done.push(`told ${username}`)
        const end = async ({ username }: { username: string }) => void done.push(`ended ${username}`)
        await new AccountEnds({ database, log: createLog('silent'), tell, end }).look()
        await database.close()
        return done
      }),
    ).then((all) => all.flat())

  test('is announced a week before, and ended then, each once', async () => {
    await endsIn(week + 100, 'ada')
    assert.deepEqual(await look(), [])
    await endsIn(week - 10, 'ada')
    assert.deepEqual(await look(2), ['told ada'])
    assert.deepEqual(await look(), [])
    await endsIn(0, 'ada')
    assert.deepEqual(await look(2), ['ended ada'])
    assert.deepEqual(await look(), [])
    await endsIn(week - 10, 'ada')
    await stage.daemon.hero.users.update({ username: 'ada', is_active: false })
    assert.deepEqual(await look(), [], 'nobody writes to an account that is off')
    await stage.daemon.hero.users.update({ username: 'ada', is_active: true })
    assert.deepEqual(await look(), ['told ada'])
    await endsIn(null, 'ada')
  })

  test('of one account does not wait for that of another, which fails', async (t) => {
    const { hero } = stage.daemon
    const names = ['first', 'middle', 'last']
    for (const username of names) await hero.users.add({ username })
    for (const username of names) await endsIn(0, username)
    const database = await openDatabase(stage.daemon.config.database_url, createLog('silent'))
    const log = createLog('silent')
    const logged = t.mock.method(log, 'error', () => {}).mock
    const done: string[] = []
    let fails = true
    const end = async ({ username }: { username: string }) => {
      if (fails && username === 'middle') throw new Error('no')
      done.push(username)
    }
    const ends = new AccountEnds({ database, log, tell: async () => {}, end })
    await ends.look()
    assert.deepEqual(done.toSorted(), ['first', 'last'])
    const { id } = await hero.users.get({ username: 'middle' })
    assert.partialDeepStrictEqual(logged.calls[0]!.arguments, [{ id, error: 'no' }])
    fails = false
    await ends.look()
    assert.deepEqual(done.slice(2), ['middle'])
    await database.close()
  })

  test('is for nobody who administers, and nobody gives it to themselves', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'root2', is_admin: true })
    await refused(endsIn(100, 'root2'), 'conflict')
    await endsIn(1000)
    await refused(hero.users.update({ username: 'bob', is_admin: true }), 'conflict')
    const bob = await signedIn(stage.daemon, 'bob')
    await refused(bob.users.update({ username: 'bob', ends_at: null }), 'claim_required')
    await hero.users.update({ username: 'bob', is_admin: true, ends_at: null })
    await hero.users.update({ username: 'bob', is_admin: false })
  })

  test('is on the account page, in a mail, and in the audit', async () => {
    const soon = now() + week - 100
    await stage.daemon.hero.users.update({ username: 'bob', ends_at: soon })
    await endsIn(0, 'ada')
    const cookie = await signIn(stage.daemon, 'localhost', 'bob', goodPassword)
    const page = await ask(stage.daemon, 'localhost', '/auth/me', {
      headers: ['Cookie', cookie, 'Accept', 'text/html'],
    })
    assert.match(page.body, /Your account ends on/)
    const daemon = await stage.daemon.restart({ trusted_proxies: '127.0.0.1' })
    const mail = await smtp.mailTo('bob@example.org', /ends soon/)
    assert.match(mail.text!, new RegExp(`ends on .*${new Date(soon * 1000).getUTCFullYear()}`))
    const { items } = await daemon.hero.audit.list({ method: 'users.end' })
    await daemon.close()
    assert.equal(items[0]?.target, 'username=ada')
  })
})
