import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { verifyToken } from '../../sdk/index.ts'
import { maxTokenLength } from '../../src/contract/carried_claims.ts'
import { ask } from '../support/http.ts'
import { startUpstream } from '../support/upstream.ts'
import { refused } from '../support/refused.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => `wiki.${'x'.repeat(60)}.${'y'.repeat(60)}.c${i}`)

suite('tokens of people and programs with many claims', () => {
  let stage: Provider
  let app: App
  let program: App
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'many' })
    // 26 KB of claims, as in an installation where each page is one.
    for (const claim of many(205)) await hero.groups.add_claim({ group: 'many', claim })
    await hero.groups.add_member({ group: 'many', user: 'grace' })
    const client = await hero.clients.add({
      anyone: true,
      name: 'App',
      client: 'app',
      redirect_uris: [callback],
      first_party: true,
      scopes: ['openid', 'profile', 'groups', 'claims', 'read'],
    })
    app = new App(stage.issuer, client)
    program = new App(
      stage.issuer,
      await hero.clients.add({ name: 'Deploy', client: 'deploy', claims: many(60), scopes: ['read'] }),
    )
  })
  after(() => stage.daemon.close())

  const introspect = async (token: string, client: App['client']) =>
    (await post(`${stage.issuer}/oauth/introspect`, { token }, client)).body
  const byReference = (token: string) => {
    const payload = payloadOf(token)
    assert.equal(payload.claims, undefined)
    assert.equal(payload.claims_by_reference, true)
    assert.ok(token.length <= maxTokenLength, String(token.length))
    return payload
  }
  const jwtOf = async (login: string, resource = stage.issuer) => {
    const { challenge, code_verifier } = pkce()
    const back = await app.signIn(newPerson(), login, { ...challenge, scope: 'openid read', resource })
    const { body } = await app.token({
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier,
      resource,
    })
    return body.access_token
  }

  test('a JWT of a person refers to the claims, and our doors, introspection and the SDK read all of them', async () => {
    const { hero } = stage.daemon
    const token = await jwtOf('grace')
    byReference(token)
    const me = await hero.as(token).auth.me()
    const held = me.claims.toSorted()
    assert.ok(JSON.stringify(held).length > 26_000)
    assert.deepEqual(((await introspect(token, app.client)).claims as string[]).toSorted(), held)
    assert.deepEqual((await hero.token.validate({ token })).claims!.toSorted(), held)
    const verified = await verifyToken(hero, { audience: stage.issuer })(token)
    assert.deepEqual(verified.claims.toSorted(), held)
    // What was taken away in the meantime is not in the answer, and a revoked token has none.
    await hero.users.update({ username: 'grace', is_active: false })
    await assert.rejects(verifyToken(hero, { audience: stage.issuer })(token))
    assert.deepEqual(await introspect(token, app.client), { active: false })
    await hero.users.update({ username: 'grace', is_active: true })
    // The end of all tokens covers those issued within the same second, and the next tests need new ones.
    await delay(1100)
  })

  test('few claims are in the token as before', async () => {
    const payload = payloadOf(await jwtOf('ada'))
    assert.ok((payload.claims as string[]).includes('users.ada'))
    assert.equal('claims_by_reference' in payload, false)
  })

  test('a JWT of a program refers to the claims, by each way to get it', async () => {
    const { hero } = stage.daemon
    const { client, client_secret } = program.client
    const grant = { grant_type: 'client_credentials' }
    const tokens = [
      (await program.token(grant)).body.access_token,
      // The form is too long for the short way.
      (await post(`${stage.issuer}/token`, { ...grant, client_id: client, client_secret: client_secret! }))
        .body.access_token,
      (await hero.token.create({ client_id: client, client_secret: client_secret! })).access_token,
    ]
    for (const token of tokens) {
      byReference(token)
      assert.equal((await hero.as(token).auth.me()).user, 'deploy')
      const about = await introspect(token, program.client)
      assert.deepEqual((about.claims as string[]).toSorted(), many(60).toSorted())
      assert.equal(about.sub, 'deploy')
      assert.equal((await verifyToken(hero, { audience: stage.issuer })(token)).claims.length, 60)
    }
  })

  test('an ID token refers to the claims, and userinfo returns them', async () => {
    const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid groups claims' })
    const payload = byReference(body.id_token)
    assert.deepEqual(payload.groups, ['many'])
    const about = (await (await app.userinfo(body.access_token)).json()) as Record<string, string[]>
    assert.ok(about.claims!.length > 190)
    assert.equal('claims_by_reference' in about, false)
  })

  test('a service-scoped claim is in the answer for the audience of that service', async () => {
    const { hero } = stage.daemon
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: 'http://127.0.0.1:1',
      auth_mode: 'bearer',
      service: 'wiki',
    })
    await hero.groups.add_claim({ group: 'many', claim: 'wiki.scoped', service: 'wiki' })
    const audience = 'http://wiki.localhost/'
    const token = await jwtOf('grace', audience)
    byReference(token)
    assert.ok(((await introspect(token, app.client)).claims as string[]).includes('wiki.scoped'))
    assert.ok((await verifyToken(hero, { audience })(token)).claims.includes('wiki.scoped'))
    assert.equal(
      ((await introspect(await jwtOf('grace'), app.client)).claims as string[]).includes('wiki.scoped'),
      false,
    )
  })

  test('a resource server introspects the tokens of others for the audiences in its list alone', async () => {
    const { hero } = stage.daemon
    const server = await hero.clients.add({
      name: 'Wiki',
      client: 'wiki-api',
      introspects: ['http://wiki.localhost/'],
    })
    const [forWiki, forUs] = [await jwtOf('grace', 'http://wiki.localhost/'), await jwtOf('grace')]
    const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid profile' })
    const about = await introspect(forWiki, server)
    assert.deepEqual([about.active, about.client_id, about.aud], [true, 'app', 'http://wiki.localhost/'])
    for (const token of [forUs, body.access_token, body.id_token])
      assert.notEqual((await introspect(token, server)).active, true)
    const other = await hero.clients.add({ name: 'Other', client: 'other' })
    assert.deepEqual(await introspect(forWiki, other), { active: false })
    // Our public URL stands for tokens without an audience of their own, and never for refresh tokens.
    await hero.clients.update({ client: 'wiki-api', introspects: [stage.issuer] })
    assert.equal((await introspect(forUs, server)).active, true)
    assert.equal((await introspect(body.access_token, server)).active, true)
    assert.deepEqual(await introspect(forWiki, server), { active: false })
    assert.deepEqual(await introspect(forUs.slice(0, -4) + 'AAAA', server), { active: false })
    await hero.clients.update({ client: 'wiki-api', introspects: [] })
    assert.deepEqual(await introspect(forUs, server), { active: false })
    await refused(
      hero.clients.add({
        anyone: true,
        name: 'P',
        public: true,
        redirect_uris: [callback],
        introspects: [stage.issuer],
      }),
      'invalid_params',
      'introspects',
    )
  })

  test('the largest token that we issue opens each door', async () => {
    const { hero } = stage.daemon
    await using upstream = await startUpstream()
    await hero.proxy.routes.add({ domain: 'large.localhost', target: upstream.target, auth_mode: 'bearer' })
    const large = new App(
      stage.issuer,
      await hero.clients.add({ name: 'Large', client: 'l'.repeat(128), claims: many(30), scopes: ['read'] }),
    )
    const token = (await large.token({ grant_type: 'client_credentials' })).body.access_token
    assert.equal((payloadOf(token).claims as string[]).length, 30)
    assert.ok(token.length > 5500 && token.length <= maxTokenLength, String(token.length))
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const call = { jsonrpc: '2.0', id: 1, method: 'auth.me', params: {} }
    const rpc = await fetch(`${stage.issuer}/rpc`, { method: 'POST', headers, body: JSON.stringify(call) })
    assert.match(await rpc.text(), /"user":"l{128}"/)
    assert.equal(
      (await ask(stage.daemon, 'large.localhost', '/', { headers: ['authorization', headers.authorization] }))
        .status,
      200,
    )
    assert.equal((await introspect(token, large.client)).active, true)
    assert.equal((await hero.token.validate({ token })).active, true)
    await hero.token.revoke({ token })
    assert.equal((await hero.token.validate({ token })).active, false)
  })

  test('a masked token opens no other door', async () => {
    const token = await jwtOf('grace')
    const masked = `jwt~${token.replaceAll('.', '~')}`
    assert.equal((await app.userinfo(masked)).status, 401)
    await refused(stage.daemon.hero.as(masked).auth.me(), 'unauthenticated')
  })
})
