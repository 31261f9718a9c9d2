import assert from 'node:assert/strict'
import { after, before, describe, suite, test } from 'node:test'
import { verifyToken } from '../../sdk/index.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { person } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { payloadOf, post, startProvider, type Provider } from '../support/openid_stage.ts'
import { letEverybodyIn, strangerMissing, strangerSpeaks } from '../rpc/stranger.ts'

suite('client credentials tokens', () => {
  let stage: Provider
  let upstream: Upstream
  let secret: string
  before(async () => {
    stage = await startProvider()
    upstream = await startUpstream()
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      name: 'Deploy',
      client: 'deploy',
      scopes: ['read', 'write', 'admin'],
      claims: ['deploy.run', 'proxy.users.read'],
    })
    secret = added.client_secret!
    const { target } = upstream
    for (const [domain, more] of [
      ['api.localhost', { required_claims: ['deploy.*'] }],
      ['other.localhost', { required_claims: ['other.claim'] }],
      ['mail.localhost', { allowed_emails: ['*@example.org'] }],
      ['plain.localhost', {}],
    ] as const)
      await hero.proxy.routes.add({ domain, auth_mode: 'bearer', target, ...more } as never)
  })
  after(async () => {
    await stage.daemon.close()
    await upstream.close()
  })
  const program = () => ({ client: 'deploy', client_secret: secret })
  const issue = async (fields: Record<string, string> = {}) =>
    (await post(`${stage.issuer}/token`, { grant_type: 'client_credentials', ...fields }, program())).body
      .access_token
  const through = async (token: string, host: string, path = '/', method = 'GET') => {
    const headers = ['Authorization', `Bearer ${token}`]
    return (await ask(stage.daemon, host, path, { method, headers })).status
  }

  test('token.create and POST /token issue the same token', async () => {
    const { hero } = stage.daemon
    const made = await hero.token.create({ client_id: 'deploy', client_secret: secret, scope: 'write' })
    const [ours, theirs] = [payloadOf(made.access_token), payloadOf(await issue({ scope: 'write' }))]
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort())
    for (const payload of [ours, theirs]) Object.assign(payload, { iat: 0, exp: 0, jti: '' })
    assert.deepEqual(ours, theirs)
    assert.deepEqual(payloadOf(made.access_token, 0), payloadOf(await issue(), 0))
    // Administrative claims are in tokens with the admin scope only.
    assert.deepEqual(ours.claims, ['deploy.run'])
    assert.deepEqual(payloadOf(await issue({ scope: 'admin' })).claims, ['deploy.run', 'proxy.users.read'])
    const check = verifyToken(hero, { audience: stage.issuer, issuer: stage.issuer })
    assert.equal((await check(made.access_token)).client, 'deploy')
    await refused(
      hero.token.create({ client_id: 'deploy', client_secret: secret, name: 'x' }),
      'invalid_params',
      'name',
    )
  })

  test('routes see a username that no person can have, and the current claims', async () => {
    const { hero } = stage.daemon
    const token = await issue({ scope: 'write' })
    assert.equal(await through(token, 'api.localhost'), 200)
    const { rawHeaders } = upstream.seen.at(-1)!
    const header = (name: string) => valuesOf(rawHeaders, name)
    assert.deepEqual(header('X-Hero-User'), ['client.deploy'])
    assert.deepEqual(header('X-Hero-Claims'), ['deploy.run'])
    assert.deepEqual(header('X-Hero-Context'), ['1'])
    assert.deepEqual(header('Authorization'), [])
    assert.equal(await through(token, 'other.localhost'), 403)
    assert.equal(await through(token, 'mail.localhost'), 403)
    await hero.clients.update({ client: 'deploy', claims: ['other.claim', 'proxy.users.read'] })
    assert.equal(await through(token, 'api.localhost'), 403)
    assert.equal(await through(token, 'other.localhost'), 200)
    await hero.clients.update({ client: 'deploy', claims: ['deploy.run', 'proxy.users.read'] })
    const reading = await issue({ scope: 'read' })
    assert.equal(await through(reading, 'plain.localhost'), 200)
    assert.equal(await through(reading, 'plain.localhost', '/', 'POST'), 403)
  })

  test('a token for one resource is refused by other routes, at /rpc and by token.validate', async () => {
    const token = await issue({ resource: 'http://plain.localhost/files', scope: 'write' })
    for (const [host, path, status] of [
      ['plain.localhost', '/files', 200],
      ['plain.localhost', '/files/a', 200],
      ['plain.localhost', '/', 401],
      ['plain.localhost', '/filesystem', 401],
      ['plain.localhost', '/files/%2e%2e/secret', 400],
      ['plain.localhost', '/files/..;/secret', 400],
      ['plain.localhost', '/files//x', 401],
      ['api.localhost', '/files', 401],
    ] as const)
      assert.equal(await through(token, host, path), status, `${host}${path}`)
    const { hero } = stage.daemon
    await refused(hero.as(token).auth.me(), 'unauthenticated')
    assert.deepEqual(await hero.token.validate({ token }), { active: false })
    const audience = 'http://plain.localhost/files'
    assert.equal((await hero.token.validate({ token, audience })).sub, 'deploy')
    assert.deepEqual(await hero.token.validate({ token: await issue(), audience }), { active: false })
  })

  test('no service receives a token that another endpoint accepts, and one for that service alone is forwarded', async () => {
    const { hero } = stage.daemon
    await hero.proxy.routes.add({ domain: 'open.localhost', auth_mode: 'none', target: upstream.target })
    const isForwarded = async (token: string) => {
      assert.equal(await through(token, 'open.localhost'), 200)
      return valuesOf(upstream.seen.at(-1)!.rawHeaders, 'Authorization').length > 0
    }
    assert.equal(await isForwarded(await issue()), false, 'a token for the daemon itself')
    assert.equal(
      await isForwarded(await issue({ resource: 'http://plain.localhost/' })),
      false,
      'a token for another service',
    )
    const { access_token } = await hero.token.create({ user: 'ada', name: 'x' })
    assert.equal(await isForwarded(access_token), false, 'a personal token')
    assert.equal(
      await isForwarded(await issue({ resource: 'http://open.localhost/' })),
      true,
      'a token for this service',
    )
    assert.equal(await isForwarded('of.somebody.else'), true)
    // A token that its route accepts is not forwarded.
    const here = await issue({ resource: 'http://plain.localhost/' })
    assert.equal(await through(here, 'plain.localhost'), 200)
    assert.deepEqual(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'Authorization'), [])
  })

  test('at /rpc it has its claims within its scope, and no rights of a person', async () => {
    const { hero } = stage.daemon
    const admin = hero.as(await issue({ scope: 'admin' }))
    const { kind, user, claims } = await admin.auth.me()
    assert.deepEqual(
      { kind, user, claims },
      { kind: 'client', user: 'deploy', claims: ['deploy.run', 'proxy.users.read'] },
    )
    await admin.users.list()
    await refused(admin.users.add({ username: 'eve' }), 'claim_required')
    await refused(admin.sessions.list(), 'invalid_params')
    await refused(hero.as(await issue({ scope: 'write' })).users.list(), 'claim_required')
    await refused(admin.token.create({ name: 'x' }), 'proof_required')
    await refused(admin.token.create({}), 'invalid_params')
    const { items } = await hero.audit.list({ actor: 'deploy', limit: 5 })
    assert.ok(items.some(({ caller, outcome }) => caller === 'client' && outcome === 'claim_required'))
  })

  test('fewer scopes, another secret and disabling the client take effect at once', async () => {
    const { hero } = stage.daemon
    const { client_secret } = await hero.clients.add({ name: 'b', client: 'b', scopes: ['read', 'write'] })
    const token = (await hero.token.create({ client_id: 'b', client_secret: client_secret! })).access_token
    assert.equal(await through(token, 'plain.localhost', '/', 'POST'), 200)
    await hero.clients.update({ client: 'b', scopes: ['read'] })
    assert.equal(await through(token, 'plain.localhost', '/', 'POST'), 403)
    assert.equal(await through(token, 'plain.localhost'), 200)
    // Dropping a leaked secret revokes the tokens too.
    const { client_secret: next } = await hero.clients.rotate_secret({ client: 'b', drop: true })
    assert.equal(await through(token, 'plain.localhost'), 401)
    await refused(hero.token.create({ client_id: 'b', client_secret: client_secret! }), 'unauthenticated')
    assert.ok((await hero.token.create({ client_id: 'b', client_secret: next })).access_token)
    // Losing the client_credentials grant revokes the client's own tokens.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const itself = (await hero.token.create({ client_id: 'b', client_secret: next })).access_token
    assert.equal(await through(itself, 'plain.localhost'), 200)
    const uris = { redirect_uris: ['https://b.test/cb'], scopes: ['openid', 'read'] } as never
    await hero.clients.update({ client: 'b', grants: ['authorization_code'], ...(uris as object) })
    assert.equal(await through(itself, 'plain.localhost'), 401)
    await hero.clients.update({ client: 'b', grants: ['client_credentials'], redirect_uris: [] })
    // A later client of the same name does not inherit its tokens.
    const last = (await hero.token.create({ client_id: 'b', client_secret: next })).access_token
    await hero.clients.remove({ client: 'b' })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await hero.clients.add({ name: 'b', client: 'b' })
    assert.equal(await through(last, 'plain.localhost'), 401)
  })

  test('a client that signs people in gets no token of its own, and no client ID equals a user ID', async () => {
    const { hero } = stage.daemon
    const app = await hero.clients.add({
      anyone: true,
      name: 'App',
      client: 'app',
      redirect_uris: ['https://a.test/cb'],
    })
    await refused(
      hero.token.create({ client_id: 'app', client_secret: app.client_secret! }),
      'claim_required',
    )
    const { id } = await hero.users.get({ username: 'grace' })
    await refused(hero.clients.add({ name: 'x', client: id }), 'invalid_params', 'client')
  })

  test('wrong secrets count together at all endpoints, separately for each network', async () => {
    const { hero } = stage.daemon
    const { client_secret } = await hero.clients.add({ name: 'c', client: 'c' })
    const wrong = { client: 'c', client_secret: 'x' }
    const grant = { grant_type: 'client_credentials' }
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) {
      statuses.push((await post(`${stage.issuer}/token`, grant, wrong)).status)
      const json = await fetch(`${stage.issuer}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_id: 'c', client_secret: 'x' }),
      })
      statuses.push(json.status)
    }
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429, 429])
    const right = { client: 'c', client_secret }
    const limited = await post(`${stage.issuer}/token`, grant, right)
    assert.equal(limited.status, 429, 'a correct secret is refused as well meanwhile')
    assert.ok(Number(limited.headers.get('retry-after')) > 0)
    assert.equal((await post(`${stage.issuer}/oauth/introspect`, { token: 'x' }, right)).status, 429)
    // A call through the socket has no network, and none of them was wrong.
    assert.ok((await hero.token.create({ client_id: 'c', client_secret: client_secret! })).access_token)
    // Of a hundred concurrent attempts, one is checked before the limit applies, and ten after.
    const { client_secret: other } = await hero.clients.add({ name: 'd', client: 'd' })
    const burst = await Promise.all(
      Array.from({ length: 100 }, () =>
        post(`${stage.issuer}/token`, grant, { client: 'd', client_secret: 'x' }),
      ),
    )
    assert.ok(burst.filter(({ status }) => status === 401).length <= 11)
    assert.equal(
      (await post(`${stage.issuer}/token`, grant, { client: 'd', client_secret: other })).status,
      429,
    )
  })
})

describe('tokens of local services', { skip: strangerMissing() ?? false }, () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    letEverybodyIn(daemon.socketPath, daemon.dir)
    await daemon.hero.services.add({
      service: 'wiki',
      unix_user: 'nobody',
      claims: ['proxy.users.read', 'wiki.run'],
    })
  })
  after(() => daemon.close())
  const call = async (method: string, params = {}, authorization?: string) => {
    const message = { jsonrpc: '2.0', id: 1, method, params, ...(authorization && { authorization }) }
    const answer = await strangerSpeaks(daemon.socketPath, `${JSON.stringify(message)}\n`)
    return JSON.parse(answer) as { result?: Record<string, string>; error?: { data: { code: string } } }
  }

  test('a service authenticates by its Unix user, and its token ends with it', async () => {
    const { hero } = daemon
    const { result } = await call('token.create', { scope: 'admin' })
    const token = result!.access_token!
    const issuer = daemon.config.public_url
    const read = await verifyToken(hero, { audience: issuer, issuer })(token)
    assert.deepEqual(
      [read.client, read.user_id, read.claims],
      ['service:wiki', undefined, ['proxy.users.read', 'wiki.run']],
    )
    const { kind, user } = await hero.as(token).auth.me()
    assert.deepEqual({ kind, user }, { kind: 'service', user: 'wiki' })
    await hero.as(token).users.list()
    const narrow = (await call('token.create')).result!.access_token!
    await refused(hero.as(narrow).users.list(), 'claim_required')
    // A service creates tokens for itself alone, and not with another token.
    assert.equal((await call('token.create', { service: 'other' })).error?.data.code, 'claim_required')
    assert.equal((await call('token.create', { name: 'to keep' })).error?.data.code, 'invalid_params')
    assert.equal(
      (await call('token.create', { service: 'wiki', name: 'x' })).error?.data.code,
      'claim_required',
    )
    await refused(hero.as(token).token.create({}), 'invalid_params')
    await hero.services.update({ service: 'wiki', claims: [] })
    await refused(hero.as(token).users.list(), 'claim_required')
    await hero.services.remove({ service: 'wiki' })
    await refused(hero.as(token).auth.me(), 'unauthenticated')
    assert.equal((await call('token.create')).error?.data.code, 'unauthenticated')
  })

  test('the operator creates a personal or an hourly token for a service', async () => {
    const { hero } = daemon
    await hero.services.add({ service: 'blog', unix_user: 'games', claims: ['blog.run'] })
    const kept = await hero.token.create({ service: 'blog', name: 'On another machine', scope: 'write' })
    const hour = await hero.token.create({ service: 'blog', scope: 'write' })
    assert.deepEqual([kept.access_token.slice(0, 5), hour.expires_in], ['hero_', 3600])
    for (const { access_token } of [kept, hour]) {
      const { kind, user, claims } = await hero.as(access_token).auth.me()
      assert.deepEqual({ kind, user, claims }, { kind: 'service', user: 'blog', claims: ['blog.run'] })
    }
    assert.deepEqual(
      (await hero.token.list({ service: 'blog' })).items.map(({ service, user }) => [service, user]),
      [['blog', null]],
    )
    const grace = await person(daemon, 'grace')
    await refused(grace.token.list({ service: 'blog' }), 'claim_required')
    await refused(grace.token.create({ service: 'blog', name: 'x' }), 'claim_required')
    await refused(grace.token.create({ service: 'blog' }), 'claim_required')
    await hero.services.remove({ service: 'blog' })
    for (const { access_token } of [kept, hour])
      await refused(hero.as(access_token).auth.me(), 'unauthenticated')
  })
})
