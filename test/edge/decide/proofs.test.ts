import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newToken } from '../../../src/sessions/session_token.ts'
import type { Database } from '../../../src/storage/database.ts'
import { now } from '../../../src/storage/ids.ts'
import { goodPassword } from '../../support/daemon.ts'
import { onSqliteFirst } from '../../support/databases.ts'
import { got, openAt, startStage, type Stage } from '../../support/edge_stage.ts'
import { enrolled } from '../../support/factors.ts'
import { ask } from '../../support/http.ts'
import { byHand, signedIn } from '../../support/people.ts'
import { sessionRow } from '../../support/session_row.ts'
import { valuesOf } from '../../support/upstream.ts'
import { refused } from '../../support/refused.ts'

const secondAcr = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'
const host = 'router.localhost'

const userRow = ({ query }: Database, username: string) =>
  query.selectFrom('users').select('id').where('username', '=', username).executeTakeFirstOrThrow()

onSqliteFirst('a proof that a place asks for', (newUrl) => {
  let stage: Stage
  let codes: readonly string[]
  let ada: string
  let used = 0
  before(async () => {
    stage = await startStage({ database_url: newUrl(), public_url: 'http://localhost' })
    const { hero } = stage.daemon
    codes = (await enrolled(await signedIn(stage.daemon, 'ada'))).recovery_codes
    // The first factor ended her other sign-ins.
    ada = `__Host-hero_proxy_session=${await open('ada')}`
    await openAt(stage.daemon, host, ada)
    await hero.proxy.routes.add({
      target: stage.upstream.target,
      domain: host,
      auth_mode: 'local',
      proof: 'second',
    })
    await hero.proxy.routes.add({
      domain: 'open.localhost',
      target: stage.upstream.target,
      auth_mode: 'optional',
      proof: 'second',
    })
    await hero.proxy.routes.add({
      domain: 'tool.localhost',
      target: stage.upstream.target,
      auth_mode: 'bearer',
      proof: 'any',
      proof_age: 600,
    })
  })
  after(() => stage.close())

  /** Opens a sign-in at home, as a browser would, and returns its cookie's value. */
  const open = (username: string) =>
    byHand(stage.daemon, async (database) => {
      const token = newToken()
      const { id } = await userRow(database, username)
      await database.query.insertInto('sessions').values(sessionRow(id, token)).execute()
      return token
    })

  const code = () => codes[used++]!
  /** Makes every sign-in of a person look as if it had been proved so many seconds ago, without the factor if asked. */
  const age = (username: string, seconds: number, factor = true) =>
    byHand(stage.daemon, async (database) => {
      const { id } = await userRow(database, username)
      const at = now() - seconds
      await database.query
        .updateTable('sessions')
        .set({ proven_at: at, second_at: factor ? at : 0, passkey_at: 0 })
        .where('user_id', '=', id)
        .execute()
      database.changed('sessions')
    })
  const cookieAt = (domain: string) => ask(stage.daemon, domain, '/x', { headers: ['Cookie', ada] })
  const members = (answer: { body: string }) => JSON.parse(answer.body) as Record<string, unknown>

  test('the service gets nobody until the person has given it, and programs read what is missing', async () => {
    await age('ada', 10, false)
    const answer = await cookieAt(host)
    assert.equal(answer.status, 401)
    const { code: name, acr_values, max_age } = members(answer)
    assert.deepEqual([name, acr_values, max_age], ['proof_required', secondAcr, undefined])
    await age('ada', 10)
    const { rawHeaders } = got(await cookieAt(host))
    assert.equal(valuesOf(rawHeaders, 'x-hero-user')[0], 'ada')
  })

  test('an age runs out on a kept connection, and a proof in the future counts as none', async (t) => {
    const { items } = await stage.daemon.hero.proxy.routes.list({ domain: host })
    const { id } = items[0]!
    await stage.daemon.hero.proxy.routes.update({ id, proof_age: 120 })
    await age('ada', 10)
    for (let i = 0; i < 3; i++) assert.equal((await cookieAt(host)).status, 200, 'the decision is kept')
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 115_000 })
    assert.equal((await cookieAt(host)).status, 401, 'a kept decision ends with the age of the proof')
    t.mock.timers.reset()
    await age('ada', -3600)
    const late = await cookieAt(host)
    assert.equal(late.status, 401)
    assert.equal(members(late).max_age, '120')
    await stage.daemon.hero.proxy.routes.update({ id, proof_age: null })
  })

  test('a browser goes home for the code, and comes back', async () => {
    await age('ada', 10, false)
    const answer = await ask(stage.daemon, host, '/page', {
      headers: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate', 'Cookie', ada],
    })
    assert.equal(answer.status, 302)
    assert.match(
      answer.headers.location!,
      /^http:\/\/router\.localhost\/\.hero_proxy\/sign_in\?return_to=%2Fpage$/,
    )
    const home = await ask(
      stage.daemon,
      'localhost',
      `/auth/login?service=${encodeURIComponent('http://router.localhost/page')}&arrival=${'0'.repeat(64)}`,
      {
        headers: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate', 'Cookie', ada],
      },
    )
    assert.equal(home.status, 302)
    assert.match(home.headers.location!, /^\/auth\/prove\?return_to=.*&proof=second$/)
    const page = await ask(stage.daemon, 'localhost', home.headers.location!, {
      headers: ['Accept', 'text/html', 'Cookie', ada],
    })
    assert.match(page.body, /name="code"/)
    assert.doesNotMatch(page.body, /name="password"/)
  })

  test('a person who cannot give it reads how to get it', async () => {
    const page = await ask(stage.daemon, 'localhost', '/auth/prove?return_to=/&proof=passkey', {
      headers: ['Accept', 'text/html', 'Cookie', stage.bob],
    })
    assert.equal(page.status, 200)
    assert.match(page.body, /no passkey yet/)
    assert.match(page.body, /href="\/auth\/me\/security"/)
    assert.doesNotMatch(page.body, /name="password"/)
  })

  test('where guests may enter, such a person is one, and changes nothing', async () => {
    await openAt(stage.daemon, 'open.localhost', ada)
    await age('ada', 10, false)
    const seen = got(await cookieAt('open.localhost'))
    assert.deepEqual(valuesOf(seen.rawHeaders, 'x-hero-user'), [])
    const posted = await ask(stage.daemon, 'open.localhost', '/x', {
      method: 'POST',
      headers: ['Cookie', ada],
    })
    assert.equal(posted.status, 401)
    await age('ada', 10)
    assert.equal(valuesOf(got(await cookieAt('open.localhost')).rawHeaders, 'x-hero-user')[0], 'ada')
  })

  test('a token to keep has no proof: RFC 9470 says what to bring', async () => {
    const { hero } = stage.daemon
    const { access_token } = await hero.token.create({ user: 'bob', name: 'cron', scope: 'write' })
    const answer = await ask(stage.daemon, 'tool.localhost', '/x', {
      headers: ['Authorization', `Bearer ${access_token}`],
    })
    assert.equal(answer.status, 401)
    assert.match(
      answer.headers['www-authenticate']!,
      /error="insufficient_user_authentication", acr_values="1", max_age="600"/,
    )
    assert.deepEqual([members(answer).acr_values, members(answer).max_age], ['1', '600'])
    const { access_token: fresh } = await hero.auth.login({ login: 'bob', password: goodPassword })
    assert.equal(
      (await ask(stage.daemon, 'tool.localhost', '/x', { headers: ['Authorization', `Bearer ${fresh}`] }))
        .status,
      200,
    )
  })

  test('modes in which nobody proves anything refuse the options', async () => {
    for (const auth_mode of ['none', 'signature'] as const)
      for (const [field, options] of [
        ['proof', { proof: 'second' }],
        ['proof_age', { proof_age: 300 }],
      ] as const)
        await refused(
          stage.daemon.hero.proxy.routes.add({
            domain: 'x.localhost',
            target: stage.upstream.target,
            auth_mode,
            ...options,
          }),
          'invalid_params',
          field,
        )
  })

  test('a group asks for it wherever a session counts, but not at home, and for nothing about oneself', async () => {
    const { hero } = stage.daemon
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: stage.upstream.target,
      auth_mode: 'local',
    })
    await openAt(stage.daemon, 'wiki.localhost', ada)
    await hero.groups.add_admin({ group: 'team', user: 'ada' })
    const { shut_out } = await hero.groups.update({ group: 'team', proof: 'second' })
    assert.deepEqual(shut_out, [])
    await age('ada', 10, false)
    assert.equal((await cookieAt('wiki.localhost')).status, 401)
    const account = await ask(stage.daemon, 'localhost', '/auth/me', {
      headers: ['Accept', 'text/html', 'Cookie', ada],
    })
    assert.equal(account.status, 200)
    const { sign_in } = await hero.auth.login({ login: 'ada', password: goodPassword }).then(
      () => assert.fail('a factor is needed'),
      (error: { data: { sign_in: string } }) => error.data,
    )
    const { access_token } = await hero.auth.login_by_code({ sign_in, code: code() })
    const as = hero.as(access_token)
    await as.groups.members({ group: 'team' })
    await age('ada', 10, false)
    await refused(as.groups.members({ group: 'team' }), 'proof_required')
    await as.sessions.list({ user: 'ada' })
    await as.users.update({ username: 'ada', display_name: 'Ada' })
    await refused(as.token.create({ user: 'ada', name: 'cron' }), 'proof_required')
    await as.auth.prove({ code: code() })
    await as.groups.members({ group: 'team' })
    await hero.groups.update({ group: 'team', proof: 'any' })
  })

  test('only proxy.groups.write adds members to such a group, also through a group inside it', async () => {
    const { hero } = stage.daemon
    for (const slug of ['strict', 'inner']) await hero.groups.add({ slug })
    await hero.groups.update({ group: 'strict', proof: 'passkey' })
    await hero.groups.add_member({ group: 'strict', member_group: 'inner' })
    for (const group of ['strict', 'inner']) await hero.groups.add_admin({ group, user: 'bob' })
    const bob = await signedIn(stage.daemon, 'bob')
    for (const group of ['strict', 'inner'])
      await refused(bob.groups.add_member({ group, user: 'ada' }), 'claim_required', 'group')
    await hero.groups.add_member({ group: 'inner', user: 'bob' })
    const { shut_out } = await hero.groups.update({ group: 'strict', proof: 'passkey' })
    assert.deepEqual(shut_out, ['bob'])
    await hero.groups.remove_member({ group: 'inner', user: 'bob' })
  })

  test('administrators hold their claims only after a fresh proof, and with a factor if the setting asks for one', async () => {
    const { hero } = stage.daemon
    await hero.users.update({ username: 'bob', is_admin: true })
    const bob = await signedIn(stage.daemon, 'bob')
    await bob.users.list()
    await age('bob', 90_000, false)
    await refused(bob.users.list(), 'proof_required')
    assert.ok(!(await bob.auth.me()).claims.some((claim) => /^(admin|groups\.admin|proxy\.)/.test(claim)))
    await bob.auth.prove({ password: goodPassword })
    await bob.users.list()
    await hero.settings.set({ key: 'admin_factor', value: true })
    await refused(bob.users.list(), 'proof_required')
    await hero.settings.set({ key: 'admin_factor', value: false })
  })
})
