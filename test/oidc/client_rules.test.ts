import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { enrolled } from '../support/factors.ts'
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
import { signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const secondAcr = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'
const introspect = async ({ issuer, client }: App, token: string) =>
  (await post(`${issuer}/oauth/introspect`, { token }, client)).body

suite('who may enter an application', () => {
  let stage: Provider
  let codes: readonly string[]
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'staff' })
    await hero.groups.add_member({ group: 'staff', user: 'grace' })
    await hero.users.add({ username: 'eve', email: 'eve@example.org', password: goodPassword })
    codes = (await enrolled(await signedIn(stage.daemon, 'eve'))).recovery_codes
  })
  after(() => stage.daemon.close())

  let count = 0
  const add = async (rule: { required_claims?: string[]; proof?: 'second' | 'passkey' }) => {
    const client = `app${++count}`
    const { client_secret } = await stage.daemon.hero.clients.add({
      name: client,
      client,
      first_party: true,
      redirect_uris: [callback],
      scopes: ['openid', 'email', 'profile', 'offline_access', 'groups', 'read'],
      ...(rule.required_claims ? {} : { anyone: true }),
      ...rule,
    })
    return new App(stage.issuer, { client, client_secret })
  }
  const open = (app: App, params: Record<string, string> = {}, person = newPerson()) => {
    const { code_verifier, challenge } = pkce()
    return { code_verifier, person, page: person.open(app.authorizeUrl({ ...challenge, ...params })) }
  }

  /** Tokens with a JWT for our own doors. */
  const forUs = async (app: App, login: string) => {
    const { code_verifier, challenge } = pkce()
    const about = { scope: 'openid read', resource: stage.issuer }
    const back = await app.signIn(newPerson(), login, { ...challenge, ...about })
    return app.token({
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier,
      resource: stage.issuer,
    })
  }

  test('nobody is let in by default: an administrator says who', async () => {
    const { clients } = stage.daemon.hero
    const fields = { name: 'x', client: 'none', redirect_uris: [callback] }
    await refused(clients.add(fields), 'invalid_params', 'required_claims')
    await refused(clients.add({ ...fields, anyone: false }), 'invalid_params', 'required_claims')
    await refused(
      clients.add({ ...fields, anyone: true, required_claims: ['a'] }),
      'invalid_params',
      'anyone',
    )
    await clients.add({ ...fields, anyone: true })
    await refused(
      clients.update({ client: 'none', required_claims: [] }),
      'invalid_params',
      'required_claims',
    )
    assert.equal((await clients.update({ client: 'none', required_claims: ['groups.staff'] })).anyone, false)
    assert.equal((await clients.update({ client: 'none', anyone: true })).anyone, true)
  })

  test('a person without the claim sees a page at home, whose button answers access_denied', async () => {
    const app = await add({ required_claims: ['groups.staff'] })
    const { person, page } = open(app)
    const shown = await person.signIn(await page, 'ada', goodPassword)
    assert.equal(shown.status, 403)
    assert.match(shown.text, /No access/)
    assert.doesNotMatch(shown.text, /groups\.staff/)
    const { url } = await person.submit(shown, '/auth/consent/', { answer: 'refuse' })
    assert.equal(url.searchParams.get('error'), 'access_denied')
    const silent = await open(app, { prompt: 'none' }, person).page
    assert.equal(silent.url.searchParams.get('error'), 'access_denied')
    assert.doesNotMatch(silent.url.href, /staff/)
  })

  test('losing the claim ends refresh, userinfo and introspection, by the client that holds the token', async () => {
    const { hero } = stage.daemon
    const app = await add({ required_claims: ['groups.staff'] })
    const { body: tokens } = await app.tokens(newPerson(), 'grace', { scope: 'openid offline_access groups' })
    const jwt = (await forUs(app, 'grace')).body
    const active = async (token: string) => (await introspect(app, token)).active
    const userinfo = async () => (await app.userinfo(tokens.access_token)).status
    const validate = async () => (await hero.token.validate({ token: jwt.access_token })).active
    assert.deepEqual(
      [await active(tokens.access_token), await userinfo(), await validate(), await active(jwt.access_token)],
      [true, 200, true, true],
    )
    await hero.groups.remove_member({ group: 'staff', user: 'grace' })
    assert.deepEqual(
      [await active(tokens.access_token), await userinfo(), await validate(), await active(jwt.access_token)],
      [false, 401, false, false],
    )
    const refresh = () => app.refresh(tokens.refresh_token)
    assert.equal((await refresh()).body.error, 'invalid_grant')
    await hero.groups.add_member({ group: 'staff', user: 'grace' })
    assert.equal((await refresh()).body.error, 'invalid_grant', 'the grant has ended')
  })

  test('a rule taken away between code and token ends the code', async () => {
    const { hero } = stage.daemon
    const app = await add({ required_claims: ['groups.staff'] })
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'grace', challenge)
    await hero.groups.update({ group: 'staff', is_active: false })
    const answer = await app.token({
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier,
    })
    assert.equal(answer.body.error, 'invalid_grant')
    await hero.groups.update({ group: 'staff', is_active: true })
  })

  test('ID tokens say level, methods and time, and an application may ask for a second factor', async () => {
    const plain = await add({})
    const { body } = await plain.tokens(newPerson(), 'grace', { scope: 'openid' })
    const { acr, amr, auth_time } = payloadOf(body.id_token)
    assert.deepEqual([acr, amr, typeof auth_time], ['1', ['pwd'], 'number'])
    const strict = await add({ proof: 'second' })
    const { person, page } = open(strict)
    const lacking = await person.signIn(await page, 'grace', goodPassword)
    assert.equal(lacking.url.pathname, '/auth/prove')
    assert.match(lacking.text, /no second factor yet/)
    const eve = newPerson()
    const { challenge, code_verifier: verifier } = pkce()
    let shown = await eve.open(
      strict.authorizeUrl({ ...challenge, scope: 'openid read', resource: stage.issuer }),
    )
    shown = await eve.signIn(shown, 'eve', goodPassword)
    const { url } = await eve.submit(shown, '/auth/factor', { code: codes[0]! })
    const got = await strict.token({
      grant_type: 'authorization_code',
      code: url.searchParams.get('code')!,
      redirect_uri: callback,
      code_verifier: verifier,
      resource: stage.issuer,
    })
    assert.equal(payloadOf(got.body.id_token).acr, secondAcr)
    const { hero } = stage.daemon
    const jwt = got.body.access_token
    const told = [payloadOf(jwt), await introspect(strict, jwt), await hero.token.validate({ token: jwt })]
    for (const { acr, amr } of told as { acr: unknown; amr: unknown }[])
      assert.deepEqual([acr, amr], [secondAcr, ['pwd', 'otp', 'mfa']])
  })

  test('what an application got ends session_max after the proof', async (t) => {
    const { hero } = stage.daemon
    const app = await add({})
    const person = newPerson()
    const { body } = await app.tokens(person, 'grace', { scope: 'openid offline_access' })
    const jwt = (await forUs(app, 'grace')).body
    await hero.clients.update({ client: app.client.client, session_max: 120 })
    assert.equal((await introspect(app, body.access_token)).active, true)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 121_000 })
    assert.equal((await introspect(app, body.access_token)).active, false)
    assert.equal((await hero.token.validate({ token: jwt.access_token })).active, false)
    assert.equal((await app.refresh(body.refresh_token)).body.error, 'invalid_grant')
    // A new sign-in by the old proof would be over before it began.
    const page = await person.open(app.authorizeUrl(pkce().challenge))
    assert.deepEqual([page.url.pathname, page.status], ['/auth/prove', 200])
  })

  test('a proof that was raised ends what does not reach it', async () => {
    const { hero } = stage.daemon
    const app = await add({})
    const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid offline_access' })
    await hero.clients.update({ client: app.client.client, proof: 'second' })
    assert.equal((await app.refresh(body.refresh_token)).body.error, 'invalid_grant')
  })

  test('an application holds claims of administrators only from a fresh proof', async (t) => {
    const app = await add({})
    const { body } = await app.tokens(newPerson(), 'ada', { scope: 'openid groups offline_access' })
    const groupsOf = async (token: string) =>
      ((await (await app.userinfo(token)).json()) as { groups: string[] }).groups
    assert.deepEqual(await groupsOf(body.access_token), ['admin'])
    assert.deepEqual(payloadOf(body.id_token).groups, ['admin'])
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 86_400_000 })
    const { body: later } = await app.refresh(body.refresh_token)
    assert.deepEqual(payloadOf(later.id_token).groups, [])
    assert.deepEqual(await groupsOf(later.access_token), [])
  })

  test('an essential acr that is unknown, or out of reach without a page, is unmet', async () => {
    const app = await add({})
    const person = newPerson()
    await app.signIn(person, 'grace', pkce().challenge)
    const ask = async (value: string, more: Record<string, string> = {}) =>
      (
        await open(
          app,
          { claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }), ...more },
          person,
        ).page
      ).url
    assert.equal((await ask('urn:unknown')).searchParams.get('error'), 'unmet_authentication_requirements')
    assert.equal(
      (await ask('phr', { prompt: 'none' })).searchParams.get('error'),
      'unmet_authentication_requirements',
    )
    assert.equal((await ask('phr')).pathname, '/auth/prove')
    assert.ok((await ask('1')).searchParams.has('code'), 'any proof is enough')
  })

  test('applications that nobody added follow the setting, and My services leaves out what does not open', async () => {
    const { hero } = stage.daemon
    await hero.settings.set({ key: 'client_registration', value: 'open' })
    const answer = await fetch(`${stage.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [callback], token_endpoint_auth_method: 'none' }),
    })
    const { client_id: client } = (await answer.json()) as { client_id: string }
    const app = new App(stage.issuer, { client, client_secret: null })
    await hero.settings.set({ key: 'client_default_claims', value: 'groups.staff' })
    const { person, page } = open(app)
    assert.equal((await person.signIn(await page, 'ada', goodPassword)).status, 403)
    await refused(hero.settings.set({ key: 'client_default_claims', value: 'a b' }), 'invalid_params')
    await hero.clients.update({ client: 'app1', start_url: 'https://app1.example.org/' })
    assert.doesNotMatch((await person.open(`${stage.issuer}/auth/services`)).text, /app1\.example/)
  })
})
