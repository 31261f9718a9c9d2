import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { refused } from '../support/refused.ts'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
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

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** A browser that stops at the redirect URI of an app. */
const ending = (redirectUri: string) => new Person(({ href }) => href.startsWith(redirectUri))

suite('requests that applications send in their own way', () => {
  let stage: Provider
  let app: App
  before(async () => {
    stage = await startProvider()
    app = await add({ client: 'wiki', first_party: true, grants: ['authorization_code', 'device_code'] })
  })
  after(() => stage.daemon.close())

  const add = async (fields: Partial<Parameters<Provider['daemon']['hero']['clients']['add']>[0]>) =>
    new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'An app',
        redirect_uris: [callback],
        ...fields,
      }),
    )

  test('without a scope, openid is granted (RFC 6749 section 3.3)', async () => {
    for (const scope of [undefined, '']) {
      const { status, body } = await app.tokens(newPerson(), 'ada', { scope })
      assert.equal(status, 200)
      assert.equal(body.scope, 'openid')
      assert.deepEqual(Object.keys((await (await app.userinfo(body.access_token)).json()) as object), ['sub'])
    }
    const pushed = await post(
      `${stage.issuer}/oauth/par`,
      { client_id: 'wiki', response_type: 'code', redirect_uri: callback, ...pkce().challenge },
      app.client,
    )
    assert.equal(pushed.status, 201, JSON.stringify(pushed.body))
    const { body: device } = await post(`${stage.issuer}/oauth/device`, {}, app.client)
    const person = newPerson()
    let page = await person.submit(await person.open(`${stage.issuer}/device`), '/device', {
      user_code: String(device.user_code),
    })
    page = await person.submit(page, '/device', { confirm: 'yes' })
    page = await person.signIn(page, 'ada', goodPassword)
    assert.match(page.text, /is signed in/)
    const { body } = await app.token({ grant_type: deviceGrant, device_code: String(device.device_code) })
    assert.equal(body.scope, 'openid')
  })

  test('unknown scopes alone are invalid_scope, and beside known ones they are ignored', async () => {
    for (const person of [newPerson(), await signedIn()])
      for (const scope of ['wiki:edit', 'read', 'wiki:edit admin']) {
        const page = await person.open(app.authorizeUrl({ ...pkce().challenge, scope }))
        assert.equal(page.url.searchParams.get('error'), 'invalid_scope', `${scope} ${page.url}`)
      }
    const { body } = await app.tokens(newPerson(), 'ada', { scope: 'openid wiki:edit' })
    assert.equal(body.scope, 'openid')
  })

  const signedIn = async (login = 'ada') => {
    const person = newPerson()
    await app.signIn(person, login, pkce().challenge)
    return person
  }

  test('prompt=select_account asks which account, and another one can sign in', async () => {
    const discovery = (await (
      await fetch(`${stage.issuer}/.well-known/openid-configuration`)
    ).json()) as object
    assert.deepEqual((discovery as Record<string, unknown>).prompt_values_supported, [
      'none',
      'login',
      'consent',
      'select_account',
    ])
    const subjectOf = async (url: URL, code_verifier: string) =>
      payloadOf((await app.redeem(url.searchParams.get('code')!, code_verifier)).body.id_token).sub
    const [ada, grace] = await Promise.all(
      ['ada', 'grace'].map(async (username) => (await stage.daemon.hero.users.get({ username })).id),
    )
    const person = await signedIn()
    const ask = () => {
      const { challenge, code_verifier } = pkce()
      return { url: app.authorizeUrl({ ...challenge, prompt: 'select_account' }), code_verifier }
    }
    // The same account.
    let asked = ask()
    let page = await person.open(asked.url)
    assert.match(page.text, /Which account\?/)
    page = await person.submit(page, '/auth/consent/', { answer: 'stay' })
    assert.equal(await subjectOf(page.url, asked.code_verifier), ada)
    // Another account.
    asked = ask()
    page = await person.submit(await person.open(asked.url), '/auth/consent/', { answer: 'switch' })
    assert.equal(page.url.pathname, '/auth/login')
    page = await person.signIn(page, 'grace', goodPassword)
    assert.equal(await subjectOf(page.url, asked.code_verifier), grace)
    // A guest chooses by signing in, and reads no other question.
    asked = ask()
    const guest = newPerson()
    page = await guest.signIn(await guest.open(asked.url), 'grace', goodPassword)
    assert.equal(await subjectOf(page.url, asked.code_verifier), grace)
    // Together with login, the person also proves who they are.
    page = await person.open(app.authorizeUrl({ ...pkce().challenge, prompt: 'select_account login' }))
    page = await person.submit(page, '/auth/consent/', { answer: 'stay' })
    assert.equal(page.url.pathname, '/auth/prove')
    const none = await person.open(app.authorizeUrl({ ...pkce().challenge, prompt: 'none select_account' }))
    assert.equal(none.url.searchParams.get('error'), 'invalid_request')
  })

  test('a native client is not asked for again at a claimed https address, and always elsewhere (RFC 8252 section 8.6)', async () => {
    const claimed = 'https://app.example.org/callback'
    const loopback = 'http://127.0.0.1/callback'
    const custom = 'org.example.app:/callback'
    const native = { native: true, public: true, redirect_uris: [claimed, loopback, custom] }
    for (const [first_party, again] of [
      [true, false],
      [false, true],
    ] as const) {
      const { client } = await add({ ...native, first_party })
      const visit = async (person: Person, redirect_uri: string) => {
        const one = new App(stage.issuer, client)
        let page = await person.open(one.authorizeUrl({ ...pkce().challenge, redirect_uri }))
        if (page.url.pathname === '/auth/login') page = await person.signIn(page, 'ada', goodPassword)
        const asked = page.url.pathname.startsWith('/auth/consent/')
        if (asked) page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
        assert.ok(page.url.searchParams.get('code'), String(page.url))
        return asked
      }
      const atClaimed = ending(claimed)
      assert.equal(await visit(atClaimed, claimed), again)
      assert.equal(await visit(atClaimed, claimed), false)
      for (const uri of ['http://127.0.0.1:5123/callback', custom]) {
        const person = ending(uri)
        assert.equal(await visit(person, uri), true, uri)
        assert.equal(await visit(person, uri), true, uri)
      }
      const silent = await atClaimed.open(
        new App(stage.issuer, client).authorizeUrl({
          ...pkce().challenge,
          redirect_uri: claimed,
          prompt: 'none',
        }),
      )
      assert.ok(silent.url.searchParams.get('code'), String(silent.url))
    }
  })

  test('an administrator may enter schemes without a dot and private http addresses for a native client', async () => {
    for (const redirect_uri of [
      'audiobookshelf://oauth',
      'http://192.168.1.5:13378/callback',
      'http://nas.local/cb',
    ]) {
      const { client } = await add({
        native: true,
        redirect_uris: [redirect_uri, 'https://abs.example.org/callback'],
        post_logout_redirect_uris: [redirect_uri],
      })
      const native = new App(stage.issuer, client)
      const person = ending(redirect_uri)
      const { challenge, code_verifier } = pkce()
      let page = await person.open(native.authorizeUrl({ ...challenge, redirect_uri }))
      page = await person.signIn(page, 'ada', goodPassword)
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
      const code = page.url.searchParams.get('code')!
      const { status } = await native.token({
        grant_type: 'authorization_code',
        code,
        redirect_uri,
        code_verifier,
      })
      assert.equal(status, 200, redirect_uri)
    }
    for (const uri of [
      'javascript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:x',
      'about:blank',
      'ws://host/',
      'mailto:ada@example.org',
      'intent://x',
      'view-source:x',
      'http://8.8.8.8/cb',
      'http://wiki.example.org/cb',
      'audiobookshelf://oauth#x',
      'audiobookshelf://*',
      'http://10.0.0.1.nip.io/',
    ])
      await refused(add({ native: true, redirect_uris: [uri] }), 'invalid_params', 'redirect_uris.0')
    await refused(add({ redirect_uris: ['audiobookshelf://oauth'] }), 'invalid_params')
    await stage.daemon.hero.settings.set({ key: 'client_registration', value: 'open' })
    for (const uri of ['audiobookshelf://oauth', 'http://192.168.1.5/cb']) {
      const answer = await fetch(`${stage.issuer}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [uri], application_type: 'native' }),
      })
      assert.equal(answer.status, 400, uri)
    }
  })

  test('a client_id may be of any printable characters', async () => {
    for (const client of [
      'http://nas.local:8123/',
      'app@tenant',
      'com.example:app/1',
      '~!$&\'()*+,;=%"<>|',
      '_',
    ]) {
      const odd = await add({ client, first_party: true })
      const { status, body } = await odd.tokens(newPerson(), 'ada')
      assert.equal(status, 200, client)
      assert.equal(payloadOf(body.id_token).aud, client)
      assert.equal((await stage.daemon.hero.clients.get({ client })).client, client)
      await stage.daemon.hero.consents.revoke({ client, user: 'ada' })
      assert.equal((await odd.userinfo(body.access_token)).status, 401)
    }
    for (const client of ['', 'a b', 'tab\t', 'ä', 'x'.repeat(129), 'service:wiki', 'SERVICE:wiki'])
      await refused(add({ client }), 'invalid_params', 'client')
  })
})
