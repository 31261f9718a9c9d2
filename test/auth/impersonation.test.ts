import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Conflict, type HeroError } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { arriveAt, ask, signIn } from '../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

describe('impersonation', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  /** Of the administrator at home, and at the service. */
  let cookie: string
  let atWiki: string

  /** Impersonation begins at home, where accounts are managed. */
  const rpc = async (method: string, params = {}) => {
    const { body } = await ask(daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Cookie', cookie, 'Origin', 'http://localhost'],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    return JSON.parse(body) as { result?: never; error?: { data: { code: string }; message: string } }
  }
  const headersSeen = async () => {
    const { body } = await ask(daemon, 'wiki.localhost', '/', { headers: ['Cookie', atWiki] })
    const { rawHeaders } = JSON.parse(body) as { rawHeaders: string[] }
    return (name: string) => valuesOf(rawHeaders, name).join('|')
  }

  before(async () => {
    daemon = await startTestDaemon()
    upstream = await startUpstream()
    const { hero } = daemon
    await hero.users.add({
      username: 'ada',
      password: goodPassword,
      is_admin: true,
      email: 'ada@example.org',
    })
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
    await hero.users.add({ username: 'grace', email: 'grace@example.org', context: 7 })
    await hero.groups.add({ slug: 'engineers' })
    await hero.groups.add_member({ group: 'engineers', user: 'grace' })
    await hero.proxy.routes.add({ domain: 'wiki.localhost', target: upstream.target, auth_mode: 'local' })
    cookie = await signIn(daemon, 'localhost', 'ada', goodPassword)
    atWiki = await arriveAt(daemon, 'wiki.localhost', cookie)
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  test('services see the impersonated person and the impersonator', async () => {
    assert.equal((await rpc('auth.impersonate', { user: 'grace' })).error, undefined)
    const header = await headersSeen()
    assert.equal(header('X-Hero-User'), 'grace')
    assert.equal(header('X-Hero-Context'), '7')
    assert.equal(header('X-Hero-Claims'), 'groups.engineers,users.grace')
    assert.equal(header('X-Proxy-User-Email'), 'grace@example.org')
    assert.equal(header('X-Hero-Impersonator'), 'ada')
  })

  test('management calls use the rights of the administrator, and audit both', async () => {
    assert.equal((await rpc('users.add', { username: 'made-meanwhile' })).error, undefined)
    const { items } = await daemon.hero.audit.list({ method: 'users.add', actor: 'ada' })
    assert.equal(items[0]!.on_behalf, 'grace')
    const me = (await rpc('auth.me')) as unknown as { result: { user: string; impersonating: string } }
    assert.equal(me.result.user, 'ada')
    assert.equal(me.result.impersonating, 'grace')
  })

  test('impersonation cannot be nested, and forbids changing passwords', async () => {
    assert.equal((await rpc('auth.impersonate', { user: 'root' })).error?.data.code, 'conflict')
    const passwords = [
      { user: 'grace', password: goodPassword },
      { password: goodPassword, current_password: goodPassword },
    ]
    for (const params of passwords) {
      assert.equal((await rpc('auth.set_password', params)).error?.data.code, 'conflict')
    }
  })

  test('impersonation forbids adding and removing ways to sign in', async () => {
    const ways = [
      ['users.networks.add', { user: 'ada', network: '10.0.0.0/16' }],
      [
        'users.keys.add',
        { user: 'grace', pubkey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798' },
      ],
      ['users.identities.add', { user: 'grace', provider: 'forge', subject: '7' }],
      ['users.networks.remove', { user: 'grace', id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a61' }],
    ] as const
    for (const [method, params] of ways)
      assert.equal((await rpc(method, params)).error?.data.code, 'conflict', method)
  })

  test('our pages show it, with a button to end it', async () => {
    const page = await ask(daemon, 'localhost', '/auth/me', {
      headers: ['Cookie', cookie, 'Accept', 'text/html'],
    })
    assert.match(page.body, /You are impersonating <strong>grace<\/strong>/)
    const form = page.headers['set-cookie']![0]!.split(';')[0]!
    const token = /name="form_token" value="([^"]+)"/.exec(page.body)![1]!
    const post = (formToken: string) =>
      ask(daemon, 'localhost', '/auth/stop_impersonating', {
        method: 'POST',
        headers: ['Content-Type', 'application/x-www-form-urlencoded', 'Cookie', `${cookie}; ${form}`],
        body: new URLSearchParams({ form_token: formToken }).toString(),
      })
    assert.equal((await post('forged')).status, 403)
    assert.equal((await headersSeen())('X-Hero-User'), 'grace')
    assert.equal((await post(token)).status, 303)
    assert.equal((await headersSeen())('X-Hero-User'), 'ada')
    assert.equal((await headersSeen())('X-Hero-Impersonator'), '')
  })

  test('it is suspended at once while the other person is inactive or the right to it is missing', async () => {
    await rpc('auth.impersonate', { user: 'grace' })
    await daemon.hero.users.update({ username: 'grace', is_active: false })
    assert.equal((await headersSeen())('X-Hero-User'), 'ada')
    await daemon.hero.users.update({ username: 'grace', is_active: true })
    assert.equal((await headersSeen())('X-Hero-User'), 'grace')
    await daemon.hero.users.update({ username: 'ada', is_admin: false })
    assert.equal((await headersSeen())('X-Hero-User'), 'ada')
    assert.equal((await headersSeen())('X-Hero-Impersonator'), '')
    await daemon.hero.users.update({ username: 'ada', is_admin: true })
    await rpc('auth.stop_impersonating')
  })

  test('it can be for some services only; the others see the administrator', async () => {
    await daemon.hero.proxy.routes.add({
      domain: 'files.localhost',
      target: upstream.target,
      auth_mode: 'local',
      service: 'files',
    })
    const atFiles = await arriveAt(daemon, 'files.localhost', cookie)
    const seenAt = async (host: string, shown: string) => {
      const { body } = await ask(daemon, host, '/', { headers: ['Cookie', shown] })
      return valuesOf((JSON.parse(body) as { rawHeaders: string[] }).rawHeaders, 'X-Hero-User').join()
    }
    assert.equal((await rpc('auth.impersonate', { user: 'grace', services: ['files'] })).error, undefined)
    assert.deepEqual(
      [await seenAt('files.localhost', atFiles), await seenAt('wiki.localhost', atWiki)],
      ['grace', 'ada'],
    )
    assert.equal(
      (await rpc('auth.impersonate', { user: 'root' })).error?.data.code,
      'conflict',
      'nor is it nested',
    )
    await rpc('auth.stop_impersonating')
    assert.equal(await seenAt('files.localhost', atFiles), 'ada')
  })

  test('inactive people, oneself and callers without a session are refused', async () => {
    await daemon.hero.users.update({ username: 'made-meanwhile', is_active: false })
    assert.equal((await rpc('auth.impersonate', { user: 'made-meanwhile' })).error?.data.code, 'conflict')
    assert.equal((await rpc('auth.impersonate', { user: 'ada' })).error?.data.code, 'conflict')
    assert.equal((await rpc('auth.stop_impersonating')).error?.data.code, 'conflict')
    await assert.rejects(daemon.hero.auth.impersonate({ user: 'grace' }), Conflict)
    const { access_token } = await daemon.hero.auth.login({ login: 'root', password: goodPassword })
    await daemon.hero.users.update({ username: 'root', is_admin: false })
    const refused = daemon.hero.as(access_token).auth.impersonate({ user: 'grace' })
    await assert.rejects(refused, (error: HeroError) => error.code === 'claim_required')
  })
})
