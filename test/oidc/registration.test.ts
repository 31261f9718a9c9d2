import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import * as openid from 'openid-client'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { maxHourly } from '../../src/clients/registered_clients.ts'
import { goodPassword } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import {
  App,
  callback,
  newPerson,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'
import { byHand } from '../support/people.ts'

type Body = Record<string, unknown>

const editor = { client_name: 'Editor', redirect_uris: [callback] }

const notAllowed = 'requested grant type is not allowed for this client'

/** Sends a registration request. */
const register = async (
  issuer: string,
  metadata: unknown,
  token?: string,
  headers: Record<string, string> = {},
) => {
  const answer = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Body,
  }
}

const set = ({ daemon }: Provider, value: string) =>
  daemon.hero.settings.set({ key: 'client_registration', value })

/** Removes the registered clients, so that they do not count against the limit of the next test. */
const clear = ({ daemon }: Provider) =>
  byHand(daemon, async ({ query }) => {
    await query.deleteFrom('clients').where('dynamic', '=', 1).execute()
  })

suite('dynamic client registration', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  test('off: the endpoint does not exist and is not advertised', async () => {
    assert.equal((await register(stage.issuer, editor)).status, 404)
    const about = (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as Body
    assert.equal('registration_endpoint' in about, false)
  })

  test('token: an initial access token allows its number of registrations, until it expires', async () => {
    await set(stage, 'token')
    const about = (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as Body
    assert.equal(about.registration_endpoint, `${stage.issuer}/oauth/register`)
    const { registration_tokens: tokens } = stage.daemon.hero.clients
    const none = await register(stage.issuer, editor)
    assert.equal(none.status, 401)
    assert.equal(none.headers.get('www-authenticate'), 'Bearer')
    for (const wrong of ['x', 'x'.repeat(43)]) {
      const answer = await register(stage.issuer, editor, wrong)
      assert.equal(answer.status, 401)
      assert.equal(answer.body.error, 'invalid_token')
      assert.match(answer.headers.get('www-authenticate')!, /invalid_token/)
    }
    const twice = await tokens.add({ name: 'twice', uses: 2 })
    const list = await tokens.list()
    assert.deepEqual(
      list.items.map(({ name, uses_left }) => [name, uses_left]),
      [['twice', 2]],
    )
    assert.equal(JSON.stringify(list).includes(twice.initial_access_token), false)
    // A failed registration does not use up the token.
    assert.equal((await register(stage.issuer, {}, twice.initial_access_token)).status, 400)
    const statuses = await Promise.all(
      Array.from(
        { length: 6 },
        async () => (await register(stage.issuer, editor, twice.initial_access_token)).status,
      ),
    )
    assert.deepEqual(statuses.toSorted(), [201, 201, 401, 401, 401, 401])
    const short = await tokens.add({ name: 'short', lifetime: 60 })
    await byHand(stage.daemon, ({ query }) =>
      query.updateTable('registration_tokens').set({ expires_at: 1 }).where('id', '=', short.id).execute(),
    )
    assert.equal((await register(stage.issuer, editor, short.initial_access_token)).status, 401)
    const taken = await tokens.add({ name: 'taken back' })
    await tokens.remove({ id: taken.id })
    assert.equal((await register(stage.issuer, editor, taken.initial_access_token)).status, 401)
    await refused(tokens.remove({ id: taken.id }), 'not_found')
    await refused(tokens.add({ name: 'x', uses: 0 }), 'invalid_params', 'uses')
    await refused(tokens.add({ name: 'x', lifetime: 59 }), 'invalid_params', 'lifetime')
    await clear(stage)
  })

  test('open: the response matches RFC 7591 section 3.2.1, and the client works', async () => {
    await set(stage, 'open')
    const answer = await register(stage.issuer, {
      ...editor,
      redirect_uris: ['https://app.test/cb', callback],
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid email',
      client_uri: 'https://app.test',
      backchannel_logout_uri: 'http://127.0.0.1/told',
      made_up: true,
    })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { client_id, client_secret, client_id_issued_at, ...rest } = answer.body
    assert.match(String(client_id), /^[0-9a-f-]{36}$/)
    assert.ok(String(client_secret).length >= 43)
    assert.ok(Math.abs(Number(client_id_issued_at) - Date.now() / 1000) < 60)
    assert.deepEqual(rest, {
      client_name: 'Editor',
      application_type: 'web',
      redirect_uris: ['https://app.test/cb', callback],
      post_logout_redirect_uris: [],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email offline_access',
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret_expires_at: 0,
    })
    const known = await stage.daemon.hero.clients.get({ client: String(client_id) })
    assert.deepEqual(
      [known.dynamic, known.first_party, known.pkce, known.claims, known.backchannel_logout_uri],
      [true, false, true, [], null],
    )
    const app = new App(stage.issuer, { client: String(client_id), client_secret: String(client_secret) })
    const person = newPerson()
    const { code_verifier, challenge } = pkce()
    const login = await person.open(app.authorizeUrl({ ...challenge, scope: 'openid email' }))
    const consent = await person.signIn(login, 'ada', goodPassword)
    assert.match(consent.url.pathname, /^\/auth\/consent\//)
    assert.match(consent.text, /registered itself\. Nobody here has checked/)
    const back = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    const { body } = await app.redeem(back.url.searchParams.get('code')!, code_verifier)
    assert.equal(((await (await app.userinfo(body.access_token)).json()) as Body).email, 'ada@example.org')
    assert.equal((await app.refresh(body.refresh_token)).status, 200)
    const { items } = await stage.daemon.hero.audit.list({ method: 'oidc.register' })
    assert.equal(items[0]!.target, `client=${String(client_id)}`)
    assert.equal(items[0]!.address, '127.0.0.1')
    assert.equal(JSON.stringify(items).includes(String(client_secret)), false)
    assert.ok((await stage.daemon.hero.clients.get({ client: String(client_id) })).last_used_at)
  })

  test('a native client has no secret and may choose the port of its loopback redirect URI', async () => {
    const { body } = await register(stage.issuer, {
      redirect_uris: [
        'http://127.0.0.1/callback',
        'http://localhost:33418/callback',
        'org.example.editor:/cb',
      ],
      token_endpoint_auth_method: 'none',
    })
    assert.deepEqual(
      [body.application_type, body.client_name, body.client_secret, body.client_secret_expires_at],
      ['native', '127.0.0.1', undefined, undefined],
    )
    const app = new App(stage.issuer, { client: String(body.client_id), client_secret: null })
    const redirect_uri = 'http://127.0.0.1:40123/callback'
    const person = new Person(({ href }) => href.startsWith(redirect_uri))
    const { code_verifier, challenge } = pkce()
    const login = await person.open(app.authorizeUrl({ ...challenge, redirect_uri, scope: 'openid' }))
    const consent = await person.signIn(login, 'ada', goodPassword)
    const back = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    const code = back.url.searchParams.get('code')!
    const tokens = await app.token({ grant_type: 'authorization_code', code, redirect_uri, code_verifier })
    assert.equal(tokens.status, 200)
    // Another program may take the port and pose as the client, so consent is asked each time.
    const again = await person.open(app.authorizeUrl({ ...pkce().challenge, redirect_uri, scope: 'openid' }))
    assert.match(again.url.pathname, /^\/auth\/consent\//)
  })

  test('the consent page does not present the host part of a private-use URI scheme as where the client lives', async () => {
    await set(stage, 'open')
    const redirect_uri = 'org.evil.app://bank.example.org/cb'
    const { body } = await register(stage.issuer, { redirect_uris: [redirect_uri] })
    assert.equal(body.client_name, 'org.evil.app')
    const app = new App(stage.issuer, { client: String(body.client_id), client_secret: null })
    const person = newPerson()
    const login = await person.open(app.authorizeUrl({ ...pkce().challenge, redirect_uri, scope: 'openid' }))
    const consent = await person.signIn(login, 'ada', goodPassword)
    assert.match(consent.text, /at <strong>org\.evil\.app:<\/strong>/)
    assert.ok(!consent.text.includes('bank.example.org'))
    await clear(stage)
  })

  test('a registered client cannot gain more rights: D49, CVE-2026-41427', async () => {
    const { body } = await register(stage.issuer, editor)
    const client = String(body.client_id)
    const app = new App(stage.issuer, { client, client_secret: String(body.client_secret) })
    const own = await app.token({ grant_type: 'client_credentials' })
    assert.deepEqual([own.status, own.body.error_description], [400, notAllowed])
    const device = await post(`${stage.issuer}/oauth/device`, { scope: 'openid' }, app.client)
    assert.equal(device.status, 400)
    const person = newPerson()
    const without = await person.open(app.authorizeUrl())
    assert.match(without.url.searchParams.get('error')!, /invalid_request/)
    const { challenge } = pkce()
    const admin = await person.open(
      app.authorizeUrl({ ...challenge, scope: 'openid admin', resource: stage.issuer }),
    )
    assert.equal(admin.url.searchParams.get('error'), 'invalid_scope')
    // Its credentials open no RPC method.
    const rpc = await fetch(`${stage.issuer}/rpc`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${client}:${String(body.client_secret)}`).toString('base64')}`,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'clients.update',
        params: { client, name: 'x' },
      }),
    })
    assert.match(await rpc.text(), /unauthenticated/)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      for (const path of ['/oauth/register', `/oauth/register/${client}`]) {
        const answer = await fetch(`${stage.issuer}${path}`, { method })
        assert.ok([404, 405].includes(answer.status), `${method} ${path} ${answer.status}`)
      }
    }
    // An administrator cannot grant these either.
    const { clients } = stage.daemon.hero
    for (const [field, change] of Object.entries({
      first_party: { first_party: true },
      pkce: { pkce: false },
      claims: { claims: ['wiki.read'] },
      scopes: { scopes: ['openid', 'read'] },
      grants: { grants: ['authorization_code', 'client_credentials'] },
    } as const))
      await refused(clients.update({ client, ...(change as object) }), 'invalid_params', field)
    const grace = new Person()
    await grace.signIn(await grace.open(`${stage.issuer}/auth/login`), 'grace', goodPassword)
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'grace', password: goodPassword })
    const her = stage.daemon.hero.as(access_token)
    await refused(her.clients.update({ client, name: 'x' }), 'claim_required')
    await refused(her.clients.remove({ client }), 'claim_required')
    await refused(her.clients.registration_tokens.add({ name: 'x' }), 'claim_required')
    await refused(her.clients.registration_tokens.list(), 'claim_required')
  })

  const bad: readonly (readonly [string, string, unknown])[] = [
    ['invalid_client_metadata', 'JSON', '{'],
    ['invalid_client_metadata', 'JSON', '[]'],
    ['invalid_client_metadata', 'JSON', 'null'],
    ['invalid_redirect_uri', 'redirect_uris', {}],
    ['invalid_redirect_uri', 'redirect_uris', { redirect_uris: [] }],
    ['invalid_redirect_uri', 'redirect_uris', { redirect_uris: callback }],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'http://app.test/cb',
      'http://localhost.evil.test/cb',
      'http://localhost@evil.test/cb',
      'https://user@app.test/cb',
      'https://app.test/cb#x',
      'https://app.test/*',
      'https://*.app.test/cb',
      'https://app.test\\@evil.test/cb',
      'https://app.test/a/../cb',
      'HTTPS://APP.test/cb',
      'HTTP://app.test/cb',
      'editor:/cb',
      'file:///etc/passwd',
      '//app.test/cb',
      '/cb',
      '',
      'https://app.test/\u0000',
      `https://app.test/${'x'.repeat(500)}`,
    ].map((uri) => ['invalid_redirect_uri', 'redirect_uris.0', { redirect_uris: [uri] }] as const),
    [
      'invalid_redirect_uri',
      'redirect_uris',
      { redirect_uris: Array.from({ length: 11 }, (_, i) => `https://app.test/${i}`) },
    ],
    ...(
      [
        ['client_name', ''],
        ['client_name', '  '],
        ['client_name', '\u3164 \u2800'],
        ['client_name', 7],
        ['client_name', 'x'.repeat(101)],
        ['client_name', 'a\nb'],
        ['client_name', 'wiki\u202e'],
        ['client_name', 'wi\u200bki'],
        ['token_endpoint_auth_method', 'client_secret_jwt'],
        ['token_endpoint_auth_method', ['none']],
        ['grant_types', ['implicit']],
        ['grant_types', ['client_credentials']],
        ['grant_types', ['urn:ietf:params:oauth:grant-type:device_code']],
        ['grant_types', ['refresh_token']],
        ['grant_types', []],
        ['grant_types', 'authorization_code'],
        ['response_types', ['token']],
        ['scope', ['openid']],
        ['application_type', 'service'],
        ['subject_type', 'pairwise'],
        ['id_token_signed_response_alg', 'none'],
        ['id_token_signed_response_alg', 'HS256'],
        ['jwks', { keys: [] }],
        ['jwks', { keys: [{ kty: 'oct', k: 'x' }] }],
        ['jwks', []],
      ] as const
    ).map(
      ([field, value]) =>
        ['invalid_client_metadata', field, { ...editor, [field]: value as unknown }] as const,
    ),
    [
      'invalid_client_metadata',
      'jwks_uri',
      { ...editor, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.test/keys' },
    ],
    ...(
      [
        { kty: 'oct', k: 'x' },
        { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' },
      ] as const
    ).map(
      (key) =>
        [
          'invalid_client_metadata',
          'jwks.keys.0',
          { ...editor, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
        ] as const,
    ),
  ]

  test('an error names the invalid field, and nothing is stored (D43, GHSA-86j7-9j95-vpqj)', async () => {
    await set(stage, 'open')
    const before = (await stage.daemon.hero.clients.list({})).items.length
    for (const [error, field, metadata] of bad) {
      const what = JSON.stringify(metadata).slice(0, 120)
      const { status, body } = await register(stage.issuer, metadata)
      assert.deepEqual([status, body.error], [400, error], `${what}: ${JSON.stringify(body)}`)
      assert.ok(String(body.error_description).includes(field), `${what}: ${String(body.error_description)}`)
    }
    assert.equal((await stage.daemon.hero.clients.list({})).items.length, before)
    assert.equal(
      (await register(stage.issuer, editor, undefined, { 'content-type': 'text/plain' })).status,
      415,
    )
    assert.equal((await register(stage.issuer, { ...editor, filler: 'x'.repeat(40_000) })).status, 413)
    const elsewhere = await ask(stage.daemon, 'wiki.localhost', '/oauth/register')
    assert.equal(elsewhere.status, 404)
    // CORS does not let other pages register clients.
    const page = await register(stage.issuer, {}, undefined, { origin: 'https://evil.test' })
    assert.equal(page.headers.get('access-control-allow-origin'), null)
    const preflight = await fetch(`${stage.issuer}/oauth/register`, { method: 'OPTIONS' })
    assert.equal(preflight.status, 405)
  })

  test('what we do not serve is left out of lists, and the response says what counts (RFC 7591 section 3.2.1)', async () => {
    await clear(stage)
    const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'
    const { status, body } = await register(stage.issuer, {
      client_name: 'Editor',
      redirect_uris: [
        'javascript:alert(1)',
        'http://app.test/cb',
        7,
        callback,
        'editor:/cb',
        'https://app.test/*',
        'https://app.test/cb',
        `https://app.test/${'x'.repeat(500)}`,
      ],
      post_logout_redirect_uris: ['https://app.test/#x', 'https://app.test/bye'],
      grant_types: ['authorization_code', deviceCode, 'client_credentials', 'implicit', 'refresh_token'],
      response_types: ['code', 'token', 'id_token token'],
      scope: 'openid profile admin read wiki:edit offline_access',
      token_endpoint_auth_method: 'none',
    })
    assert.equal(status, 201, JSON.stringify(body))
    const counts = {
      redirect_uris: [callback, 'https://app.test/cb'],
      post_logout_redirect_uris: ['https://app.test/bye'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid profile offline_access',
      application_type: 'native',
    }
    for (const [name, value] of Object.entries(counts)) assert.deepEqual(body[name], value, name)
    const client = String(body.client_id)
    const stored = await stage.daemon.hero.clients.get({ client })
    assert.deepEqual(stored.redirect_uris, counts.redirect_uris)
    assert.deepEqual(stored.scopes, counts.scope.split(' '))
    assert.deepEqual([stored.pkce, stored.grants, stored.claims], [true, ['authorization_code'], []])
    // What was left out does not work, and the rest does: PKCE stays required.
    const app = new App(stage.issuer, { client, client_secret: null })
    const { challenge } = pkce()
    const visit = (params: Record<string, string>) => newPerson().open(app.authorizeUrl(params))
    assert.equal((await visit({ ...challenge, redirect_uri: 'http://app.test/cb' })).status, 400)
    const admin = await visit({ ...challenge, scope: 'openid admin', resource: stage.issuer })
    assert.equal(admin.url.searchParams.get('error'), 'invalid_scope')
    assert.equal((await visit({ scope: 'openid' })).url.searchParams.get('error'), 'invalid_request')
    assert.equal((await app.token({ grant_type: 'client_credentials' })).status, 400)
    assert.equal((await post(`${stage.issuer}/oauth/device`, { client_id: client })).status, 400)
    assert.equal((await app.tokens(newPerson(), 'ada', { scope: 'openid' })).status, 200)
    // Unknown scopes alone leave openid; an address that we refuse does not make a web client native.
    const bare = await register(stage.issuer, {
      redirect_uris: ['https://app.test/cb', 'javascript:alert(1)', 'editor:/cb'],
      scope: 'admin',
    })
    assert.deepEqual([bare.body.scope, bare.body.application_type], ['openid', 'web'])
  })

  test('a client may register a key instead of a secret', async () => {
    await clear(stage)
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }
    const { status, body } = await register(stage.issuer, {
      ...editor,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    assert.equal(status, 201)
    assert.deepEqual([body.client_secret, body.jwks], [undefined, { keys: [jwk] }])
    const app = new App(stage.issuer, { client: String(body.client_id), client_secret: null })
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'ada', challenge)
    const client_assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(String(body.client_id))
      .setSubject(String(body.client_id))
      .setAudience(stage.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
    const answer = await post(`${stage.issuer}/token`, {
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier,
      client_assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    assert.equal(answer.status, 200)
  })

  test('a client registered for client_secret_post may send its secret in the form', async () => {
    const { body } = await register(stage.issuer, {
      ...editor,
      token_endpoint_auth_method: 'client_secret_post',
    })
    assert.equal(body.token_endpoint_auth_method, 'client_secret_post')
    const answer = await post(`${stage.issuer}/token`, {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: String(body.client_id),
      client_secret: String(body.client_secret),
    })
    // The client authenticates, but lacks the grant.
    assert.equal(answer.body.error_description, notAllowed)
  })

  test('openid-client registers itself and signs in', async () => {
    const config = await openid.dynamicClientRegistration(
      new URL(stage.issuer),
      { ...editor, scope: 'openid email' },
      undefined,
      { execute: [openid.allowInsecureRequests] },
    )
    const verifier = openid.randomPKCECodeVerifier()
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: 'openid email',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const person = newPerson()
    const consent = await person.signIn(await person.open(url), 'grace', goodPassword)
    const back = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    const tokens = await openid.authorizationCodeGrant(config, back.url, { pkceCodeVerifier: verifier })
    assert.equal(tokens.claims()!.email, 'grace@example.org')
  })

  test('turning the setting off stops registered clients at once, and turning it on restores them', async () => {
    await clear(stage)
    await set(stage, 'open')
    const { body } = await register(stage.issuer, {
      ...editor,
      grant_types: ['authorization_code', 'refresh_token'],
    })
    const app = new App(stage.issuer, {
      client: String(body.client_id),
      client_secret: String(body.client_secret),
    })
    const person = newPerson()
    const tokens = (await app.tokens(person, 'ada')).body
    await set(stage, 'off')
    assert.equal((await app.userinfo(tokens.access_token)).status, 401)
    assert.equal((await app.refresh(tokens.refresh_token)).status, 401)
    const page = await person.open(app.authorizeUrl(pkce().challenge))
    assert.deepEqual([page.status, page.url.pathname], [400, '/authorize'])
    await set(stage, 'token')
    assert.equal((await app.userinfo(tokens.access_token)).status, 200)
    const { refresh_token } = (await app.refresh(tokens.refresh_token)).body
    const { clients } = stage.daemon.hero
    await clients.update({ client: app.client.client, is_active: false })
    assert.equal((await app.refresh(refresh_token)).status, 401)
    await clients.update({ client: app.client.client, is_active: true })
    await clients.remove({ client: app.client.client })
    assert.equal((await app.refresh(refresh_token)).status, 401)
  })

  test('registrations are limited each hour for one network, without affecting others', async () => {
    await clear(stage)
    await set(stage, 'open')
    const all = await Promise.all(Array.from({ length: maxHourly + 4 }, () => register(stage.issuer, editor)))
    assert.equal(all.filter(({ status }) => status === 201).length, maxHourly)
    const late = all.find(({ status }) => status === 429)!
    assert.equal(late.body.error, 'temporarily_unavailable')
    assert.equal(late.headers.get('retry-after'), '3600')
    await byHand(stage.daemon, ({ query }) =>
      query.updateTable('clients').set({ registered_from: '192.0.2.1' }).where('dynamic', '=', 1).execute(),
    )
    assert.equal((await register(stage.issuer, editor)).status, 201)
  })
})
