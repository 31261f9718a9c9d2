import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Client } from '../../src/clients/client.ts'
import { goodPassword } from '../support/daemon.ts'
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

suite('codes and tokens after their client changes', () => {
  let stage: Provider
  before(async () => (stage = await startProvider()))
  after(() => stage.daemon.close())

  /** Adds a client and obtains a code and tokens for it. */
  const obtain = async (client: string) => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      anyone: true,
      client,
      name: client,
      redirect_uris: [callback],
      first_party: true,
    })
    const app = new App(stage.issuer, added)
    const person = newPerson()
    const { body } = await app.tokens(person, 'grace', { scope: 'openid email groups offline_access' })
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(person, 'grace', { ...challenge, scope: 'openid' })
    return { client, app, body, code: back.get('code')!, code_verifier }
  }
  const check = async (
    { app, body, code, code_verifier }: Awaited<ReturnType<typeof obtain>>,
    secret?: string,
  ) => {
    const now = secret === undefined ? app : new App(app.issuer, { ...app.client, client_secret: secret })
    const introspected = await post(
      `${app.issuer}/oauth/introspect`,
      { token: body.access_token },
      now.client,
    )
    return {
      code: (await now.redeem(code, code_verifier)).status === 200,
      userinfo: (await now.userinfo(body.access_token)).status === 200,
      introspection: introspected.body.active,
      renewal: (await now.refresh(body.refresh_token)).status === 200,
    }
  }
  const nothing = { code: false, userinfo: false, introspection: false, renewal: false }
  const everything = { code: true, userinfo: true, introspection: true, renewal: true }

  test('codes and tokens of a disabled client stay invalid after it is enabled again', async () => {
    const { hero } = stage.daemon
    const held = await obtain('off')
    await hero.clients.update({ client: 'off', is_active: false })
    await hero.clients.update({ client: 'off', is_active: true })
    assert.deepEqual(await check(held), nothing)
  })

  test('dropping a leaked secret invalidates codes and tokens, and an ordinary rotation keeps them', async () => {
    const { hero } = stage.daemon
    const leaked = await obtain('leaked')
    const { client_secret } = await hero.clients.rotate_secret({ client: 'leaked', drop: true })
    assert.deepEqual(await check(leaked, client_secret), nothing)
    const rotated = await obtain('rotated')
    const next = await hero.clients.rotate_secret({ client: 'rotated' })
    assert.deepEqual(await check(rotated, next.client_secret), everything)
  })

  test('removing a permission invalidates codes and tokens, and adding one keeps them', async () => {
    const { hero } = stage.daemon
    const changes: [what: string, Partial<Client>, left: object][] = [
      ['a scope', { scopes: ['openid', 'offline_access', 'groups'] }, nothing],
      ['no consent page', { first_party: false }, nothing],
      ['a grant', { grants: ['device_code'], redirect_uris: [] }, nothing],
      ['a redirect URI', { redirect_uris: ['https://else.test/cb'] }, { ...everything, code: false }],
      ['nothing', { name: 'Another', redirect_uris: [callback, 'https://else.test/cb'] }, everything],
    ]
    for (const [i, [what, change, left]] of changes.entries()) {
      const held = await obtain(`less-${i}`)
      await hero.clients.update({ client: held.client, ...change })
      assert.deepEqual(await check(held), left, what)
    }
  })

  test('a scope removed while the consent page is open is not granted', async () => {
    const { hero } = stage.daemon
    const add = { anyone: true, client: 'asking', name: 'asking', redirect_uris: [callback] }
    const app = new App(stage.issuer, await hero.clients.add(add))
    const person = newPerson()
    const { challenge } = pkce()
    const login = await person.open(app.authorizeUrl({ ...challenge, scope: 'openid email' }))
    const consent = await person.signIn(login, 'grace', goodPassword)
    assert.match(consent.text, /your email address/)
    await hero.clients.update({ client: 'asking', scopes: ['openid'] })
    const answer = await person.submit(consent, '/auth/consent/', { answer: 'allow' })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /Please start again/)
  })

  test('an invalid back-channel logout URI is refused and leaves the client unchanged', async () => {
    const { hero } = stage.daemon
    const { client, app } = await obtain('told')
    const wrong = ['http://[', 'https://', 'http://a:b@app.test/out', 'https://app.test/out#now']
    for (const backchannel_logout_uri of wrong) {
      const field = 'backchannel_logout_uri'
      await refused(hero.clients.update({ client, backchannel_logout_uri }), 'invalid_params', field)
      await refused(hero.clients.add({ name: 'Told', backchannel_logout_uri }), 'invalid_params', field)
    }
    await hero.clients.update({ client, backchannel_logout_uri: 'http://127.0.0.1:9/out?of=us' })
    assert.equal((await app.tokens(newPerson(), 'grace')).status, 200)
  })
})
