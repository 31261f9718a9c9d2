import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { allowsEmail } from '../../../src/contract/allowed_emails.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { refused } from '../../support/refused.ts'
import { signInAtAll, startStage, type Stage } from '../../support/edge_stage.ts'

test('a pattern matches its address or its exact domain in any case, and no address that only resembles them', () => {
  const patterns = ['Ada@Example.org', '*@Team.example']
  for (const email of ['ada@example.org', 'ADA@EXAMPLE.ORG', 'x@team.example', 'X.y@TEAM.Example'])
    assert.ok(allowsEmail(patterns, email), email)
  for (const email of [
    null,
    '',
    'bob@example.org',
    'ada@example.org.evil.test',
    'xada@example.org',
    'ada@sub.example.org',
    'x@sub.team.example',
    'x@evilteam.example',
    'x@team.example.evil.test',
    'x@team.exampl',
    'team.example',
    '@',
    'team.example@evil.test',
    'x@team.example@evil.test',
    '*@team.example.',
  ])
    assert.ok(!allowsEmail(patterns, email), String(email))
  assert.ok(allowsEmail([], null))
})

describe('allowed_emails of a route', () => {
  let stage: Stage
  const host = 'mail.localhost'
  const navigation = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate']
  before(async () => {
    stage = await startStage()
    await stage.route({
      domain: host,
      auth_mode: 'local',
      allowed_emails: ['ADA@example.org', '*@team.example'],
    })
    await stage.route({
      domain: 'maybe.localhost',
      auth_mode: 'optional',
      allowed_emails: ['ada@example.org'],
    })
  })
  after(() => stage.close())
  const at = (cookie: string | undefined, where = host, headers: string[] = []) =>
    ask(stage.daemon, where, '/', { headers: [...headers, ...(cookie ? ['Cookie', cookie] : [])] })

  test('users with an allowed address pass; others get 403 with a page, never a redirect, and guests do not pass', async () => {
    const before = stage.upstream.seen.length
    for (const where of [host, 'maybe.localhost']) {
      const page = await at(stage.bob, where, navigation)
      assert.deepEqual([page.status, page.headers.location], [403, undefined])
      assert.match(page.body, /not one of them/)
      assert.doesNotMatch(
        page.body,
        /ada@example\.org|team\.example/,
        'the page does not reveal the allowed addresses',
      )
      assert.equal((await at(undefined, where)).status, 401)
      assert.equal((await at(undefined, where, navigation)).status, 302)
    }
    assert.equal(stage.upstream.seen.length, before)
    for (const where of [host, 'maybe.localhost']) assert.equal((await at(stage.ada, where)).status, 200)
  })

  test('a changed address applies to the next request, and an unverified one does not count', async () => {
    const { hero } = stage.daemon
    const { email_verified_at } = await hero.users.update({ username: 'bob', email: 'bob@team.example' })
    assert.ok(email_verified_at !== null, 'an address set by an administrator is verified')
    assert.equal((await at(stage.bob)).status, 200)
    await byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('users')
        .set({ email_verified_at: null })
        .where('username', '=', 'bob')
        .execute()
      database.changed('users')
    })
    assert.equal((await at(stage.bob)).status, 401, 'a user whose address is not verified is not signed in')
    await hero.users.update({ username: 'bob', email: null })
    assert.match((await at(stage.bob)).body, /you have none/)
  })

  test('while impersonating, the address of the impersonated user decides, as with claims', async () => {
    const { hero } = stage.daemon
    await hero.users.add({
      username: 'root',
      email: 'root@team.example',
      password: goodPassword,
      is_admin: true,
    })
    const cookie = await signInAtAll(stage.daemon, [host], 'root')
    assert.equal((await at(cookie)).status, 200)
    const form = await ask(stage.daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Cookie', cookie, 'Origin', 'http://localhost'],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.impersonate', params: { user: 'bob' } }),
    })
    assert.match(form.body, /"until"/)
    assert.equal((await at(cookie)).status, 403)
  })

  test('static tokens have no address and no claims', async () => {
    const { hero } = stage.daemon
    const bearer_token = 't'.repeat(40)
    const headers = ['Authorization', `Bearer ${bearer_token}`]
    const { id } = await stage.route({ domain: 'api.localhost', auth_mode: 'bearer', bearer_token })
    assert.equal((await at(undefined, 'api.localhost', headers)).status, 200)
    await hero.proxy.routes.update({ id, allowed_emails: ['*@example.org'] })
    assert.equal((await at(undefined, 'api.localhost', headers)).status, 403)
    await hero.proxy.routes.update({ id, allowed_emails: [], required_claims: ['app.use'] })
    assert.equal((await at(undefined, 'api.localhost', headers)).status, 403)
    const { access_token } = await hero.auth.login({ login: 'ada', password: goodPassword })
    const adasToken = ['Authorization', `Bearer ${access_token}`]
    assert.equal((await at(undefined, 'api.localhost', adasToken)).status, 200)
    await hero.proxy.routes.update({ id, required_claims: [], bearer_token: null })
    assert.equal((await at(undefined, 'api.localhost', headers)).status, 401)
  })

  test('allowed_emails are refused on a route with auth_mode none, and close the route if written to the database', async () => {
    const { hero } = stage.daemon
    const params = { domain: 'open.localhost', target: stage.upstream.target, auth_mode: 'none' } as const
    await refused(
      hero.proxy.routes.add({ ...params, allowed_emails: ['*@example.org'] }),
      'invalid_params',
      'allowed_emails',
    )
    const { id } = await hero.proxy.routes.add(params)
    await byHand(stage.daemon, async (database) => {
      const row = { allowed_emails: '["*@example.org"]' }
      await database.query.updateTable('routes').set(row).where('id', '=', id).execute()
      database.changed('routes')
    })
    const page = await at(stage.ada, params.domain, navigation)
    assert.deepEqual(
      [page.status, page.headers.location],
      [401, undefined],
      'signing in would change nothing',
    )
  })
})
