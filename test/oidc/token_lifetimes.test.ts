import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { goodPassword } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
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

suite('lifetimes of client tokens', () => {
  let stage: Provider
  let app: App
  let other: App
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    const add = async (name: string, more = {}) =>
      new App(
        stage.issuer,
        await hero.clients.add({
          anyone: true,
          name,
          client: name,
          redirect_uris: [callback],
          first_party: true,
          ...more,
        }),
      )
    app = await add('wiki')
    other = await add('tickets')
  })
  after(() => stage.daemon.close())

  const offline = { scope: 'openid offline_access' }
  const ageConsumed = (seconds: number) =>
    byHand(stage.daemon, async ({ query }) => {
      await query
        .updateTable('oidc_records')
        .set({ consumed_at: Math.floor(Date.now() / 1000) - seconds })
        .where('consumed_at', 'is not', null)
        .execute()
    })

  test('refresh tokens rotate, are bound to their client and cannot gain scopes', async () => {
    const { body } = await app.tokens(newPerson(), 'ada', offline)
    assert.equal((await other.refresh(body.refresh_token)).body.error, 'invalid_grant')
    const more = await app.token({
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      scope: 'openid email',
    })
    assert.equal(more.body.error, 'invalid_scope')
    const next = await app.refresh(body.refresh_token)
    assert.equal(next.status, 200)
    assert.notEqual(next.body.refresh_token, body.refresh_token)
    // Renewal returns an ID token for programs that forward it, such as kubectl.
    assert.equal(payloadOf(next.body.id_token).aud, 'wiki')
  })

  test('concurrent uses of a refresh token count once, and a later reuse revokes the whole family', async () => {
    const { body } = await app.tokens(newPerson(), 'ada', offline)
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.refresh(body.refresh_token)))
    const won = answers.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    const next = await app.refresh(won[0]!.body.refresh_token)
    assert.equal(next.status, 200)
    await ageConsumed(60)
    // A later reuse shows that the token leaked.
    assert.equal((await app.refresh(body.refresh_token)).status, 400)
    assert.equal((await app.refresh(next.body.refresh_token)).status, 400)
    assert.equal((await app.userinfo(next.body.access_token)).status, 401)
    const { items } = await stage.daemon.hero.audit.list({ limit: 20 })
    assert.ok(items.some(({ method, target }) => method === 'oidc.revoke_grant' && target === 'client=wiki'))
    stage.daemon = (await stage.daemon.restart()) as never
    assert.equal((await app.refresh(next.body.refresh_token)).status, 400)
  })

  test('offline_access outlives the session, and other tokens end with it', async () => {
    const person = newPerson()
    const stays = await app.tokens(person, 'ada', offline)
    const goes = await other.tokens(person, 'ada', { scope: 'openid' })
    assert.equal((await other.refresh(goes.body.refresh_token)).status, 200)
    assert.equal((await other.userinfo(goes.body.access_token)).status, 200)
    const { hero } = stage.daemon
    for (const { id } of (await hero.sessions.list({ user: 'ada' })).items) await hero.sessions.revoke({ id })
    assert.equal((await other.userinfo(goes.body.access_token)).status, 401)
    assert.equal((await other.refresh(goes.body.refresh_token)).status, 400)
    const next = await app.refresh(stays.body.refresh_token)
    assert.equal(next.status, 200)
    // A new password ends offline access too: the old password may have leaked.
    await hero.auth.set_password({ user: 'ada', password: 'velvet-harbor-93-comet' })
    assert.equal((await app.refresh(next.body.refresh_token)).status, 400)
    await hero.auth.set_password({ user: 'ada', password: goodPassword })
  })

  test('a consent is listed for its person, and revoking it revokes its tokens', async () => {
    const { hero } = stage.daemon
    const third = new App(
      stage.issuer,
      await hero.clients.add({ anyone: true, name: 'Third', client: 'third', redirect_uris: [callback] }),
    )
    const { body } = await third.tokens(newPerson(), 'grace', offline)
    assert.equal((await third.refresh(body.refresh_token)).status, 200)
    const { items } = await hero.consents.list({ user: 'grace' })
    assert.deepEqual(
      items.map(({ client, name, scopes }) => [client, name, scopes]),
      [['third', 'Third', ['openid', 'offline_access']]],
    )
    await hero.consents.revoke({ client: 'third', user: 'grace' })
    assert.equal((await third.userinfo(body.access_token)).status, 401)
    assert.equal((await third.refresh(body.refresh_token)).status, 400)
    const page = await newPerson().open(third.authorizeUrl(pkce().challenge))
    assert.equal(page.url.pathname, '/auth/login')
  })

  test('a client that is disabled or removed is refused at once, and so are its tokens', async () => {
    const { hero } = stage.daemon
    const gone = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'Gone',
        client: 'gone',
        redirect_uris: [callback],
        first_party: true,
      }),
    )
    const person = newPerson()
    const { body } = await gone.tokens(person, 'ada', offline)
    await hero.clients.update({ client: 'gone', is_active: false })
    assert.equal((await gone.refresh(body.refresh_token)).body.error, 'invalid_client')
    assert.equal((await gone.userinfo(body.access_token)).status, 401)
    assert.equal((await person.open(gone.authorizeUrl(pkce().challenge))).status, 400)
    await hero.clients.update({ client: 'gone', is_active: true })
    const again = await gone.tokens(person, 'ada', offline)
    assert.equal((await gone.userinfo(again.body.access_token)).status, 200)
    await hero.clients.remove({ client: 'gone' })
    await hero.clients.add({ anyone: true, name: 'Another', client: 'gone', redirect_uris: [callback] })
    assert.equal((await gone.userinfo(again.body.access_token)).status, 401)
  })

  test('two secrets are valid at a time, and dropped ones are refused', async () => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({ name: 'Rotating', client: 'rotating' })
    const works = async (client_secret: string | null) =>
      (
        await post(
          `${stage.issuer}/token`,
          { grant_type: 'client_credentials' },
          { client: 'rotating', client_secret },
        )
      ).status
    const second = await hero.clients.rotate_secret({ client: 'rotating' })
    assert.deepEqual([await works(added.client_secret), await works(second.client_secret)], [200, 200])
    const third = await hero.clients.rotate_secret({ client: 'rotating' })
    assert.deepEqual(
      [await works(added.client_secret), await works(second.client_secret), await works(third.client_secret)],
      [401, 200, 200],
    )
    const fourth = await hero.clients.rotate_secret({ client: 'rotating', drop: true })
    assert.deepEqual(
      [await works(third.client_secret), await works(fourth.client_secret), await works('')],
      [401, 200, 400],
    )
    assert.equal((await hero.clients.get({ client: 'rotating' })).secrets.length, 1)
    const text = await byHand(stage.daemon, ({ query }) =>
      query
        .selectFrom('client_secrets')
        .selectAll()
        .execute()
        .then((rows) => JSON.stringify(rows)),
    )
    assert.equal(String(text).includes(fourth.client_secret), false)
  })

  test("a client credentials token is a JWT with the client's scope and claims, and nothing about people", async () => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      name: 'Billing',
      client: 'billing',
      scopes: ['read', 'write'],
      claims: ['billing.invoices.read'],
    })
    const program = new App(stage.issuer, added)
    const { status, body } = await program.token({ grant_type: 'client_credentials', scope: 'read' })
    assert.deepEqual([status, body.token_type, body.expires_in, body.scope], [200, 'Bearer', 3600, 'read'])
    const { payload, protectedHeader } = await jwtVerify(
      body.access_token,
      createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`)),
      { issuer: stage.issuer, audience: stage.issuer, typ: 'at+jwt', algorithms: ['EdDSA'] },
    )
    assert.equal(protectedHeader.alg, 'EdDSA')
    assert.deepEqual(
      [payload.sub, payload.client_id, payload.claims, payload.scope],
      ['billing', 'billing', ['billing.invoices.read'], 'read'],
    )
    assert.equal(payload.exp! - payload.iat!, 3600)
    assert.equal((await program.token({ grant_type: 'client_credentials' })).body.scope, 'read write')
    assert.equal(
      (await program.token({ grant_type: 'client_credentials', scope: 'admin' })).body.error,
      'invalid_scope',
    )
    assert.equal((await program.token({ grant_type: 'client_credentials', scope: 'openid' })).status, 400)
    assert.equal(
      (await program.token({ grant_type: 'client_credentials', resource: 'https://elsewhere.test/' })).body
        .error,
      'invalid_target',
    )
    assert.equal((await app.token({ grant_type: 'client_credentials' })).status, 400)
    // Userinfo refuses client credentials tokens and ID tokens.
    assert.equal((await program.userinfo(body.access_token)).status, 401)
    const { body: signedIn } = await app.tokens(newPerson(), 'ada')
    assert.equal((await app.userinfo(signedIn.id_token)).status, 401)
  })

  test('introspection and revocation are limited to the owner, and unknown tokens are no error', async () => {
    const { body } = await app.tokens(newPerson(), 'ada', { scope: 'openid profile offline_access' })
    const introspect = async (by: App, token: string) =>
      (await post(`${stage.issuer}/oauth/introspect`, { token }, by.client)).body
    const own = await introspect(app, body.access_token)
    assert.deepEqual([own.active, own.client_id, own.username], [true, 'wiki', 'ada'])
    assert.deepEqual(await introspect(other, body.access_token), { active: false })
    assert.deepEqual(await introspect(app, 'unknown'), { active: false })
    assert.equal((await post(`${stage.issuer}/oauth/introspect`, { token: body.access_token })).status, 400)
    const revoke = (by: App, token: string) => post(`${stage.issuer}/oauth/revoke`, { token }, by.client)
    await revoke(other, body.access_token)
    assert.equal((await app.userinfo(body.access_token)).status, 200)
    assert.equal((await revoke(app, 'unknown')).status, 200)
    assert.equal((await revoke(app, body.access_token)).status, 200)
    assert.equal((await app.userinfo(body.access_token)).status, 401)
  })

  test('RP-initiated logout asks for confirmation, then notifies the client over the back channel', async () => {
    const received: string[] = []
    let broken = true
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        // The first attempt fails, so the notification is sent again.
        response.writeHead(broken ? 500 : 200).end()
        if (!broken) received.push(new URLSearchParams(body).get('logout_token')!)
        broken = false
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => hook.once('listening', resolve))
    const { hero } = stage.daemon
    const port = (hook.address() as AddressInfo).port
    const leaving = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'Leaving',
        client: 'leaving',
        redirect_uris: [callback],
        post_logout_redirect_uris: [`${callback}/bye`],
        backchannel_logout_uri: `http://127.0.0.1:${port}/logout`,
        first_party: true,
      }),
    )
    const person = newPerson()
    const { body } = await leaving.tokens(person, 'ada')
    const url = new URL('/oauth/logout', stage.issuer)
    url.search = String(
      new URLSearchParams({
        id_token_hint: body.id_token,
        post_logout_redirect_uri: `${callback}/bye`,
        state: 's',
      }),
    )
    const page = await person.open(url)
    assert.match(page.text, /Sign out\?/)
    const bad = new URL(url)
    bad.searchParams.set('post_logout_redirect_uri', 'https://evil.test/')
    assert.equal((await newPerson().open(bad)).status, 400)
    const again = await person.open(url)
    const left = await person.submit(again, '/oauth/logout/confirm', { logout: 'yes' })
    assert.equal(left.url.href, `${callback}/bye?state=s`)
    assert.equal((await person.open(leaving.authorizeUrl(pkce().challenge))).url.pathname, '/auth/login')
    assert.equal((await leaving.userinfo(body.access_token)).status, 401)
    for (let i = 0; i < 80 && received.length === 0; i++) await delay(100)
    assert.equal(received.length, 1)
    const { payload } = await jwtVerify(
      received[0]!,
      createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`)),
      {
        issuer: stage.issuer,
        audience: 'leaving',
        typ: 'logout+jwt',
      },
    )
    assert.equal(payload.sid, payloadOf(body.id_token).sid)
    assert.ok('http://schemas.openid.net/event/backchannel-logout' in (payload.events as object))
    assert.equal('nonce' in payload, false)
    hook.close()
  })

  test('a device is signed in with the code that it shows', async () => {
    const { hero } = stage.daemon
    const tv = await hero.clients.add({
      anyone: true,
      name: 'The television',
      client: 'tv',
      public: true,
      grants: ['device_code'],
    })
    const authorization = await post(`${stage.issuer}/oauth/device`, {
      client_id: tv.client,
      scope: 'openid profile',
    })
    const { device_code, user_code, verification_uri } = authorization.body as unknown as Record<
      string,
      string
    >
    const poll = () =>
      post(`${stage.issuer}/token`, {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: device_code!,
        client_id: 'tv',
      })
    assert.equal((await poll()).body.error, 'authorization_pending')
    const person = newPerson()
    const input = await person.open(verification_uri!)
    const wrong = await person.submit(input, '/device', { user_code: 'XXXX-XXXX' })
    assert.match(wrong.text, /This code doesn’t exist/)
    const confirm = await person.submit(wrong, '/device', { user_code: user_code!.toLowerCase() })
    assert.match(confirm.text, /Is this your device\?/)
    const login = await person.submit(confirm, '/device', { confirm: 'yes' })
    assert.equal(login.url.pathname, '/auth/login')
    const consent = await person.signIn(login, 'ada', goodPassword)
    const done = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    assert.match(done.text, /is signed in/)
    const { status, body } = await poll()
    assert.equal(status, 200)
    assert.equal(payloadOf(body.id_token).preferred_username, 'ada')
    assert.equal((await poll()).body.error, 'invalid_grant')
  })

  test('a pushed request may ask for offline_access like any other', async () => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      anyone: true,
      name: 'pushing',
      client: 'pushing',
      redirect_uris: [callback],
    })
    const pushing = new App(stage.issuer, added)
    const { code_verifier, challenge } = pkce()
    const params = {
      client_id: 'pushing',
      response_type: 'code',
      redirect_uri: callback,
      ...offline,
      ...challenge,
    }
    const begin = async (more = {}) => {
      const { body } = await post(`${stage.issuer}/oauth/par`, { ...params, ...more }, added)
      return new URL(
        `/authorize?client_id=pushing&request_uri=${encodeURIComponent(String(body.request_uri))}`,
        stage.issuer,
      )
    }
    const person = newPerson()
    const login = await person.open(await begin())
    const consent = await person.signIn(login, 'grace', goodPassword)
    const { url } = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    const { body } = await pushing.redeem(url.searchParams.get('code')!, code_verifier)
    assert.equal(body.scope, offline.scope)
    // Consent is not asked again unless the client sends prompt=consent.
    assert.ok((await person.open(await begin())).url.searchParams.has('code'))
    const again = await person.open(await begin({ prompt: 'consent', offline_asked: 'yes' }))
    assert.match(again.url.pathname, /^\/auth\/consent\//)
  })
})
