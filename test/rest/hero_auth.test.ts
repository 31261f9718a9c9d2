import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { jwtVerify, SignJWT } from 'jose'
import { verifyToken } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { enrol } from '../support/factors.ts'
import { ask } from '../support/http.ts'
import { signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const secret = 'the secret that the old services share 0123456789'
const key = new TextEncoder().encode(secret)

suite('the REST calls of hero_auth', () => {
  let daemon: TestDaemon & AsyncDisposable
  let upstream: Upstream
  let client: { client_id: string; client_secret: string }
  before(async () => {
    daemon = await startTestDaemon({ secret })
    upstream = await startUpstream()
    const { hero } = daemon
    await hero.users.add({
      username: 'ada',
      email: 'ada@example.org',
      password: goodPassword,
      is_admin: true,
    })
    await hero.users.add({ username: 'grace', password: goodPassword })
    const added = await hero.clients.add({
      name: 'Old',
      client: 'old',
      scopes: ['read', 'write'],
      claims: ['a.b'],
    })
    client = { client_id: 'old', client_secret: added.client_secret! }
    const { target } = upstream
    await hero.proxy.routes.add({ domain: 'api.localhost', target, auth_mode: 'bearer' })
    await hero.proxy.routes.add({ domain: 'localhost', target, auth_mode: 'none', shares_home: true })
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  const post = async (path: string, body: unknown, more: string[] = []) => {
    const answer = await ask(daemon, 'localhost:9997', path, {
      method: 'POST',
      headers: ['Content-Type', 'application/json', ...more],
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown> & { access_token: string } }
  }
  const old = (on: boolean) => daemon.hero.settings.set({ key: 'hs256_tokens', value: on })

  test('a program gets a token for its secret, as JSON', async () => {
    const { status, json, headers } = await post('/token', { ...client, scope: 'read' })
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'no-store')
    assert.deepEqual(
      { ...json, access_token: '' },
      { access_token: '', token_type: 'Bearer', expires_in: 3600, scope: 'read' },
    )
    const issuer = daemon.config.public_url
    const read = await verifyToken(daemon.hero, { audience: issuer, issuer })(json.access_token)
    assert.deepEqual([read.client, read.scopes, read.claims], ['old', ['read'], ['a.b']])
    assert.equal((await post('/token', client)).json.scope, 'read write')
    const validated = await post('/validate', { token: json.access_token })
    assert.deepEqual(
      [validated.status, validated.json.valid, validated.json.sub, validated.json.scope],
      [200, true, 'old', 'read'],
    )
    const shown = await post('/validate', {}, ['Authorization', `Bearer ${json.access_token}`])
    assert.equal(shown.json.valid, true)
    assert.equal((await post('/validate', { token: `${json.access_token}x` })).json.valid, false)
  })

  test('errors have the codes and statuses of OAuth', async () => {
    for (const [body, status, error] of [
      [{ ...client, client_secret: 'x' }, 401, 'invalid_client'],
      [{ ...client, client_id: 'nobody' }, 401, 'invalid_client'],
      [{ client_id: 'old' }, 401, 'invalid_client'],
      [{}, 401, 'invalid_client'],
      [{ ...client, scope: 'admin' }, 400, 'invalid_request'],
      [{ ...client, scope: 'everything' }, 400, 'invalid_request'],
      [{ ...client, grant_type: 'password' }, 400, 'unsupported_grant_type'],
      ['[]', 400, 'invalid_request'],
      ['{', 400, 'invalid_request'],
    ] as const) {
      const answer = await post('/token', body)
      assert.deepEqual([answer.status, answer.json.error], [status, error], JSON.stringify(body))
      assert.ok(!answer.body.includes(client.client_secret))
    }
    const form = await ask(daemon, 'localhost:9997', '/login', {
      method: 'POST',
      headers: ['Content-Type', 'text/plain'],
      body: '{}',
    })
    assert.equal(form.status, 415)
  })

  test('users sign in with the same second factor and rate limit as everywhere', async () => {
    const { status, json } = await post('/login', { username: 'grace', password: goodPassword })
    assert.equal(status, 200)
    assert.equal((await daemon.hero.as(json.access_token).auth.me()).user, 'grace')
    assert.equal((await post('/login', { email: 'ada@example.org', password: goodPassword })).status, 200)
    const wrong = await post('/login', { username: 'grace', password: 'x' })
    assert.deepEqual([wrong.status, wrong.json.error], [401, 'unauthenticated'])
    await daemon.hero.users.add({ username: 'linus', password: goodPassword })
    await enrol(await signedIn(daemon, 'linus'))
    for (const [fields, path] of [
      [{ password: goodPassword }, 'login'],
      [{ username: 'grace' }, 'password'],
      [{ username: 7, password: goodPassword }, 'login'],
    ] as const) {
      const { status, json } = await post('/login', fields)
      assert.deepEqual([status, json.error, json.path], [400, 'invalid_params', path])
    }
    const half = await post('/login', { username: 'linus', password: goodPassword })
    assert.deepEqual(
      [half.status, half.json.error, half.json.access_token],
      [401, 'factor_required', undefined],
    )
    for (let i = 0; i < 12; i++) await post('/login', { username: 'eve', password: 'x' })
    const limited = await post('/login', { username: 'eve', password: 'x' })
    assert.equal(limited.status, 429)
    assert.ok(Number(limited.headers['retry-after']) > 0)
  })

  test('registration follows registration_mode', async () => {
    const joan = { username: 'joan', email: 'joan@example.org', password: goodPassword }
    const closed = await post('/register', joan)
    assert.deepEqual([closed.status, closed.json.error], [409, 'conflict'])
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    const open = await post('/register', joan)
    assert.deepEqual([open.status, open.json], [201, { next: 'verify' }])
    assert.equal((await post('/login', joan)).status, 401)
    assert.equal((await post('/register', { ...joan, password: 'x' })).status, 400)
  })

  test('only POST at the public URL is answered here, and everything else is forwarded', async () => {
    for (const path of ['/register', '/validate'])
      assert.match((await ask(daemon, 'localhost:9997', path)).body, /rawHeaders/, path)
    // Elsewhere the service has the paths, and its route asks for a token.
    for (const path of ['/register', '/validate', '/login', '/token'])
      assert.equal((await ask(daemon, 'api.localhost', path, { method: 'POST' })).status, 401, path)
    assert.equal(JSON.parse((await ask(daemon, 'localhost:9997', '/health')).body).status, 'ok')
  })

  test('with hs256_tokens, a later user or client with a name already taken gets no token', async () => {
    await old(true)
    const { hero } = daemon
    await hero.users.add({ username: 'first', password: goodPassword })
    // The second of creation decides: within one second neither came first.
    await setTimeout(1100)
    await hero.users.add({ username: 'old', password: goodPassword })
    const { client_secret } = await hero.clients.add({ name: 'x', client: 'first', scopes: ['admin'] })
    for (const [path, body] of [
      ['/login', { username: 'old', password: goodPassword }],
      ['/token', { client_id: 'first', client_secret }],
    ] as const) {
      const { status, json } = await post(path, body)
      assert.deepEqual([status, json.error, json.access_token], [409, 'conflict', undefined])
    }
    assert.equal((await hero.sessions.list({ user: 'old' })).items.length, 0)
    const wrong = await post('/token', { client_id: 'first', client_secret: 'x' })
    assert.deepEqual([wrong.status, wrong.json.error], [401, 'invalid_client'])
    assert.equal((await post('/token', client)).status, 200)
    assert.equal((await post('/login', { username: 'first', password: goodPassword })).status, 200)
    await hero.users.remove({ username: 'old' })
    await hero.clients.remove({ client: 'first' })
    await old(false)
  })

  test('with hs256_tokens, a revoked token stays invalid', async () => {
    await old(true)
    const { hero } = daemon
    const ends = {
      'another secret': () => hero.clients.rotate_secret({ client: 'robot', drop: true }),
      'switched off and on': async () => {
        await hero.clients.update({ client: 'robot', is_active: false })
        await hero.clients.update({ client: 'robot', is_active: true })
      },
    }
    const endsWith = async (token: string, end: () => Promise<unknown>, what: string) => {
      assert.equal((await post('/validate', { token })).json.valid, true, what)
      await end()
      assert.deepEqual((await post('/validate', { token })).json, { valid: false }, what)
    }
    for (const [what, end] of Object.entries(ends)) {
      const { client_secret } = await hero.clients.add({ name: 'Robot', client: 'robot' })
      const { json } = await post('/token', { client_id: 'robot', client_secret })
      await endsWith(json.access_token, end, what)
      await hero.clients.remove({ client: 'robot' })
    }
    await hero.users.add({ username: 'hedy', password: goodPassword })
    const { json } = await post('/login', { username: 'hedy', password: goodPassword })
    const other = () => hero.auth.set_password({ user: 'hedy', password: `${goodPassword}-2` })
    await endsWith(json.access_token, other, 'another password')
    await old(false)
  })

  test('with hs256_tokens, old services accept the old kind of token, and the edge and RPC do not', async () => {
    await old(true)
    const program = (await post('/token', { ...client, scope: 'write' })).json
    const { payload, protectedHeader } = await jwtVerify(program.access_token, key, { issuer: 'hero_auth' })
    assert.deepEqual(protectedHeader, { alg: 'HS256', typ: 'JWT' })
    assert.deepEqual(Object.keys(payload).sort(), ['exp', 'iat', 'iss', 'scope', 'sub'])
    assert.deepEqual([payload.sub, payload.scope, payload.exp! - payload.iat!], ['old', 'write', 3600])
    const grace = (await post('/login', { username: 'grace', password: goodPassword })).json
    assert.deepEqual([grace.scope, grace.user], ['write', 'grace'])
    // No session is left over whose token nobody received.
    const programs = (await daemon.hero.sessions.list({ user: 'grace' })).items
    assert.equal(programs.length, 1)
    const ada = (await post('/login', { username: 'ada', password: goodPassword })).json
    assert.equal((await jwtVerify(ada.access_token, key)).payload.scope, 'admin')
    const issuer = daemon.config.public_url
    for (const { access_token: token } of [program, grace, ada]) {
      assert.equal((await post('/validate', { token })).json.valid, true)
      await refused(daemon.hero.as(token).auth.me(), 'unauthenticated')
      const headers = ['Authorization', `Bearer ${token}`]
      assert.equal((await ask(daemon, 'api.localhost', '/', { headers })).status, 401)
      assert.equal((await ask(daemon, 'localhost:9997', '/userinfo', { headers })).status, 401)
      assert.deepEqual(await daemon.hero.token.validate({ token }), { active: false })
      await assert.rejects(verifyToken(daemon.hero, { audience: issuer })(token))
    }
    // The token of an inactive user is invalid, and so is a changed or expired one.
    await daemon.hero.users.update({ username: 'grace', is_active: false })
    assert.equal((await post('/validate', { token: grace.access_token })).json.valid, false)
    const sign = (claims: object, header: object = {}, by = key) =>
      new SignJWT({ sub: 'old', scope: 'write', ...claims } as never)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header } as never)
        .sign(by)
    const at = Math.floor(Date.now() / 1000)
    const right = { iss: 'hero_auth', iat: at, exp: at + 60 }
    assert.equal((await post('/validate', { token: await sign(right) })).json.valid, true)
    for (const token of [
      await sign({ ...right, exp: at - 1 }),
      await sign({ ...right, iss: 'other' }),
      await sign({ ...right, sub: 'nobody' }),
      // More than the program may have now.
      await sign({ ...right, scope: 'admin' }),
      await sign(right, { typ: 'at+jwt' }),
      await sign(right, {}, new TextEncoder().encode('another secret of the same length 0123456789')),
      `${(await sign(right)).split('.').slice(0, 2).join('.')}.`,
    ])
      assert.equal((await post('/validate', { token })).json.valid, false)
    await daemon.hero.settings.set({ key: 'admin_factor', value: true })
    assert.equal((await post('/login', { username: 'ada', password: goodPassword })).json.scope, 'write')
    assert.equal((await post('/validate', { token: ada.access_token })).json.valid, false)
    await daemon.hero.settings.set({ key: 'admin_factor', value: false })
    daemon = (await daemon.restart()) as typeof daemon
    assert.ok(daemon.logged.some(({ level, msg }) => level === 40 && /hs256_tokens is on/.test(String(msg))))
    await old(false)
    assert.equal((await post('/validate', { token: program.access_token })).json.valid, false)
  })
})
