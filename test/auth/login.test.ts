import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { hash } from '@node-rs/argon2'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { ask, signIn } from '../support/http.ts'
import { refused } from '../support/refused.ts'

const other = 'velvet-harbor-93-comet'

onSqliteFirst('signing in', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    await daemon.hero.users.add({ username: 'Ada', email: 'Ada@Example.org', password: goodPassword })
    await daemon.hero.users.add({ username: 'nopass', email: 'nopass@example.org' })
  })
  after(() => daemon.close())

  const login = (name: string, password = goodPassword) => daemon.hero.auth.login({ login: name, password })

  test('login accepts the username or email in any case', async () => {
    for (const name of ['Ada', 'ada', 'ADA', 'ada@example.org', 'ADA@EXAMPLE.ORG']) {
      const { access_token, refresh_token, ...rest } = await login(name)
      for (const token of [access_token, refresh_token!]) assert.match(token, /^[A-Za-z0-9_-]{43}$/)
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 86400, user: 'Ada' })
      const me = await daemon.hero.as(access_token).auth.me()
      assert.equal(me.user, 'Ada')
      assert.deepEqual(me.claims, ['users.Ada'])
    }
  })

  test('a wrong password, an unknown name, a missing password and a deactivated account get the same error', async () => {
    await daemon.hero.users.add({ username: 'off', password: goodPassword })
    await daemon.hero.users.update({ username: 'off', is_active: false })
    const errors = [
      await refused(login('ada', other), 'unauthenticated'),
      await refused(login('nobody'), 'unauthenticated'),
      await refused(login('nobody@example.org'), 'unauthenticated'),
      await refused(login('nopass'), 'unauthenticated'),
      await refused(login('off'), 'unauthenticated'),
      await refused(login('off', other), 'unauthenticated'),
      await refused(login("' or 1=1 --"), 'unauthenticated'),
    ]
    const answers = errors.map(({ message, number, data }) => ({ message, number, data }))
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    await refused(login(''), 'invalid_params')
    await refused(login(' \t'), 'invalid_params')
  })

  test('each sign-in gets its own token, and the database stores only its hash', async () => {
    const tokens = await Promise.all([login('ada'), login('ada'), login('ada')])
    assert.equal(new Set(tokens.map(({ access_token }) => access_token)).size, 3)
    const everything = await byHand(daemon, async ({ query }) =>
      JSON.stringify([
        await query.selectFrom('sessions').selectAll().execute(),
        await query.selectFrom('credentials').selectAll().execute(),
        await query.selectFrom('users').selectAll().execute(),
        await query.selectFrom('audit').selectAll().execute(),
      ]),
    )
    for (const { access_token } of tokens) assert.ok(!everything.includes(access_token))
    assert.ok(!everything.includes(goodPassword))
  })

  test('deactivation invalidates a token at the next call', async () => {
    const ada = await signedIn(daemon, 'ada')
    await ada.auth.me()
    await daemon.hero.users.update({ username: 'ada', is_active: false })
    await refused(ada.auth.me(), 'unauthenticated')
    await refused(login('ada'), 'unauthenticated')
    await daemon.hero.users.update({ username: 'ada', is_active: true })
    await login('ada')
  })

  test('the session of a removed user ends at once', async () => {
    const gone = await person(daemon, 'gone')
    await gone.auth.me()
    await daemon.hero.users.remove({ username: 'gone' })
    await refused(gone.auth.me(), 'unauthenticated')
    await refused(login('gone'), 'unauthenticated')
  })

  test('an invalid token is refused', async () => {
    const { access_token } = await login('ada')
    for (const token of [
      '',
      'x',
      'A'.repeat(43),
      access_token.slice(1),
      `${access_token}A`,
      access_token.toLowerCase(),
      `${access_token}=`,
      'a'.repeat(8192),
    ])
      await refused(daemon.hero.as(token).auth.me(), 'unauthenticated')
  })

  test('a cookie is not accepted as a token, nor a token as a cookie', async () => {
    const host = `localhost:${daemon.edge.port}`
    const cookie = await signIn(daemon, host, 'ada', goodPassword)
    const [, value = ''] = cookie.split('=')
    await refused(daemon.hero.as(value).auth.me(), 'unauthenticated')
    const { access_token } = await login('ada')
    const me = async (header: string[]) => {
      const { body } = await ask(daemon, host, '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, ...header],
        body: '{"jsonrpc":"2.0","id":1,"method":"auth.me"}',
      })
      const { result, error } = JSON.parse(body) as {
        result?: { user: string }
        error?: { data: { code: string } }
      }
      return result?.user ?? error?.data.code
    }
    assert.equal(await me(['Cookie', cookie]), 'Ada')
    assert.equal(await me(['Cookie', cookie.replace(value, access_token)]), 'unauthenticated')
    assert.equal(await me(['Authorization', `Bearer ${access_token}`]), 'Ada')
    assert.equal(await me(['Authorization', `Bearer ${value}`]), 'unauthenticated')
  })

  test('logout ends the session of its caller, and needs one', async () => {
    const [one, two] = [await signedIn(daemon, 'ada'), await signedIn(daemon, 'ada')]
    assert.equal(await one.auth.logout(), null)
    await refused(one.auth.me(), 'unauthenticated')
    await refused(one.auth.logout(), 'unauthenticated')
    await two.auth.me()
    await refused(daemon.hero.auth.logout(), 'conflict')
  })

  test('the old method name still works', async () => {
    const answer = await daemon.hero.call('login' as never, { login: 'ada', password: goodPassword } as never)
    assert.equal((answer as { user: string }).user, 'Ada')
  })
})

onSqliteFirst('setting a password', (newUrl) => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon({ database_url: newUrl() })))
  after(() => daemon.close())

  test('changing one’s own password needs the current one and ends the other sessions', async () => {
    const here = await person(daemon, 'grace')
    const there = await signedIn(daemon, 'grace')
    await refused(here.auth.set_password({ password: other }), 'invalid_params', 'current_password')
    await refused(
      here.auth.set_password({ user: 'GRACE', password: other }),
      'invalid_params',
      'current_password',
    )
    await refused(here.auth.set_password({ password: other, current_password: other }), 'unauthenticated')
    await refused(
      here.auth.set_password({ password: 'grace', current_password: goodPassword }),
      'invalid_params',
      'password',
    )
    await there.auth.me()
    assert.equal(await here.auth.set_password({ password: other, current_password: goodPassword }), null)
    await here.auth.me()
    await refused(there.auth.me(), 'unauthenticated')
    await refused(signedIn(daemon, 'grace'), 'unauthenticated')
    await signedIn(daemon, 'grace', other)
  })

  test('setting another person’s password needs the operator or proxy.users.write, and ends all sessions', async () => {
    const linus = await person(daemon, 'linus')
    const eve = await person(daemon, 'eve')
    await refused(eve.auth.set_password({ user: 'linus', password: other }), 'claim_required')
    await refused(
      eve.auth.set_password({ user: 'linus', password: other, current_password: goodPassword }),
      'claim_required',
    )
    await linus.auth.me()
    await daemon.hero.auth.set_password({ user: 'LINUS', password: other })
    await refused(linus.auth.me(), 'unauthenticated')
    await signedIn(daemon, 'linus', other)
    await refused(daemon.hero.auth.set_password({ user: 'nobody', password: other }), 'not_found')
    await refused(daemon.hero.auth.set_password({ password: other }), 'invalid_params', 'user')
    const admin = await person(daemon, 'admin1', { is_admin: true })
    await admin.auth.set_password({ user: 'linus', password: goodPassword })
    // An administrator must give the current password for the own account too.
    await refused(admin.auth.set_password({ user: 'admin1', password: other }), 'invalid_params')
  })

  test('no concurrent sign-in survives a password change', async () => {
    await person(daemon, 'racer')
    // An older hash makes each sign-in write as well, which must not restore the old password.
    const older = await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    await byHand(daemon, async ({ query }) => {
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', 'racer')
        .executeTakeFirstOrThrow()
      await query.updateTable('credentials').set({ hash: older }).where('user_id', '=', id).execute()
    })
    // Fewer than the ten allowed failures: all of them fail if the change comes first.
    const signIns = Array.from({ length: 8 }, () =>
      daemon.hero.auth.login({ login: 'racer', password: goodPassword }),
    )
    const changed = daemon.hero.auth.set_password({ user: 'racer', password: other })
    const opened = await Promise.allSettled(signIns)
    await changed
    for (const answer of opened) {
      if (answer.status === 'fulfilled')
        await refused(daemon.hero.as(answer.value.access_token).auth.me(), 'unauthenticated')
    }
    assert.deepEqual((await daemon.hero.sessions.list({ user: 'racer' })).items, [])
    await refused(signedIn(daemon, 'racer'), 'unauthenticated')
    await signedIn(daemon, 'racer', other)
  })
})
