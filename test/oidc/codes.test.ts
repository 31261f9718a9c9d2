import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { Unauthenticated, verifyToken } from '../../sdk/index.ts'
import { refused } from '../support/refused.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  pkce,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

const minute = 60_000
const day = 24 * 60 * minute

suite('authorization codes and their tokens', () => {
  let stage: Provider
  let app: App
  let other: App
  before(async () => {
    stage = await startProvider()
    const add = async (name: string, more = {}) =>
      new App(
        stage.issuer,
        await stage.daemon.hero.clients.add({
          anyone: true,
          name,
          client: name,
          redirect_uris: [callback],
          first_party: true,
          ...more,
        }),
      )
    app = await add('wiki', {
      scopes: ['openid', 'email', 'profile', 'groups', 'claims', 'offline_access', 'read', 'write'],
    })
    other = await add('tickets')
  })
  after(() => stage.daemon.close())

  const newCode = async (params = {}) => {
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'ada', { ...challenge, ...params })
    return { code: back.get('code')!, code_verifier }
  }

  test('a code expires after a minute for every client', async (t) => {
    const [young, old, stolen] = [await newCode(), await newCode(), await newCode()]
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + minute - 20_000 })
    assert.equal((await app.redeem(young.code, young.code_verifier)).status, 200)
    t.mock.timers.setTime(Date.now() + 25_000)
    for (const [by, { code, code_verifier }] of [
      [app, old],
      [other, stolen],
    ] as const) {
      const { status, body } = await by.redeem(code, code_verifier)
      assert.deepEqual([status, body.error], [400, 'invalid_grant'])
    }
  })

  test('the log says why a token request failed and does not contain the code', async () => {
    const { code, code_verifier } = await newCode()
    assert.equal((await app.redeem(code, `${code_verifier}x`)).status, 400)
    const line = stage.daemon.logged.findLast(({ msg }) => msg === 'an application got no tokens')!
    assert.deepEqual(
      [line.client, line.error, line.why],
      ['wiki', 'invalid_grant', 'code_verifier does not match code_challenge'],
    )
    assert.ok(!JSON.stringify(stage.daemon.logged).includes(code))
  })

  test('one of many concurrent redemptions of a code gets tokens', async () => {
    for (let round = 0; round < 5; round++) {
      const { code, code_verifier } = await newCode()
      const answers = await Promise.all(Array.from({ length: 8 }, () => app.redeem(code, code_verifier)))
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      // A further redemption shows that the code leaked, and revokes the tokens of the first.
      assert.equal((await app.redeem(code, code_verifier)).body.error, 'invalid_grant')
      const won = answers.find(({ status }) => status === 200)!
      assert.equal((await app.userinfo(won.body.access_token)).status, 401)
    }
  })

  test('PKCE accepts S256 alone, and a public client cannot disable it', async () => {
    const { code_challenge } = pkce().challenge
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    for (const code_challenge_method of ['plain', 'S512', 'none', 's256', ''])
      assert.equal(
        (await person.open(app.authorizeUrl({ code_challenge, code_challenge_method }))).url.searchParams.get(
          'error',
        ),
        'invalid_request',
        code_challenge_method,
      )
    const { hero } = stage.daemon
    const page = { name: 'page', redirect_uris: [callback], public: true, first_party: true }
    await refused(hero.clients.add({ anyone: true, ...page, pkce: false }), 'invalid_params', 'pkce')
    const added = await hero.clients.add({ anyone: true, ...page, client: 'page' })
    const ofPage = new App(stage.issuer, added)
    const { url } = await person.open(ofPage.authorizeUrl())
    assert.equal(url.searchParams.get('error'), 'invalid_request')
    await refused(hero.clients.update({ client: 'page', pkce: false }), 'invalid_params', 'pkce')
  })

  test('a code for one resource gives no token for another', async () => {
    const { hero } = stage.daemon
    for (const domain of ['wiki.localhost', 'blog.localhost'])
      await hero.proxy.routes.add({ domain, target: 'http://127.0.0.1:9', auth_mode: 'none' })
    const [wiki, blog] = ['https://wiki.localhost/', 'https://blog.localhost/']
    const redeem = async (resource: string) => {
      const { code, code_verifier } = await newCode({ scope: 'openid read', resource: wiki })
      return app.token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: callback,
        code_verifier,
        resource,
      })
    }
    const { status, body } = await redeem(wiki)
    assert.equal(status, 200)
    const keys = createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(body.access_token, keys, { audience: wiki, typ: 'at+jwt' })
    assert.equal(payload.scope, 'read')
    assert.equal((await redeem(blog)).body.error, 'invalid_target')
    const renewed = await app.token({
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      resource: blog,
    })
    assert.equal(renewed.body.error, 'invalid_target')
    const verify = (audience: string) =>
      verifyToken(hero, { audience, issuer: stage.issuer })(body.access_token)
    assert.equal((await verify(wiki)).username, 'ada')
    for (const audience of [blog, stage.issuer]) await assert.rejects(verify(audience), Unauthenticated)
  })

  test('a refresh token expires thirty days after the sign-in, regardless of renewals', async (t) => {
    const { body } = await app.tokens(newPerson(), 'ada', { scope: 'openid offline_access' })
    let { refresh_token } = body
    const began = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: began })
    for (const days of [10, 20, 29.9]) {
      t.mock.timers.setTime(began + days * day)
      const next = await app.refresh(refresh_token)
      assert.equal(next.status, 200, `after ${days} days`)
      refresh_token = next.body.refresh_token
    }
    t.mock.timers.setTime(began + 30.1 * day)
    assert.equal((await app.refresh(refresh_token)).body.error, 'invalid_grant')
  })

  test('a renewed token carries the current groups and claims', async () => {
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'engineers' })
    await hero.groups.add_member({ group: 'engineers', user: 'grace' })
    const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid groups claims offline_access' })
    assert.deepEqual(payloadOf(body.id_token).groups, ['engineers'])
    await hero.groups.remove_member({ group: 'engineers', user: 'grace' })
    const renewed = await app.refresh(body.refresh_token)
    assert.deepEqual(payloadOf(renewed.body.id_token).groups, [])
    assert.deepEqual(payloadOf(renewed.body.id_token).claims, ['users.grace'])
    // The older access token reads the current values too.
    const about = (await (await app.userinfo(body.access_token)).json()) as Record<string, unknown>
    assert.deepEqual(about.groups, [])
  })
})
