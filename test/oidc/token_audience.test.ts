import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { App, callback, newPerson, post, startProvider, type Provider } from '../support/openid_stage.ts'

suite('each token is accepted only where it was issued for', () => {
  let stage: Provider
  let upstream: Upstream
  let wiki: App
  let tickets: App
  let program: App
  before(async () => {
    stage = await startProvider()
    upstream = await startUpstream()
    const { hero } = stage.daemon
    const add = async (client: string, more = {}) =>
      new App(
        stage.issuer,
        await hero.clients.add({ anyone: true, name: client, client, first_party: true, ...more }),
      )
    wiki = await add('wiki', { redirect_uris: [callback] })
    tickets = await add('tickets', { redirect_uris: [callback] })
    program = await add('program', { scopes: ['read', 'admin'], claims: ['proxy.admin'] })
    for (const auth_mode of ['bearer', 'local', 'optional'] as const)
      await hero.proxy.routes.add({
        domain: `${auth_mode}.localhost`,
        target: upstream.target,
        auth_mode,
        ...(auth_mode === 'bearer' && { bearer_token: 'a-static-token-of-the-route-of-32' }),
      })
  })
  after(async () => {
    await upstream.close()
    await stage.daemon.close()
  })

  /** Sends a bearer token to each endpoint, and returns what it is worth there. */
  const tryEverywhere = async (token: string) => {
    const headers = ['Authorization', `Bearer ${token}`, 'Accept', 'application/json']
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.me', params: {} })
    const rpc = await ask(stage.daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: [...headers, 'Content-Type', 'application/json'],
      body: call,
    })
    const route = async (mode: string) => {
      const { status, body } = await ask(stage.daemon, `${mode}.localhost`, '/', { headers })
      if (status !== 200) return status
      const { rawHeaders } = JSON.parse(body) as { rawHeaders: string[] }
      return valuesOf(rawHeaders, 'X-Hero-User').join() || 'guest'
    }
    const introspect = async ({ client }: App) =>
      // Introspecting a JWT gives an error, which counts as inactive.
      (await post(`${stage.issuer}/oauth/introspect`, { token }, client)).body.active === true
    return {
      rpc: (JSON.parse(rpc.body) as { error?: object }).error === undefined,
      bearer: await route('bearer'),
      local: await route('local'),
      optional: await route('optional'),
      userinfo: (await wiki.userinfo(token)).status === 200,
      wiki: await introspect(wiki),
      tickets: await introspect(tickets),
    }
  }
  const refusedEverywhere = {
    rpc: false,
    bearer: 401,
    local: 401,
    optional: 'guest',
    userinfo: false,
    wiki: false,
    tickets: false,
  }

  test('each kind of token at each endpoint', async () => {
    const person = newPerson()
    const { body } = await wiki.tokens(person, 'ada', { scope: 'openid offline_access' })
    const { body: own } = await program.token({ grant_type: 'client_credentials', scope: 'admin' })
    const { access_token, refresh_token } = await stage.daemon.hero.auth.login({
      login: 'ada',
      password: goodPassword,
    })
    const { userinfo: _, ...rest } = refusedEverywhere
    // A client's access token works at userinfo, and the client may introspect it.
    assert.deepEqual(await tryEverywhere(body.access_token), {
      ...refusedEverywhere,
      userinfo: true,
      wiki: true,
    })
    assert.deepEqual(await tryEverywhere(body.id_token), refusedEverywhere)
    // A client credentials token works at RPC and bearer routes, under a username that no person can have.
    const programs = { rpc: true, bearer: 'client.program', optional: 'client.program' }
    assert.deepEqual(await tryEverywhere(own.access_token), { ...refusedEverywhere, ...programs })
    const refresh = await tryEverywhere(body.refresh_token)
    assert.deepEqual({ ...refresh, wiki: false }, refusedEverywhere)
    // A session's access token works at RPC and bearer routes, and not at the provider's endpoints.
    const ours = { rpc: true, bearer: 'ada', optional: 'ada' }
    assert.deepEqual(await tryEverywhere(access_token), { ...rest, userinfo: false, ...ours })
    assert.deepEqual(await tryEverywhere(refresh_token!), refusedEverywhere)
    assert.deepEqual(await tryEverywhere(program.client.client_secret!), refusedEverywhere)
    assert.deepEqual(await tryEverywhere('a-static-token-of-the-route-of-32'), {
      ...refusedEverywhere,
      bearer: 'guest',
    })
  })

  test('no token passes for another kind at the token endpoint', async () => {
    const { body } = await wiki.tokens(newPerson(), 'ada', { scope: 'openid offline_access' })
    const wrong = [body.access_token, body.id_token, `${body.refresh_token}x`, '']
    for (const token of wrong) {
      assert.equal((await wiki.refresh(token)).status, 400)
      assert.equal((await wiki.redeem(token, 'x'.repeat(43))).status, 400)
    }
    assert.equal((await wiki.redeem(body.refresh_token, 'x'.repeat(43))).status, 400)
    assert.equal((await wiki.refresh(body.refresh_token)).status, 200)
  })

  test('a revoked token is refused at each endpoint at once', async () => {
    const revoke = (token: string) => post(`${stage.issuer}/oauth/revoke`, { token }, wiki.client)
    const { body } = await wiki.tokens(newPerson(), 'ada', { scope: 'openid offline_access' })
    assert.equal((await tryEverywhere(body.access_token)).wiki, true)
    await revoke(body.access_token)
    assert.deepEqual(await tryEverywhere(body.access_token), refusedEverywhere)
    // Revoking one token revokes the others of the same grant (RFC 7009 section 2.1).
    assert.equal((await wiki.refresh(body.refresh_token)).body.error, 'invalid_grant')
    const { body: again } = await wiki.tokens(newPerson(), 'ada', { scope: 'openid offline_access' })
    const { body: renewed } = await wiki.refresh(again.refresh_token)
    assert.equal((await tryEverywhere(renewed.access_token)).userinfo, true)
    await revoke(renewed.refresh_token)
    assert.equal((await wiki.refresh(renewed.refresh_token)).body.error, 'invalid_grant')
    assert.deepEqual(await tryEverywhere(renewed.access_token), refusedEverywhere)
    stage.daemon = (await stage.daemon.restart()) as never
    assert.deepEqual(await tryEverywhere(renewed.access_token), refusedEverywhere)
    assert.equal((await wiki.refresh(renewed.refresh_token)).body.error, 'invalid_grant')
  })

  test('no page and no log line contains a token', async () => {
    const person = newPerson()
    const { body } = await wiki.tokens(person, 'ada', { scope: 'openid offline_access' })
    await wiki.userinfo(body.access_token)
    await wiki.userinfo(`${body.access_token}x`)
    const { body: renewed } = await wiki.refresh(body.refresh_token)
    const pages = ['/auth/me', '/device', '/oauth/logout', '/auth/login', '/authorize']
    const texts = await Promise.all(
      pages.map(async (path) => (await person.open(new URL(path, stage.issuer))).text),
    )
    const tokens = [body, renewed].flatMap((response) => [
      response.access_token,
      response.refresh_token,
      response.id_token.split('.')[2]!,
    ])
    const shown = [...texts, JSON.stringify(stage.daemon.logged)].join('\n')
    assert.match(shown, /Ada Lovelace/)
    assert.match(shown, /userinfo/)
    for (const token of tokens) assert.equal(shown.includes(token), false)
  })

  test('CORS does not let pages read the endpoints for confidential clients', async () => {
    const origin = 'https://page.test'
    await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'page',
      client: 'page',
      public: true,
      redirect_uris: [`${origin}/cb`],
    })
    const paths = [
      '/oauth/introspect',
      '/oauth/revoke',
      '/oauth/par',
      '/oauth/device',
      '/authorize',
      '/device',
    ]
    for (const path of paths) {
      for (const [method, client_id] of [
        ['OPTIONS', ''],
        ['POST', 'page'],
        ['POST', 'nobody'],
      ]) {
        const answer = await fetch(`${stage.issuer}${path}`, {
          method,
          redirect: 'manual',
          headers: { origin, 'access-control-request-method': 'POST' },
          ...(method === 'POST' && { body: new URLSearchParams({ client_id: client_id!, token: 'x' }) }),
        })
        for (const name of ['access-control-allow-origin', 'access-control-allow-credentials'])
          assert.equal(answer.headers.get(name), null, `${method} ${path}`)
        assert.ok(answer.status < 500)
      }
    }
  })
})
