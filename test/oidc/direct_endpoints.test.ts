import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { callback, payloadOf, post, startProvider, type Provider } from '../support/openid_stage.ts'

type Asks = { client: string; client_secret: string | null }

suite('client credentials tokens with and without the engine', () => {
  let stage: Provider
  let program: Asks
  before(async () => {
    stage = await startProvider()
    program = await stage.daemon.hero.clients.add({
      name: 'Deploy',
      client: 'deploy',
      scopes: ['read', 'write', 'admin'],
      claims: ['deploy.run', 'proxy.users.read'],
    })
  })
  after(() => stage.daemon.close())

  const grant = { grant_type: 'client_credentials' }
  /** Sends the simplest request, which needs no engine, and one that only the engine parses; compares both. */
  const both = async (fields: Record<string, string>, client: Asks = program) => {
    const at = `${stage.issuer}/token`
    const plain = await post(at, { ...grant, ...fields }, client)
    const engine = await post(at, { ...fields, ...grant, unknown: 'x' }, client)
    assert.equal(plain.status, engine.status)
    for (const name of ['cache-control', 'www-authenticate', 'x-content-type-options', 'referrer-policy'])
      assert.equal(plain.headers.get(name), engine.headers.get(name), name)
    assert.match(plain.headers.get('content-type')!, /^application\/json/)
    if (plain.status !== 200) {
      assert.deepEqual(plain.body, engine.body)
      return plain
    }
    const answers = [plain.body, engine.body].map((body) => ({ ...body, access_token: '' }))
    assert.deepEqual(answers[0], answers[1])
    const [head, body] = [0, 1].map((part) =>
      [plain, engine].map((answer) => payloadOf(answer.body.access_token, part)),
    )
    assert.deepEqual(head![0], head![1])
    for (const payload of body!) {
      assert.equal(Number(payload.exp) - Number(payload.iat), 3600)
      Object.assign(payload, { iat: 0, exp: 0, jti: '' })
    }
    assert.deepEqual(body![0], body![1])
    const keys = createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`))
    await jwtVerify(plain.body.access_token, keys, { issuer: stage.issuer, typ: 'at+jwt' })
    return plain
  }

  test('both paths issue the same token for the same scopes', async () => {
    for (const scope of ['', 'read', 'write', 'admin', 'read write', 'write read', 'read write admin'])
      assert.equal((await both(scope === '' ? {} : { scope })).status, 200, scope)
    const { body } = await both({ scope: 'read' })
    assert.deepEqual(payloadOf(body.access_token).claims, ['deploy.run'])
  })

  test('both paths refuse the same requests with the same errors', async () => {
    const { clients } = stage.daemon.hero
    const app = await clients.add({ anyone: true, name: 'App', client: 'app', redirect_uris: [callback] })
    const narrow = await clients.add({ name: 'Narrow', client: 'narrow', scopes: ['read'] })
    const off = await clients.add({ name: 'Off', client: 'off' })
    await clients.update({ client: 'off', is_active: false })
    for (const [client, fields, status] of [
      [{ client: 'deploy', client_secret: 'wrong' }, {}, 401],
      [{ client: 'nobody', client_secret: 'x' }, {}, 401],
      [{ client: 'deploy', client_secret: '' }, {}, 400],
      [off, {}, 401],
      [app, {}, 400],
      [narrow, { scope: 'write' }, 400],
      [narrow, { scope: 'openid' }, 400],
      [program, { resource: 'https://elsewhere.test/' }, 400],
    ] as const)
      assert.equal((await both(fields, client)).status, status, JSON.stringify([client.client, fields]))
    // Both paths refuse a dropped secret.
    await clients.rotate_secret({ client: 'narrow', drop: true })
    assert.equal((await both({}, narrow)).status, 401)
    // A request with scope in the query as well goes to the engine.
    assert.equal((await post(`${stage.issuer}/token?scope=admin`, grant, narrow)).status, 401)
  })

  test('a client without scopes gets a token that grants no access', async () => {
    const { clients } = stage.daemon.hero
    const none = await clients.add({ name: 'None', client: 'none', scopes: [] })
    const { body } = await both({}, none)
    assert.equal(payloadOf(body.access_token).scope, undefined)
    assert.deepEqual(await stage.daemon.hero.token.validate({ token: body.access_token }), { active: false })
  })
})
