import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { goodPassword } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import {
  App,
  atCallback,
  callback,
  newPerson,
  payloadOf,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('the authorization code flow', () => {
  let stage: Provider
  let app: App
  let other: App
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    app = new App(
      stage.issuer,
      await hero.clients.add({ anyone: true, name: 'The wiki', client: 'wiki', redirect_uris: [callback] }),
    )
    other = new App(
      stage.issuer,
      await hero.clients.add({ anyone: true, name: 'Tickets', client: 'tickets', redirect_uris: [callback] }),
    )
  })
  after(() => stage.daemon.close())

  test('sign-in and consent lead back to the client with tokens that verify', async () => {
    const person = newPerson()
    const { code_verifier, challenge } = pkce()
    const login = await person.open(app.authorizeUrl({ ...challenge, nonce: 'n-0S6' }))
    assert.equal(login.url.pathname, '/auth/login')
    const consent = await person.signIn(login, 'ada', goodPassword)
    assert.match(consent.text, /Give The wiki access\?/)
    assert.match(consent.text, /localhost:4999/)
    assert.match(consent.text, /see your email address/)
    assert.equal(
      consent.headers.get('x-frame-options') ??
        consent.headers.get('content-security-policy')!.includes("frame-ancestors 'none'"),
      true,
    )
    const back = (await person.submit(consent, '/auth/consent/', { answer: 'allow' })).url
    assert.ok(atCallback(back))
    // RFC 9207: iss names the provider that answered.
    assert.equal(back.searchParams.get('iss'), stage.issuer)
    assert.equal(back.searchParams.get('state'), 'xyz')
    const { status, headers, body } = await app.redeem(back.searchParams.get('code')!, code_verifier)
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    const { payload, protectedHeader } = await jwtVerify(
      body.id_token,
      createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`)),
      { issuer: stage.issuer, audience: 'wiki' },
    )
    assert.equal(protectedHeader.alg, 'RS256')
    const ada = await stage.daemon.hero.users.get({ username: 'ada' })
    assert.equal(payload.sub, ada.id)
    assert.equal(payload.nonce, 'n-0S6')
    assert.equal(payload.email, 'ada@example.org')
    assert.equal(payload.preferred_username, 'ada')
    assert.equal('claims' in payload, false)
    const about = (await (await app.userinfo(body.access_token)).json()) as Record<string, unknown>
    assert.deepEqual([about.sub, about.name], [ada.id, 'Ada Lovelace'])
    // A second request asks for neither a sign-in nor consent.
    assert.ok((await app.signIn(person, 'nobody', pkce().challenge)).get('code'))
    const { items } = await stage.daemon.hero.audit.list({ limit: 20 })
    assert.ok(
      items.some(
        ({ method, actor, target }) =>
          method === 'oidc.consent' && actor === 'ada' && target.includes('client=wiki'),
      ),
    )
    assert.ok(
      items.some(
        ({ method, actor, target }) =>
          method === 'oidc.authorize' && actor === 'ada' && target === 'client=wiki',
      ),
    )
  })

  test('refusing consent leads back to the client with access_denied and no code', async () => {
    const person = newPerson()
    const page = await person.signIn(
      await person.open(other.authorizeUrl(pkce().challenge)),
      'grace',
      goodPassword,
    )
    const back = (await person.submit(page, '/auth/consent/', { answer: 'refuse' })).url.searchParams
    assert.deepEqual(
      [back.get('error'), back.get('code'), back.get('iss')],
      ['access_denied', null, stage.issuer],
    )
  })

  test('consent is bound to the browser that saw the page, and is accepted from our own page alone', async () => {
    const person = newPerson()
    const page = await person.signIn(
      await person.open(other.authorizeUrl(pkce().challenge)),
      'grace',
      goodPassword,
    )
    const stranger = newPerson()
    assert.equal((await stranger.open(page.url)).status, 400)
    const forged = await person.open(page.url, {
      method: 'POST',
      body: 'answer=allow',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.test',
        'sec-fetch-site': 'cross-site',
      },
    })
    assert.equal(forged.status, 403)
    // The page does not reveal the URL of the last step, which is bound to the same browser.
    const resume = page.text.match(/authorize\/[\w-]+/)
    assert.equal(resume, null)
  })

  test('the groups and claims scopes add groups and claims to the ID token', async () => {
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'engineers' })
    await hero.groups.add_member({ group: 'engineers', user: 'grace' })
    await hero.groups.add_claim({ group: 'engineers', claim: 'wiki.pages.write' })
    const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid groups claims' })
    const payload = payloadOf(body.id_token)
    assert.deepEqual(payload.groups, ['engineers'])
    assert.deepEqual(payload.claims, ['groups.engineers', 'users.grace', 'wiki.pages.write'])
    assert.equal(payload.context, 1)
  })

  test('a code is single-use and bound to its client, redirect URI and challenge, in each combination', async () => {
    const person = newPerson()
    const fields = async () => {
      const { code_verifier, challenge } = pkce()
      const back = await app.signIn(person, 'ada', challenge)
      return {
        code: back.get('code')!,
        code_verifier,
        redirect_uri: callback,
        grant_type: 'authorization_code',
      }
    }
    const wrong = [
      { redirect_uri: `${callback}/` },
      { redirect_uri: `${callback}?x=1` },
      { code_verifier: pkce().code_verifier },
      { code_verifier: undefined },
      { redirect_uri: undefined },
      { redirect_uri: `${callback}/`, code_verifier: pkce().code_verifier },
    ]
    for (const change of wrong) {
      const sent = Object.fromEntries(
        Object.entries({ ...(await fields()), ...change }).filter(([, value]) => value !== undefined),
      )
      const { status, body } = await app.token(sent as Record<string, string>)
      assert.equal(status, 400, JSON.stringify(change))
      assert.match(String(body.error), /invalid_(grant|request)/)
    }
    for (const change of [{}, ...wrong]) {
      const sent = Object.fromEntries(
        Object.entries({ ...(await fields()), ...change }).filter(([, value]) => value !== undefined),
      )
      assert.equal((await other.token(sent as Record<string, string>)).status, 400)
    }
    // Redeeming it twice revokes the tokens of the first redemption.
    const right = await fields()
    const first = await app.token(right)
    assert.equal(first.status, 200)
    assert.equal((await app.userinfo(first.body.access_token)).status, 200)
    assert.equal((await app.token(right)).body.error, 'invalid_grant')
    assert.equal((await app.userinfo(first.body.access_token)).status, 401)
    assert.equal((await app.refresh(first.body.refresh_token)).body.error, 'invalid_grant')
  })

  test('PKCE is required in both requests, and S256 is the only method', async () => {
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const refusals = [
      {},
      { code_challenge: pkce().challenge.code_challenge, code_challenge_method: 'plain' },
      { code_challenge: pkce().challenge.code_challenge },
      { code_challenge_method: 'S256' },
      { code_challenge: 'short', code_challenge_method: 'S256' },
    ]
    for (const params of refusals) {
      const { url } = await person.open(app.authorizeUrl(params))
      assert.equal(url.searchParams.get('error'), 'invalid_request', JSON.stringify(params))
      assert.equal(url.searchParams.get('code'), null)
    }
    const { hero } = stage.daemon
    const old = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'Old',
        redirect_uris: [callback],
        pkce: false,
        first_party: true,
      }),
    )
    const plain = await old.signIn(person, 'ada')
    const sent = { grant_type: 'authorization_code', code: plain.get('code')!, redirect_uri: callback }
    // A verifier without a challenge: the challenge was removed on the way (RFC 9700 section 4.8.2).
    assert.equal((await old.token({ ...sent, code_verifier: pkce().code_verifier })).status, 400)
    const again = await old.signIn(person, 'ada')
    assert.equal((await old.token({ ...sent, code: again.get('code')! })).status, 200)
  })

  test('a redirect URI that is not registered exactly shows an error page and does not redirect', async () => {
    const person = newPerson()
    const hostile = [
      'https://evil.test/',
      `${callback}/`,
      `${callback}#x`,
      `${callback}?extra=1`,
      callback.replace('localhost', 'LOCALHOST'),
      callback.replace('4999', '4998'),
      callback.replace('http:', 'https:'),
      callback.replace('localhost', 'localhost@evil.test'),
      'javascript:alert(1)',
      'data:text/html,x',
    ]
    for (const redirect_uri of hostile) {
      const page = await person.open(app.authorizeUrl({ ...pkce().challenge, redirect_uri }))
      assert.deepEqual([page.status, page.url.origin], [400, stage.issuer], redirect_uri)
      assert.match(page.text, /Sign-in failed/)
      assert.equal(page.text.includes('alert(1)'), false)
    }
    const unknown = await person.open(app.authorizeUrl({ client_id: 'nobody' }))
    assert.equal(unknown.status, 400)
    assert.match(unknown.text, /client_id belongs to no application here/)
    const { hero } = stage.daemon
    for (const uri of [
      'http://x.test/#f',
      'https://u:p@x.test/',
      'javascript:alert(1)',
      'https://*.x.test/',
      'x.test',
      'com.example.app:/cb',
      'http://x.test/a/../b',
      'http:\\\\x.test',
    ])
      await assert.rejects(
        hero.clients.add({ anyone: true, name: 'x', redirect_uris: [uri] }),
        { code: 'invalid_params' },
        uri,
      )
    await hero.clients.add({
      anyone: true,
      name: 'native',
      redirect_uris: ['com.example.app:/cb'],
      native: true,
      public: true,
    })
  })

  test('a native client may choose the port of a loopback redirect URI, and nothing else', async () => {
    const { hero } = stage.daemon
    const native = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'Native',
        redirect_uris: ['http://127.0.0.1/cb'],
        native: true,
        public: true,
      }),
    )
    const page = await newPerson().open(
      native.authorizeUrl({ ...pkce().challenge, redirect_uri: 'http://127.0.0.1:54321/cb' }),
    )
    assert.equal(page.url.pathname, '/auth/login')
    for (const redirect_uri of [
      'http://127.0.0.1:1/other',
      'http://localhost:54321/cb',
      'http://127.0.0.1.evil.test:1/cb',
    ])
      assert.equal(
        (await newPerson().open(native.authorizeUrl({ ...pkce().challenge, redirect_uri }))).status,
        400,
      )
  })

  test('prompt=none never shows a page', async () => {
    const guest = (await newPerson().open(app.authorizeUrl({ ...pkce().challenge, prompt: 'none' }))).url
    assert.equal(guest.searchParams.get('error'), 'login_required')
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const fresh = new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({ anyone: true, name: 'Fresh', redirect_uris: [callback] }),
    )
    const unknown = (await person.open(fresh.authorizeUrl({ ...pkce().challenge, prompt: 'none' }))).url
    assert.equal(unknown.searchParams.get('error'), 'consent_required')
    const known = (await person.open(app.authorizeUrl({ ...pkce().challenge, prompt: 'none' }))).url
    assert.ok(known.searchParams.get('code'))
  })

  test('prompt=login and max_age require the signed-in person to authenticate again', async () => {
    const person = newPerson()
    const { code_verifier, challenge } = pkce()
    await app.signIn(person, 'ada', pkce().challenge)
    await byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ proven_at: Math.floor(Date.now() / 1000) - 100 })
        .execute()
      database.changed('sessions')
    })
    const free = await person.open(app.authorizeUrl({ ...challenge, max_age: '10000' }))
    assert.ok(atCallback(free.url))
    for (const params of [{ max_age: '1' }, { prompt: 'login' }]) {
      const page = await person.open(app.authorizeUrl({ ...challenge, ...params }))
      assert.equal(page.url.pathname, '/auth/prove')
      // Following return_to without authenticating leads back to the same page.
      const around = await person.open(new URL(page.url.searchParams.get('return_to')!, stage.issuer))
      assert.equal(around.url.pathname, '/auth/prove')
      const back = await person.submit(page, '/auth/prove', { password: goodPassword })
      const { body } = await app.redeem(back.url.searchParams.get('code')!, code_verifier)
      assert.ok(Number(payloadOf(body.id_token).auth_time) > Date.now() / 1000 - 60)
      await byHand(stage.daemon, async (database) => {
        await database.query
          .updateTable('sessions')
          .set({ proven_at: Math.floor(Date.now() / 1000) - 100 })
          .execute()
        database.changed('sessions')
      })
    }
  })

  test('an id_token_hint for another account lets that person sign in instead', async () => {
    const { body } = await app.tokens(newPerson(), 'grace')
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const hint = { ...pkce().challenge, id_token_hint: body.id_token }
    const none = (await person.open(app.authorizeUrl({ ...hint, prompt: 'none' }))).url
    assert.equal(none.searchParams.get('error'), 'login_required')
    const page = await person.open(app.authorizeUrl(hint))
    assert.match(page.text, /A different account is needed/)
    const login = await person.submit(page, '/auth/consent/', { answer: 'switch' })
    assert.equal(login.url.pathname, '/auth/login')
    const back = await person.signIn(login, 'grace', goodPassword)
    assert.ok(back.url.searchParams.get('code'))
  })

  test('a deactivated account gets nothing at any step, and its tokens stay invalid after reactivation', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'linus', email: 'linus@example.org', password: goodPassword })
    const person = newPerson()
    const { body } = await app.tokens(person, 'linus', { scope: 'openid offline_access', prompt: 'consent' })
    const { code_verifier, challenge } = pkce()
    const pending = await app.signIn(person, 'linus', challenge)
    await hero.users.update({ username: 'linus', is_active: false })
    assert.equal((await app.redeem(pending.get('code')!, code_verifier)).status, 400)
    assert.equal((await app.refresh(body.refresh_token)).status, 400)
    assert.equal((await app.userinfo(body.access_token)).status, 401)
    const introspected = await post(
      `${stage.issuer}/oauth/introspect`,
      { token: body.access_token },
      app.client,
    )
    assert.deepEqual(introspected.body, { active: false })
    assert.equal((await person.open(app.authorizeUrl(challenge))).url.pathname, '/auth/login')
    await hero.users.update({ username: 'linus', is_active: true })
    assert.equal((await app.refresh(body.refresh_token)).status, 400)
  })
})
