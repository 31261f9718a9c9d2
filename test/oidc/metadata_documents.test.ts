import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { after, before, suite, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { MetadataDocuments } from '../../src/oidc/metadata_documents.ts'
import { selfSigned } from '../../src/tls/self_signed.ts'
import { goodPassword } from '../support/daemon.ts'
import { stopAtFullMinute } from './full_minute.ts'
import { Person } from '../support/person.ts'
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

type Answer = (request: IncomingMessage, response: ServerResponse) => void
type Document = Record<string, unknown>

suite('client ID metadata documents', () => {
  let stage: Provider
  let site: Server
  let origin: string
  const answers = new Map<string, Answer>()
  const fetched: string[] = []
  const trusted = getCACertificates('default')

  before(async () => {
    const pair = selfSigned('localhost')
    setDefaultCACertificates([...trusted, pair.cert])
    site = createServer(pair, (request, response) => {
      fetched.push(request.url!)
      answers.get(request.url!)?.(request, response)
    }).listen(0, '127.0.0.1')
    await once(site, 'listening')
    origin = `https://localhost:${(site.address() as AddressInfo).port}`
    stage = await startProvider()
  })
  after(async () => {
    setDefaultCACertificates(trusted)
    site.close()
    site.closeAllConnections()
    await stage.daemon.close()
  })

  const set = (value: string) => stage.daemon.hero.settings.set({ key: 'client_metadata_documents', value })

  let count = 0
  /** Publishes a document at a new URL and returns the URL. */
  const publish = (change: Document | Answer = {}, headers: Record<string, string> = {}): string => {
    const path = `/client-${++count}`
    const client_id = `${origin}${path}`
    const document = {
      client_id,
      client_name: 'Far editor',
      redirect_uris: [callback],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      ...change,
    }
    const say: Answer = (_, response) => {
      for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...headers }))
        response.setHeader(name, value)
      response.end(JSON.stringify(document))
    }
    answers.set(path, typeof change === 'function' ? change : say)
    return client_id
  }

  const begin = (client: string, person = newPerson(), scope = 'openid email') => {
    const app = new App(stage.issuer, { client, client_secret: null })
    const { code_verifier, challenge } = pkce()
    return { app, person, code_verifier, url: app.authorizeUrl({ ...challenge, scope }) }
  }

  const discovery = async () =>
    (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as Document

  /** Signs in to an application whose document names an address for notices, and returns the session of the notice that comes. */
  const visit = async (login: string, logout: string) => {
    const client = publish({ backchannel_logout_uri: logout, backchannel_logout_session_required: true })
    const { app, person, url, code_verifier } = begin(client)
    let page = await person.signIn(await person.open(url), login, goodPassword)
    if (page.url.pathname.startsWith('/auth/consent/'))
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
    const { body } = await app.redeem(page.url.searchParams.get('code')!, code_verifier)
    return { client, person, sid: payloadOf(body.id_token).sid }
  }
  const notices: { path: string; body: string }[] = []
  const receiver = (): string => {
    const path = `/logout-${++count}`
    answers.set(path, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        notices.push({ path, body })
        response.end()
      })
    })
    return `${origin}${path}`
  }
  const noticeAt = async (address: string) => {
    for (let i = 0; i < 100; i++) {
      const found = notices.find(({ path }) => address.endsWith(path))
      if (found) return payloadOf(new URLSearchParams(found.body).get('logout_token')!)
      await setTimeout(100)
    }
    throw new Error('no notice came')
  }

  test('off: the client is unknown and its document is not fetched', async () => {
    assert.equal('client_id_metadata_document_supported' in (await discovery()), false)
    const { person, url } = begin(publish())
    assert.equal((await person.open(url)).status, 400)
    assert.deepEqual(fetched, [])
  })

  test('public: no request reaches a private address, by name or by IP address', async () => {
    await set('public')
    assert.equal((await discovery()).client_id_metadata_document_supported, true)
    const near = publish()
    for (const client of [
      near,
      near.replace('localhost', '127.0.0.1'),
      near.replace('localhost', '[::ffff:7f00:1]'),
    ]) {
      const page = await newPerson().open(begin(client).url)
      assert.equal(page.status, 400, client)
      assert.equal(page.url.pathname, '/authorize')
    }
    assert.deepEqual(fetched, [])
  })

  test('public: a configured back-channel logout URI does not become fetchable as a document', async () => {
    const backchannel_logout_uri = publish()
    await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'Near',
      client: 'near',
      redirect_uris: [callback],
      backchannel_logout_uri,
    })
    // The URI is known once its client has been used.
    assert.equal((await newPerson().open(begin('near').url)).status, 200)
    assert.equal((await newPerson().open(begin(backchannel_logout_uri).url)).status, 400)
    assert.deepEqual(fetched, [])
    await stage.daemon.hero.clients.remove({ client: 'near' })
  })

  test('anywhere: a client signs in, and the consent page names the host of its document', async () => {
    await set('anywhere')
    const client = publish()
    const { app, person, code_verifier, url } = begin(client, newPerson(), 'openid email offline_access')
    const consent = await person.signIn(await person.open(url), 'ada', goodPassword)
    assert.match(consent.url.pathname, /^\/auth\/consent\//)
    assert.match(consent.text, /Give Far editor access\?/)
    assert.ok(consent.text.includes(`describes itself at <strong>${new URL(origin).host}</strong>`))
    const back = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    assert.ok(atCallback(back.url))
    const { status, body } = await app.redeem(back.url.searchParams.get('code')!, code_verifier)
    assert.equal(status, 200)
    const about = (await (await app.userinfo(body.access_token)).json()) as Document
    assert.equal(about.email, 'ada@example.org')
    const renewed = (await app.refresh(body.refresh_token)).body
    assert.ok(renewed.access_token)
    // The document was fetched once for the whole flow.
    assert.equal(fetched.filter((path) => client.endsWith(path)).length, 1)

    // The page of applications lists the consent, and asks before it revokes it.
    const ada = stage.daemon.hero.as(
      (await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })).access_token,
    )
    const { items } = await ada.consents.list({})
    assert.deepEqual(
      items.map(({ client }) => client),
      [client],
    )
    const applications = await person.open(`${stage.issuer}/auth/applications`)
    const question = await person.follow(applications, '/auth/account/revoke_consent')
    const done = await person.submit(question, '/auth/account/revoke_consent', {})
    assert.equal(done.url.pathname, '/auth/applications')
    assert.deepEqual((await ada.consents.list({})).items, [])
    assert.equal((await app.userinfo(renewed.access_token)).status, 401)
  })

  test('the client has no more rights than any other unknown client', async () => {
    const client = publish()
    const admin = begin(client, newPerson(), 'openid admin')
    admin.url.searchParams.set('resource', stage.issuer)
    const page = await admin.person.open(admin.url)
    assert.equal(page.url.searchParams.get('error'), 'invalid_scope')
    const bare = new App(stage.issuer, { client, client_secret: null })
    assert.equal(
      (await newPerson().open(bare.authorizeUrl())).url.searchParams.get('error'),
      'invalid_request',
    )
    assert.equal((await bare.token({ grant_type: 'client_credentials' })).status, 400)
    const elsewhere = begin(client)
    elsewhere.url.searchParams.set('redirect_uri', 'https://evil.test/cb')
    assert.equal((await newPerson().open(elsewhere.url)).status, 400)
  })

  test('without application_type, the redirect URIs show a native client, which may use any loopback port', async () => {
    await set('off')
    await set('anywhere')
    for (const [written, used] of [
      ['http://127.0.0.1/cb', 'http://127.0.0.1:5123/cb'],
      ['http://localhost:1/cb', 'http://localhost:5124/cb'],
      ['org.example.editor:/cb', 'org.example.editor:/cb'],
    ] as const) {
      const client = publish({ redirect_uris: [written, 'https://editor.example.org/cb'] })
      const app = new App(stage.issuer, { client, client_secret: null })
      const person = new Person(({ href }) => href.startsWith(used))
      const { challenge, code_verifier } = pkce()
      let page = await person.open(app.authorizeUrl({ ...challenge, redirect_uri: used }))
      page = await person.signIn(page, 'ada', goodPassword)
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
      const code = page.url.searchParams.get('code')!
      const fields = { grant_type: 'authorization_code', code, redirect_uri: used, code_verifier }
      assert.equal((await app.token(fields)).status, 200, written)
    }
    const web = publish({ application_type: 'web', redirect_uris: ['http://127.0.0.1/cb'] })
    const app = new App(stage.issuer, { client: web, client_secret: null })
    const params = { ...pkce().challenge, redirect_uri: 'http://127.0.0.1:5123/cb' }
    assert.equal((await newPerson().open(app.authorizeUrl(params))).status, 400)
    const dotless = publish({ redirect_uris: ['audiobookshelf://oauth'] })
    assert.equal((await newPerson().open(begin(dotless).url)).status, 400)
    await stage.daemon.hero.consents.list({ user: 'ada' }).then(async ({ items }) => {
      for (const { client } of items) await stage.daemon.hero.consents.revoke({ user: 'ada', client })
    })
  })

  test('a client may authenticate with a key from its document', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }
    const client = publish({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } })
    const { app, code_verifier } = begin(client)
    const challenge = pkce()
    const back = await app.signIn(newPerson(), 'ada', challenge.challenge)
    const fields = {
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier: challenge.code_verifier,
    }
    assert.notEqual(code_verifier, challenge.code_verifier)
    assert.equal((await app.token(fields)).status, 401)
    const client_assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(client)
      .setSubject(client)
      .setAudience(stage.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
    const answer = await post(`${stage.issuer}/token`, {
      ...fields,
      client_assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    assert.equal(answer.status, 200)
  })

  test('an invalid document is refused, without a redirect', async () => {
    const json: Answer = (_, response) => void response.setHeader('content-type', 'application/json')
    const bad: readonly (readonly [string, Document | Answer, Record<string, string>?])[] = [
      ['another client_id', { client_id: 'https://app.test/' }],
      ['a client_id that differs slightly', { client_id: `${origin}/client` }],
      ['a secret', { client_secret: 'x' }],
      ['a method that needs a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
      ['no method', { token_endpoint_auth_method: undefined }],
      ['a key method without keys', { token_endpoint_auth_method: 'private_key_jwt' }],
      ['a jwks_uri', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${origin}/keys` }],
      ['no redirect_uris', { redirect_uris: undefined }],
      ['an empty redirect_uris', { redirect_uris: [] }],
      ['a javascript: redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
      ['an http: redirect URI', { redirect_uris: [callback, 'http://app.test/cb'] }],
      ['a wildcard in a redirect URI', { redirect_uris: ['https://app.test/*', callback] }],
      ['a fragment in a redirect URI', { redirect_uris: [callback, 'https://app.test/#x'] }],
      ['userinfo in a redirect URI', { redirect_uris: [callback, 'https://localhost@evil.test/'] }],
      ['an http: post-logout redirect URI', { post_logout_redirect_uris: ['http://app.test/'] }],
      ['a name with a direction override', { client_name: 'Editor\u202ekcatta' }],
      ['a name that is too long', { client_name: 'Your own wiki. '.repeat(20) }],
      ['an invisible name', { client_name: '\u200b' }],
      ['the client_credentials grant', { grant_types: ['authorization_code', 'client_credentials'] }],
      [
        'the device_code grant',
        { grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] },
      ],
      ['invalid JSON', (_, response) => void response.setHeader('content-type', 'application/json').end('{')],
      [
        'a JSON array',
        (_, response) => void response.setHeader('content-type', 'application/json').end('[]'),
      ],
      ['another content type', {}, { 'content-type': 'text/html' }],
      ['no content type', {}, { 'content-type': '' }],
      ['a redirect', (_, response) => void response.writeHead(302, { location: `${origin}/client-1` }).end()],
      ['an error', (_, response) => void response.writeHead(500).end()],
      ['a document that is too long', { filler: 'x'.repeat(6000) }],
      [
        'an endless document',
        (request, response) => {
          json(request, response)
          const timer = setInterval(() => response.write(' '.repeat(1000)), 5)
          response.on('close', () => clearInterval(timer))
        },
      ],
    ]
    for (const [what, change, headers] of bad) {
      // Setting it again resets the limit of twenty fetches a minute.
      await set('off')
      await set('anywhere')
      const client = publish(change, headers)
      const page = await newPerson().open(begin(client).url)
      assert.deepEqual([page.status, page.url.pathname], [400, '/authorize'], what)
      assert.equal(fetched.filter((path) => client.endsWith(path)).length, 1, what)
    }
    assert.equal(fetched.includes('/keys'), false)
  })

  test('invalid document URLs are not fetched', async () => {
    await set('off')
    await set('anywhere')
    const before = fetched.length
    const { port } = new URL(origin)
    for (const client of [
      `http://localhost:${port}/client-1`,
      `https://x@localhost:${port}/client-1`,
      `https://localhost:${port}/a/../client-1`,
      `https://localhost:${port}/client-1#x`,
      `https://localhost:${port}/client-1\\x`,
      `https://localhost:${port}/${'x'.repeat(500)}`,
      'https://',
      'javascript:alert(1)',
    ])
      assert.equal((await newPerson().open(begin(client).url)).status, 400, client)
    assert.equal(fetched.length, before)
  })

  test('a document server that does not answer times out', { timeout: 20_000 }, async () => {
    const client = publish(() => {})
    assert.equal((await newPerson().open(begin(client).url)).status, 400)
  })

  test('the fetch limit for unknown clients does not affect a client that has a consent', async (t) => {
    const known = begin(publish())
    const consent = await known.person.signIn(await known.person.open(known.url), 'ada', goodPassword)
    await known.person.submit(consent, '/auth/consent/', { answer: 'allow' })
    await set('off')
    await set('anywhere')
    const before = fetched.length
    stopAtFullMinute(t)
    await Promise.all(
      Array.from({ length: 30 }, () => newPerson().open(begin(publish({ client_id: 'x' })).url)),
    )
    assert.ok(fetched.length - before <= 20, String(fetched.length - before))
    assert.equal((await newPerson().open(begin(publish()).url)).status, 400)
    assert.equal((await newPerson().open(known.url)).url.pathname, '/auth/login')
  })

  test('turning the setting off stops such clients at once', async () => {
    await set('off')
    await set('anywhere')
    const { app, person, code_verifier, url } = begin(publish())
    const consent = await person.signIn(await person.open(url), 'ada', goodPassword)
    const back = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    const { body } = await app.redeem(back.url.searchParams.get('code')!, code_verifier)
    assert.equal((await app.userinfo(body.access_token)).status, 200)
    await set('off')
    assert.equal((await app.userinfo(body.access_token)).status, 401)
    assert.equal((await app.refresh(body.refresh_token)).status, 401)
    assert.equal((await new Person().open(url)).status, 400)
  })

  test('an application hears by back channel that the session ended, or that its person may not enter any more', async () => {
    const { hero } = stage.daemon
    await set('anywhere')
    const [first, second] = [receiver(), receiver()]
    const ended = await visit('grace', first)
    await hero.sessions.revoke_all({ user: 'grace' })
    const told = await noticeAt(first)
    assert.deepEqual([told.sid, told.aud], [ended.sid, ended.client])
    const lost = await visit('grace', second)
    await hero.settings.set({ key: 'client_default_claims', value: 'groups.nobody' })
    assert.equal((await noticeAt(second)).sid, lost.sid)
    assert.equal(
      (await stage.daemon.hero.sessions.list({ user: 'grace' })).items.length,
      1,
      'at home she stays',
    )
    await hero.settings.set({ key: 'client_default_claims', value: '' })
  })

  test('public: a notice reaches no private address, and none is http', async () => {
    const inside = receiver()
    const documents = new MetadataDocuments('public', async () => true)
    await assert.rejects(documents.fetch(inside, { method: 'POST' }), /may call/)
    documents.trustAsDocument(inside)
    await assert.rejects(documents.fetch(inside, { method: 'POST' }))
    assert.ok(!fetched.some((path) => inside.endsWith(path)))
    await set('anywhere')
    const plain = publish({ backchannel_logout_uri: 'http://localhost:9/' })
    assert.equal((await newPerson().open(begin(plain).url)).status, 400)
  })
})
