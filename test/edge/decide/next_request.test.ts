import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { ask, signIn } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { startUpstream, valuesOf } from '../../support/upstream.ts'
import { got, openAt, signInAtAll, startStage, type Stage } from '../../support/edge_stage.ts'

describe('changes apply to the next request (D25)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'inner.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'claim.localhost', auth_mode: 'local', required_claims: ['app.use'] })
    await stage.route({ domain: 'maybe.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  const hosts = ['inner.localhost', 'claim.localhost', 'maybe.localhost']
  let count = 0
  /** A new user in the group that grants app.use, signed in and present in every cache. */
  const newcomer = async () => {
    const { hero } = stage.daemon
    const username = `p${++count}`
    await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
    await hero.groups.add_member({ group: 'team', user: username })
    const cookie = await signInAtAll(stage.daemon, hosts, username)
    const { access_token } = await hero.auth.login({ login: username, password: goodPassword })
    const status = async (host: string) =>
      (await ask(stage.daemon, host, '/', { headers: ['Cookie', cookie] })).status
    const user = async (...headers: string[]) =>
      valuesOf(got(await ask(stage.daemon, 'maybe.localhost', '/', { headers })).rawHeaders, 'x-hero-user')[0]
    const inside = async () => {
      assert.deepEqual([await status('inner.localhost'), await status('claim.localhost')], [200, 200])
      assert.equal(await user('Cookie', cookie), username)
      assert.equal(await user('Authorization', `Bearer ${access_token}`), username)
    }
    const outside = async () => {
      assert.deepEqual([await status('inner.localhost'), await status('claim.localhost')], [401, 401])
      assert.equal(await user('Cookie', cookie), undefined)
      assert.equal(await user('Authorization', `Bearer ${access_token}`), undefined)
      const call = await ask(stage.daemon, 'localhost', '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Authorization', `Bearer ${access_token}`],
        body: '{"jsonrpc":"2.0","id":1,"method":"auth.me"}',
      })
      assert.match(call.body, /unauthenticated/)
    }
    for (let i = 0; i < 3; i++) await inside()
    return { username, cookie, status, user, outside, access_token }
  }

  test('a deactivated user loses access, and must sign in again once active', async () => {
    const { username, outside } = await newcomer()
    await stage.daemon.hero.users.update({ username, is_active: false })
    await outside()
    await assert.rejects(stage.daemon.hero.auth.login({ login: username, password: goodPassword }))
    await stage.daemon.hero.users.update({ username, is_active: true })
    await outside()
    const again = await signIn(stage.daemon, 'claim.localhost', username, goodPassword)
    assert.equal(
      (await ask(stage.daemon, 'claim.localhost', '/', { headers: ['Cookie', again] })).status,
      200,
    )
  })

  test('a removed user loses access', async () => {
    const { username, outside } = await newcomer()
    await stage.daemon.hero.users.remove({ username })
    await outside()
  })

  test('revoke_all ends all sessions', async () => {
    const { username, outside } = await newcomer()
    await stage.daemon.hero.sessions.revoke_all({ user: username })
    await outside()
  })

  test('revoking one session keeps the other', async () => {
    const { username, status, user, access_token } = await newcomer()
    const { items } = await stage.daemon.hero.sessions.list({ user: username })
    await stage.daemon.hero.sessions.revoke({ id: items.find(({ kind }) => kind === 'cookie')!.id })
    assert.equal(await status('inner.localhost'), 401)
    assert.equal(await user('Authorization', `Bearer ${access_token}`), username)
  })

  test('an expired session ends', async () => {
    const { username, outside } = await newcomer()
    await byHand(stage.daemon, async (database) => {
      const { query } = database
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      await query.updateTable('sessions').set({ expires_at: 1 }).where('user_id', '=', id).execute()
      database.changed('sessions')
    })
    await outside()
  })

  test('a password set by somebody else ends all sessions', async () => {
    const { username, outside } = await newcomer()
    await stage.daemon.hero.auth.set_password({ user: username, password: 'velvet-harbor-93-comet' })
    await outside()
  })

  for (const [title, undo] of [
    [
      'a user removed from the group',
      (hero) => (user: string) => hero.groups.remove_member({ group: 'team', user }),
    ],
    [
      'a claim removed from the group',
      (hero) => () => hero.groups.remove_claim({ group: 'team', claim: 'app.use' }),
    ],
    ['a group made inactive', (hero) => () => hero.groups.update({ group: 'team', is_active: false })],
  ] satisfies [string, (hero: Stage['daemon']['hero']) => (user: string) => Promise<unknown>][]) {
    test(`${title} causes 403 where the claim is required`, async () => {
      const { username, status } = await newcomer()
      await undo(stage.daemon.hero)(username)
      assert.deepEqual([await status('inner.localhost'), await status('claim.localhost')], [200, 403])
      await stage.daemon.hero.groups.add_claim({ group: 'team', claim: 'app.use' }).catch(() => {})
      await stage.daemon.hero.groups.update({ group: 'team', is_active: true })
    })
  }

  test('a claim by a role of an outer group is lost with each link of the chain', async () => {
    const { hero } = stage.daemon
    const { username, cookie } = await newcomer()
    await hero.roles.add({ name: 'keeper' })
    await hero.roles.add_claim({ role: 'keeper', claim: 'vault.open' })
    await hero.groups.add({ slug: 'outer' })
    await hero.groups.add({ slug: 'inner' })
    await hero.groups.add_member({ group: 'outer', member_group: 'inner' })
    await hero.groups.add_member({ group: 'inner', user: username })
    await hero.groups.add_role({ group: 'outer', role: 'keeper', service: 'vault' })
    await stage.route({
      domain: 'vault.localhost',
      auth_mode: 'local',
      service: 'vault',
      required_claims: ['vault.open'],
    })
    await stage.route({
      domain: 'other.localhost',
      auth_mode: 'local',
      service: 'other',
      required_claims: ['vault.open'],
    })
    await openAt(stage.daemon, 'vault.localhost', cookie)
    await openAt(stage.daemon, 'other.localhost', cookie)
    const status = async (host: string) =>
      (await ask(stage.daemon, host, '/', { headers: ['Cookie', cookie] })).status
    assert.deepEqual([await status('vault.localhost'), await status('other.localhost')], [200, 403])
    await hero.roles.remove_claim({ role: 'keeper', claim: 'vault.open' })
    assert.equal(await status('vault.localhost'), 403)
    await hero.roles.add_claim({ role: 'keeper', claim: 'vault.open' })
    assert.equal(await status('vault.localhost'), 200)
    await hero.groups.remove_member({ group: 'outer', member_group: 'inner' })
    assert.equal(await status('vault.localhost'), 403)
  })

  test('a revoked session ends on a persistent connection too', async () => {
    const { username, cookie } = await newcomer()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const status = () =>
      new Promise<[number, boolean]>((resolve, reject) => {
        const { port } = stage.daemon.edge
        const onward = request({
          port,
          host: '127.0.0.1',
          agent,
          headers: { host: 'inner.localhost', cookie },
        })
        onward.on('response', (answer) =>
          answer.resume().on('end', () => resolve([answer.statusCode!, onward.reusedSocket])),
        )
        onward.on('error', reject).end()
      })
    assert.deepEqual(await status(), [200, false])
    assert.deepEqual(await status(), [200, true])
    await stage.daemon.hero.sessions.revoke_all({ user: username })
    assert.deepEqual(await status(), [401, true])
    agent.destroy()
  })

  test('an added, changed, moved, disabled or removed route applies to the next request', async () => {
    const { routes } = stage.daemon.hero.proxy
    await using second = await startUpstream((_, response) => response.end('second'))
    const at = async (path = '/') => {
      const { status, body } = await ask(stage.daemon, 'new.localhost', path)
      return status === 200 && body === 'second' ? 'second' : status
    }
    assert.equal(await at(), 404)
    const { id } = await stage.route({ domain: 'new.localhost', auth_mode: 'none' })
    assert.equal(await at(), 200)
    await routes.update({ id, auth_mode: 'local' })
    assert.equal(await at(), 401)
    await routes.update({ id, auth_mode: 'optional', target: second.target })
    assert.equal(await at(), 'second')
    await routes.update({ id, required_claims: ['app.use'] })
    assert.equal(await at(), 401)
    await routes.update({ id, required_claims: [], path_prefix: '/app' })
    assert.deepEqual([await at(), await at('/app')], [404, 'second'])
    await routes.update({ id, enabled: false })
    assert.equal(await at('/app'), 404)
    await routes.update({ id, enabled: true })
    await routes.remove({ id })
    assert.equal(await at('/app'), 404)
  })
})
