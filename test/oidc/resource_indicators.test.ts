import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
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

suite('resource indicators (RFC 8707)', () => {
  let stage: Provider
  let app: App
  const wiki = 'https://wiki.localhost/'
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    await hero.proxy.routes.add({ domain: 'wiki.localhost', target: 'http://127.0.0.1:9', auth_mode: 'none' })
    await hero.groups.add({ slug: 'team' })
    await hero.groups.add_member({ group: 'team', user: 'grace' })
    await hero.groups.add_claim({ group: 'team', claim: 'wiki.edit' })
    app = await newApp(['openid', 'profile', 'offline_access', 'read'])
  })
  after(() => stage.daemon.close())

  const newApp = async (scopes: ('openid' | 'profile' | 'offline_access' | 'read')[]) =>
    new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'App',
        redirect_uris: [callback],
        scopes,
        grants: ['authorization_code', 'device_code'],
      }),
    )
  const signIn = async (scope: string, resource?: string) => {
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'grace', { ...challenge, scope, resource })
    return {
      code: back.get('code')!,
      code_verifier,
      grant_type: 'authorization_code',
      redirect_uri: callback,
    }
  }

  test('a token for a service needs a scope of that service', async () => {
    const { challenge } = pkce()
    for (const resource of [wiki, stage.issuer])
      for (const one of [app, await newApp(['openid'])])
        for (const scope of ['openid', 'openid profile', '']) {
          const { url } = await newPerson().open(one.authorizeUrl({ ...challenge, scope, resource }))
          assert.ok(atCallback(url), String(url))
          assert.equal(url.searchParams.get('error'), 'invalid_scope', `${scope} at ${resource}`)
        }
    const device = { scope: 'openid', resource: wiki }
    assert.equal((await post(`${app.issuer}/oauth/device`, device, app.client)).body.error, 'invalid_scope')
    // Narrowing the scope at renewal does not avoid it either.
    const { body } = await app.token({
      ...(await signIn('openid offline_access read', wiki)),
      resource: wiki,
    })
    const { claims, username } = payloadOf(body.access_token)
    assert.deepEqual([claims, username], [['groups.team', 'users.grace', 'wiki.edit'], 'grace'])
    const less = { grant_type: 'refresh_token', refresh_token: body.refresh_token, scope: 'openid' }
    assert.equal((await app.token({ ...less, resource: wiki })).body.error, 'invalid_scope')
  })

  test('introspection returns the username if the profile scope was granted', async () => {
    const usernameFor = async (scope: string) => {
      const { body } = await app.token(await signIn(scope))
      return (await post(`${app.issuer}/oauth/introspect`, { token: body.access_token }, app.client)).body
        .username
    }
    assert.equal(await usernameFor('openid profile'), 'grace')
    assert.equal(await usernameFor('openid'), undefined)
  })

  test('a token for a resource carries the claims of its service, whichever service the client belongs to', async () => {
    const { hero } = stage.daemon
    const at = { target: 'http://127.0.0.1:9', auth_mode: 'none' } as const
    await hero.proxy.routes.add({ domain: 'desk.localhost', ...at, service: 'desk' })
    await hero.proxy.routes.add({ domain: 'desk.localhost', ...at, path_prefix: '/bills', service: 'bills' })
    for (const service of ['desk', 'bills'])
      await hero.groups.add_claim({ group: 'team', claim: `${service}.edit`, service })
    const bills = new App(
      stage.issuer,
      await hero.clients.add({
        anyone: true,
        name: 'Bills',
        redirect_uris: [callback],
        first_party: true,
        scopes: ['openid', 'read'],
        service: 'bills',
      }),
    )
    const claimsFor = async (resource: string) => {
      const { code_verifier, challenge } = pkce()
      const params = { ...challenge, scope: 'openid read', resource }
      const code = (await bills.signIn(newPerson(), 'grace', params)).get('code')!
      const grant = {
        grant_type: 'authorization_code',
        code,
        code_verifier,
        redirect_uri: callback,
        resource,
      }
      return payloadOf((await bills.token(grant)).body.access_token).claims as string[]
    }
    const scoped = async (resource: string) =>
      (await claimsFor(resource)).filter((claim) => /^(desk|bills)/.test(claim))
    assert.deepEqual(await scoped('https://desk.localhost/'), ['desk.edit'])
    assert.deepEqual(await scoped('https://desk.localhost/bills/'), ['bills.edit'])
    assert.deepEqual(await scoped(wiki), [])
    assert.deepEqual(await scoped(stage.issuer), ['bills.edit'])
  })
})
