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

suite('what an application holds when it changes', () => {
  let stage: Provider
  before(async () => (stage = await startProvider()))
  after(() => stage.daemon.close())

  /** An application with all that it can hold: a code and tokens. */
  const holding = async (client: string) => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({
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
  const counts = async (
    { app, body, code, code_verifier }: Awaited<ReturnType<typeof holding>>,
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

  test('switched off, it does not get back what it had', async () => {
    const { hero } = stage.daemon
    const held = await holding('off')
    await hero.clients.update({ client: 'off', is_active: false })
    await hero.clients.update({ client: 'off', is_active: true })
    assert.deepEqual(await counts(held), nothing)
  })

  test('with another secret because the old one leaked, neither; with one in time, all', async () => {
    const { hero } = stage.daemon
    const leaked = await holding('leaked')
    const { client_secret } = await hero.clients.rotate_secret({ client: 'leaked', drop: true })
    assert.deepEqual(await counts(leaked, client_secret), nothing)
    const rotated = await holding('rotated')
    const next = await hero.clients.rotate_secret({ client: 'rotated' })
    assert.deepEqual(await counts(rotated, next.client_secret), everything)
  })

  test('what is taken from it ends what came of it, and what is added ends nothing', async () => {
    const { hero } = stage.daemon
    const changes: [what: string, Partial<Client>, left: object][] = [
      ['a scope', { scopes: ['openid', 'offline_access', 'groups'] }, nothing],
      ['that nobody is asked', { first_party: false }, nothing],
      ['a grant', { grants: ['device_code'], redirect_uris: [] }, nothing],
      ['an address', { redirect_uris: ['https://else.test/cb'] }, { ...everything, code: false }],
      ['nothing', { name: 'Another', redirect_uris: [callback, 'https://else.test/cb'] }, everything],
    ]
    for (const [i, [what, change, left]] of changes.entries()) {
      const held = await holding(`less-${i}`)
      await hero.clients.update({ client: held.client, ...change })
      assert.deepEqual(await counts(held), left, what)
    }
  })

  test('a scope that is taken while somebody is asked is not given any more', async () => {
    const { hero } = stage.daemon
    const add = { client: 'asking', name: 'asking', redirect_uris: [callback] }
    const app = new App(stage.issuer, await hero.clients.add(add))
    const person = newPerson()
    const { challenge } = pkce()
    const login = await person.open(app.authorizeUrl({ ...challenge, scope: 'openid email' }))
    const asked = await person.signIn(login, 'grace', goodPassword)
    assert.match(asked.text, /your email address/)
    await hero.clients.update({ client: 'asking', scopes: ['openid'] })
    const answer = await person.submit(asked, '/auth/consent/', { answer: 'allow' })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /Please start again/)
  })

  test('an address to be told at that leads nowhere is refused, and leaves the client as it was', async () => {
    const { hero } = stage.daemon
    const { client, app } = await holding('told')
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
