import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { ask } from '../support/http.ts'
import { byHand, signedIn } from '../support/people.ts'
import type { Person } from '../support/person.ts'
import {
  App,
  atCallback,
  callback,
  newPerson,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('who gets no authorization code', () => {
  let stage: Provider
  let app: App
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    app = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'wiki',
        client: 'wiki',
        redirect_uris: [callback],
        first_party: true,
        grants: ['authorization_code', 'client_credentials'],
      }),
    )
  })
  after(() => stage.daemon.close())

  const authorizeUrl = (params = {}) => app.authorizeUrl({ ...pkce().challenge, ...params })
  /** Asserts that neither a page nor prompt=none gives a code. */
  const assertNotSignedIn = async (person: Person) => {
    const page = await person.open(authorizeUrl())
    assert.equal(page.url.pathname, '/auth/login')
    const { url } = await person.open(authorizeUrl({ prompt: 'none' }))
    assert.equal(url.searchParams.get('error'), 'login_required')
  }

  test('a person who still has to enter a second factor', async () => {
    await stage.daemon.hero.users.add({
      username: 'linus',
      email: 'linus@example.org',
      password: goodPassword,
    })
    const secret = await enrol(await signedIn(stage.daemon, 'linus'))
    const person = newPerson()
    const half = await person.signIn(await person.open(authorizeUrl()), 'linus', goodPassword)
    assert.equal(atCallback(half.url), false)
    assert.match(half.text, /action="\/auth\/factor"/)
    await assertNotSignedIn(person)
    // With the code, the sign-in continues to the client.
    const back = await person.submit(half, '/auth/factor', { code: codeOf(secret, 1) })
    assert.ok(back.url.searchParams.get('code'), back.text)
  })

  test('a person whose email address is unconfirmed', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'mary', email: 'mary@example.org', password: goodPassword })
    const person = newPerson()
    const { code_verifier, challenge } = pkce()
    const { body } = await app.tokens(person, 'mary', { scope: 'openid offline_access' })
    const pending = await app.signIn(person, 'mary', challenge)
    const { id } = await hero.users.get({ username: 'mary' })
    const confirm = (at: number | null) =>
      byHand(stage.daemon, async (database) => {
        const change = database.query.updateTable('users').set({ email_verified_at: at })
        await change.where('id', '=', id).execute()
        database.changed('users')
      })
    await confirm(null)
    await assertNotSignedIn(person)
    assert.equal((await app.redeem(pending.get('code')!, code_verifier)).status, 400)
    assert.equal((await app.refresh(body.refresh_token)).status, 400)
    assert.equal((await app.userinfo(body.access_token)).status, 401)
    const { body: known } = await post(
      `${stage.issuer}/oauth/introspect`,
      { token: body.access_token },
      app.client,
    )
    assert.deepEqual(known, { active: false })
  })

  test('an administrator who impersonates another account', async () => {
    const { hero } = stage.daemon
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const cookie = person.cookiesAt(new URL(stage.issuer))
    const { body } = await ask(stage.daemon, new URL(stage.issuer).host, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Cookie', cookie, 'Origin', stage.issuer],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.impersonate', params: { user: 'grace' } }),
    })
    assert.equal((JSON.parse(body) as { error?: object }).error, undefined, body)
    const { url } = await person.open(authorizeUrl({ prompt: 'none' }))
    assert.equal(url.searchParams.get('error'), 'login_required')
    const page = await person.open(authorizeUrl())
    assert.deepEqual([page.status, atCallback(page.url)], [409, false])
    assert.match(page.text, /Not while you impersonate grace/)
    // Signing out ends the whole session, including the impersonation.
    const confirm = await person.open(`${stage.issuer}/oauth/logout`)
    const out = await person.submit(confirm, '/oauth/logout/confirm', { logout: 'yes' })
    assert.match(out.text, /Signed out/)
    assert.equal((await hero.sessions.list({ user: 'ada' })).items.length, 0)
  })

  test('a person whose session was revoked, or who has a planted cookie', async () => {
    const person = newPerson()
    await app.signIn(person, 'grace', pkce().challenge)
    const { hero } = stage.daemon
    for (const { id } of (await hero.sessions.list({ user: 'grace' })).items)
      await hero.sessions.revoke({ id })
    await assertNotSignedIn(person)
    const planted = await newPerson().open(authorizeUrl({ prompt: 'none' }), {
      headers: { cookie: 'hero_proxy_session=planted; hero_proxy_openid=planted' },
    })
    assert.equal(planted.url.searchParams.get('error'), 'login_required')
  })

  test('prompt=none shows no page, whatever the other parameters are', async () => {
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const requests: Record<string, string>[] = [
      { max_age: '0' },
      { prompt: 'none login' },
      { prompt: 'none consent' },
      { scope: 'openid offline_access' },
      { display: 'popup', ui_locales: 'xx', login_hint: 'grace', acr_values: '9' },
      { scope: 'openid unknown' },
      { scope: 'openid', resource: 'https://elsewhere.test/' },
      { response_type: 'token' },
      { code_challenge_method: 'plain' },
      { id_token_hint: 'x' },
      { request: 'x.y.z' },
      { request_uri: 'https://elsewhere.test/' },
      { max_age: '-1' },
    ]
    for (const params of requests) {
      const page = await person.open(authorizeUrl({ prompt: 'none', ...params }))
      assert.ok(atCallback(page.url), `${JSON.stringify(params)} ended at ${page.url}: ${page.text}`)
      // In the fragment if the response type requires it (OAuth 2.0 Multiple Response Types section 5).
      const answer = new URLSearchParams(page.url.search || page.url.hash.slice(1))
      assert.equal(answer.get('iss'), stage.issuer, JSON.stringify(params))
    }
  })

  test('a client that is disabled, has no redirect URI or lacks the grant', async () => {
    const { hero } = stage.daemon
    const program = await hero.clients.add({ name: 'program', client: 'program' })
    const own = () => post(`${stage.issuer}/token`, { grant_type: 'client_credentials' }, program)
    const ofProgram = new App(stage.issuer, program)
    for (const redirect_uri of [callback, undefined]) {
      const page = await newPerson().open(ofProgram.authorizeUrl({ ...pkce().challenge, redirect_uri }))
      assert.deepEqual([page.status, page.url.origin], [400, stage.issuer])
      assert.match(page.text, /Error 400 · <code>[\w-]{8,}<\/code>/)
    }
    assert.equal((await own()).status, 200)
    await hero.clients.update({ client: 'program', is_active: false })
    assert.deepEqual([(await own()).status, (await own()).body.error], [401, 'invalid_client'])
    await hero.clients.update({ client: 'program', is_active: true })
    // Neither grants that the client lacks nor grants that the provider does not support.
    for (const grant_type of ['authorization_code', 'refresh_token', 'password', 'implicit', 'urn:x', '']) {
      const { status, body } = await post(
        `${stage.issuer}/token`,
        { grant_type, username: 'ada', password: goodPassword, code: 'x', refresh_token: 'x' },
        program,
      )
      assert.equal(status, 400, grant_type)
      assert.match(String(body.error), /^(unauthorized_client|unsupported_grant_type|invalid_request)$/)
    }
    const page = { name: 'page', public: true, redirect_uris: [callback] }
    await assert.rejects(hero.clients.add({ anyone: true, ...page, grants: ['client_credentials'] }), {
      code: 'invalid_params',
    })
  })
})
