import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ask } from '../support/http.ts'
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

/** The advertised lists; a new value fails here until a test uses it. */
const advertisedLists: Readonly<Record<string, readonly string[]>> = {
  response_types_supported: ['code'],
  // Each has a test below.
  response_modes_supported: ['form_post', 'fragment', 'query'],
  // See token_lifetimes.test and code_flow.test.
  grant_types_supported: [
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:device_code',
  ],
  scopes_supported: ['openid', 'email', 'profile', 'offline_access', 'groups', 'claims'],
  subject_types_supported: ['public'],
  // Each has a test below, and private_key_jwt also in registration.test and metadata_documents.test.
  token_endpoint_auth_methods_supported: [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'none',
  ],
  token_endpoint_auth_signing_alg_values_supported: ['RS256', 'ES256'],
  id_token_signing_alg_values_supported: ['RS256'],
  code_challenge_methods_supported: ['S256'],
  claim_types_supported: ['normal'],
  prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
  acr_values_supported: ['1', 'http://schemas.openid.net/pape/policies/2007/06/multi-factor', 'phr'],
  claims_supported: [
    'sub',
    'email',
    'email_verified',
    'name',
    'preferred_username',
    'updated_at',
    'picture',
    'family_name',
    'given_name',
    'locale',
    'zoneinfo',
    'groups',
    'claims',
    'context',
    'claims_by_reference',
    'acr',
    'sid',
    'auth_time',
    'iss',
  ],
}

/** The advertised flags. */
const advertisedFlags: Readonly<Record<string, boolean>> = {
  // See below: each answer carries iss.
  authorization_response_iss_parameter_supported: true,
  // See token_lifetimes.test.
  backchannel_logout_supported: true,
  backchannel_logout_session_supported: true,
  // See requested_claims.test.
  claims_parameter_supported: true,
  request_uri_parameter_supported: false,
}

/** Advertised while unknown clients may register; see registration.test and metadata_documents.test. */
const registrationMetadata = {
  registration_endpoint: '/oauth/register',
  client_id_metadata_document_supported: true,
}

suite('provider metadata', () => {
  let stage: Provider
  let app: App
  let about: Record<string, unknown>
  before(async () => {
    stage = await startProvider()
    app = new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'wiki',
        client: 'wiki',
        redirect_uris: [callback],
        first_party: true,
      }),
    )
    about = (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as typeof about
  })
  after(() => stage.daemon.close())

  test('oidcc-discovery-endpoint-verification', async () => {
    assert.equal(about.issuer, stage.issuer)
    for (const [name, value] of Object.entries(about))
      if (name.endsWith('_endpoint') || name === 'jwks_uri')
        assert.ok(String(value).startsWith(`${stage.issuer}/`), name)
    const oauth = await (await fetch(`${stage.issuer}/.well-known/oauth-authorization-server`)).json()
    assert.deepEqual(oauth, about)
    const lists = Object.fromEntries(Object.entries(about).filter(([, value]) => Array.isArray(value)))
    assert.deepEqual(lists, advertisedLists)
    const flags = Object.fromEntries(Object.entries(about).filter(([, value]) => typeof value === 'boolean'))
    assert.deepEqual(flags, advertisedFlags)
  })

  test('registration metadata appears while unknown clients may register, and changes nothing else', async () => {
    const { settings } = stage.daemon.hero
    const metadataFor = async (registration: string, documents: string) => {
      await settings.set({ key: 'client_registration', value: registration })
      await settings.set({ key: 'client_metadata_documents', value: documents })
      return (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()
    }
    const registration_endpoint = `${stage.issuer}${registrationMetadata.registration_endpoint}`
    const { client_id_metadata_document_supported } = registrationMetadata
    for (const open of ['token', 'open'])
      assert.deepEqual(await metadataFor(open, 'off'), { ...about, registration_endpoint })
    for (const open of ['public', 'anywhere'])
      assert.deepEqual(await metadataFor('off', open), { ...about, client_id_metadata_document_supported })
    assert.deepEqual(await metadataFor('open', 'anywhere'), {
      ...about,
      registration_endpoint,
      client_id_metadata_document_supported,
    })
    assert.deepEqual(await metadataFor('off', 'off'), about)
  })

  test('the endpoints exist at the host of the public URL alone', async () => {
    await stage.daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: 'http://127.0.0.1:9',
      auth_mode: 'none',
    })
    // At other hosts, services have these paths: 502 is the service that nobody listens for.
    for (const path of [
      '/.well-known/openid-configuration',
      '/authorize',
      '/token',
      '/userinfo',
      '/device',
      '/oauth/introspect',
    ])
      for (const method of ['GET', 'POST'])
        assert.equal((await ask(stage.daemon, 'wiki.localhost', path, { method })).status, 502, path)
    assert.equal((await ask(stage.daemon, 'unknown.localhost', '/authorize')).status, 404)
  })

  test('the query, fragment and form_post response modes each return iss', async () => {
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const byQuery = await person.open(app.authorizeUrl({ ...pkce().challenge, response_mode: 'query' }))
    assert.equal(byQuery.url.searchParams.get('iss'), stage.issuer)
    const byFragment = await person.open(app.authorizeUrl({ ...pkce().challenge, response_mode: 'fragment' }))
    assert.equal(new URLSearchParams(byFragment.url.hash.slice(1)).get('iss'), stage.issuer)
    const byForm = await person.open(app.authorizeUrl({ ...pkce().challenge, response_mode: 'form_post' }))
    assert.match(byForm.text, /name="iss"/)
    const policy = byForm.headers.get('content-security-policy')!
    // The page allows one script. Where the application redirects its form to, only the application knows.
    assert.doesNotMatch(policy, /form-action/)
    assert.match(policy, /script-src 'self' 'sha256-[^']+'/)
    assert.match(policy, /default-src 'none'/)
  })

  test('a client secret is accepted in the header and in the form, and nowhere else', async () => {
    const { client, client_secret } = await stage.daemon.hero.clients.add({
      name: 'program',
      client: 'program',
    })
    const grant = { grant_type: 'client_credentials' }
    const at = `${stage.issuer}/token`
    assert.equal((await post(at, grant, { client, client_secret })).status, 200)
    assert.equal((await post(at, { ...grant, client_id: client, client_secret: client_secret! })).status, 200)
    assert.equal((await post(`${at}?client_id=${client}&client_secret=${client_secret}`, grant)).status, 400)
    assert.equal((await post(at, { ...grant, client_id: client })).status, 401)
    const both = await post(
      at,
      { ...grant, client_id: client, client_secret: client_secret! },
      { client, client_secret },
    )
    assert.equal(both.status, 400)
    for (const wrong of ['', 'x', `${client_secret}x`]) {
      const refused = await post(at, grant, { client, client_secret: wrong })
      assert.ok([400, 401].includes(refused.status))
      assert.equal(JSON.stringify(refused.body).includes(client_secret!), false)
    }
    const challenge = await post(at, grant, { client, client_secret: 'x' })
    assert.match(challenge.headers.get('www-authenticate')!, /^Basic /)
  })

  test('a client assertion is accepted once, for our issuer and before it expires', async () => {
    for (const alg of ['RS256', 'ES256']) {
      const { publicKey, privateKey } = await generateKeyPair(alg)
      const jwk = { ...(await exportJWK(publicKey)), alg, kid: 'k' }
      const { client } = await stage.daemon.hero.clients.add({ name: alg, jwks: { keys: [jwk] } })
      const assertion = (change: { aud?: string; iss?: string; exp?: string } = {}) =>
        new SignJWT({ jti: crypto.randomUUID() })
          .setProtectedHeader({ alg, kid: 'k' })
          .setIssuer(change.iss ?? client)
          .setSubject(client)
          .setAudience(change.aud ?? stage.issuer)
          .setIssuedAt()
          .setExpirationTime(change.exp ?? '1m')
          .sign(privateKey)
      const send = (client_assertion: string) =>
        post(`${stage.issuer}/token`, {
          grant_type: 'client_credentials',
          client_assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        })
      const right = await assertion()
      assert.equal((await send(right)).status, 200)
      assert.equal((await send(right)).status, 401, 'sent twice')
      for (const wrong of [{ aud: 'https://elsewhere.test' }, { iss: 'wiki' }, { exp: '-1m' }])
        assert.equal((await send(await assertion(wrong))).status, 401, JSON.stringify(wrong))
      assert.equal((await send(`${right.slice(0, -4)}AAAA`)).status, 401)
    }
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = (await exportJWK(privateKey)) as Record<string, unknown>
    await refused(
      stage.daemon.hero.clients.add({ name: 'x', jwks: { keys: [jwk] } }),
      'invalid_params',
      'jwks.keys.0',
    )
  })

  test('CORS lets any origin read discovery and keys, and the origin of a client its token and userinfo', async () => {
    const { hero } = stage.daemon
    await hero.clients.add({
      anyone: true,
      name: 'page',
      client: 'page',
      public: true,
      redirect_uris: ['https://page.test/cb'],
    })
    const from = (origin: string, path: string, init: RequestInit = {}) =>
      fetch(`${stage.issuer}${path}`, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), origin },
      })
    const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin')
    for (const path of ['/.well-known/openid-configuration', '/.well-known/jwks.json'])
      assert.ok(allowed(await from('https://any.test', path)), path)
    const token = {
      method: 'POST',
      body: new URLSearchParams({
        client_id: 'page',
        grant_type: 'authorization_code',
        code: 'x',
        code_verifier: 'x'.repeat(43),
        redirect_uri: 'https://page.test/cb',
      }),
    }
    assert.ok(allowed(await from('https://page.test', '/token', token)))
    const stranger = await from('https://evil.test', '/token', token)
    assert.equal(allowed(stranger), null)
    assert.match(await stranger.text(), /not allowed/)
    for (const path of ['/rpc', '/auth/login', '/auth/me', '/health'])
      assert.equal(allowed(await from('https://page.test', path)), null, path)
    const { body } = await app.tokens(newPerson(), 'ada')
    const bearer = { headers: { authorization: `Bearer ${body.access_token}` } }
    assert.equal(allowed(await from('https://evil.test', '/userinfo', bearer)), null)
    const credentials = await from('http://localhost:4999', '/userinfo', bearer)
    assert.equal(credentials.status, 200)
    // Credentialed requests are never allowed.
    assert.equal(credentials.headers.get('access-control-allow-credentials'), null)
  })
})
