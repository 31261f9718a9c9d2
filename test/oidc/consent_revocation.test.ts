import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { goodPassword } from '../support/daemon.ts'
import {
  App,
  callback,
  newPerson,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'
import { refused } from '../support/refused.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

suite('revoking a consent', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  const add = (client: string, first_party: boolean) =>
    stage.daemon.hero.clients.add({
      anyone: true,
      name: client,
      client,
      first_party,
      redirect_uris: [callback],
      grants: ['authorization_code', 'device_code'],
      scopes: ['openid', 'email', 'profile', 'offline_access', 'read'],
    })

  /** Everything that a person can have given an application: a code, tokens of each kind, and an approved device. */
  const given = async (app: App, login: string) => {
    const person = newPerson()
    const { code_verifier, challenge } = pkce()
    const code = (await app.signIn(person, login, challenge)).get('code')!
    const { body: tokens } = await app.tokens(newPerson(), login, { scope: 'openid offline_access' })
    const about = { scope: 'openid read', resource: stage.issuer }
    const { code_verifier: verifier, challenge: again } = pkce()
    const back = await app.signIn(newPerson(), login, { ...again, ...about })
    const { body: jwt } = await app.token({
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier: verifier,
      resource: stage.issuer,
    })
    const { body: device } = await post(
      `${stage.issuer}/oauth/device`,
      { scope: 'openid profile' },
      app.client,
    )
    let page = await person.open(`${stage.issuer}/device`)
    page = await person.submit(page, '/device', { user_code: String(device.user_code) })
    page = await person.submit(page, '/device', { confirm: 'yes' })
    if (page.url.pathname === '/auth/login') page = await person.signIn(page, login, goodPassword)
    if (page.url.pathname.startsWith('/auth/consent/'))
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
    assert.match(page.text, /is signed in/)
    return { code, code_verifier, tokens, jwt, device_code: String(device.device_code) }
  }

  /** Which of them still work. Redeems what can be redeemed once. */
  const working = async (app: App, all: Awaited<ReturnType<typeof given>>) => {
    const introspected = await post(
      `${stage.issuer}/oauth/introspect`,
      { token: all.tokens.access_token },
      app.client,
    )
    const validated = await stage.daemon.hero.token.validate({ token: all.jwt.access_token })
    return {
      userinfo: (await app.userinfo(all.tokens.access_token)).status === 200,
      introspection: introspected.body.active,
      jwt: validated.active,
      'jwt at our door': await stage.daemon.hero
        .as(all.jwt.access_token)
        .auth.me()
        .then(
          () => true,
          () => false,
        ),
      refresh: (await app.refresh(all.tokens.refresh_token)).status === 200,
      code: (await app.redeem(all.code, all.code_verifier)).status === 200,
      device: (await app.token({ grant_type: deviceGrant, device_code: all.device_code })).status === 200,
    }
  }
  const each = (value: boolean) => ({
    userinfo: value,
    introspection: value,
    jwt: value,
    'jwt at our door': value,
    refresh: value,
    code: value,
    device: value,
  })

  for (const [client, firstParty] of [
    ['third', false],
    ['own', true],
  ] as const)
    test(`ends every token of the person and ${firstParty ? 'a first-party' : 'another'} client`, async () => {
      const { hero } = stage.daemon
      const app = new App(stage.issuer, await add(client, firstParty))
      // A revocation covers the JWTs of the same second.
      await setTimeout(1100)
      assert.deepEqual(await working(app, await given(app, 'grace')), each(true))
      const [hers, another] = [await given(app, 'grace'), await given(app, 'ada')]
      await hero.consents.revoke({ user: 'grace', client })
      assert.deepEqual(await working(app, hers), each(false))
      assert.deepEqual(await working(app, another), each(true))
    })

  test('of a client that nobody knows is refused', async () => {
    const { hero } = stage.daemon
    for (const client of ['nobody', 'https://nobody.example/client.json'])
      await refused(hero.consents.revoke({ user: 'grace', client }), 'not_found')
  })
})
