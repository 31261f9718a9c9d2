import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { askedProof, reported } from '../../src/oidc/asked_proof.ts'
import { now } from '../../src/storage/ids.ts'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrolled } from '../support/factors.ts'
import { signedIn } from '../support/people.ts'
import type { Person } from '../support/person.ts'
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

const second = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'
const essential = (value: string) => JSON.stringify({ id_token: { acr: { essential: true, value } } })

/** Requests for which a password that was given a moment ago is not enough. */
const anew: readonly Record<string, string>[] = [
  { acr_values: second },
  { max_age: '0' },
  { prompt: 'login' },
]

suite('what a request asks of proofs', () => {
  let stage: Provider
  let app: App
  let codes: string[]
  let secret: string
  let grace: Person
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    await hero.users.add({ username: 'eve', email: 'eve@example.org', password: goodPassword })
    const factors = await enrolled(await signedIn(stage.daemon, 'eve'))
    codes = [...factors.recovery_codes]
    secret = factors.secret
    app = await added('app')
    grace = await known('grace')
  })
  after(() => stage.daemon.close())

  const added = async (client: string, rule: { proof?: 'second'; grants?: never[] } = {}) => {
    const { client_secret } = await stage.daemon.hero.clients.add({
      name: client,
      client,
      anyone: true,
      first_party: true,
      redirect_uris: [callback],
      grants: ['authorization_code', 'device_code'],
      scopes: ['openid', 'email', 'profile', 'offline_access', 'read'],
      ...rule,
    })
    return new App(stage.issuer, { client, client_secret })
  }
  const known = async (login: string) => {
    const person = newPerson()
    await app.signIn(person, login, pkce().challenge)
    return person
  }
  /** Somebody who has just signed in with a second factor. */
  const strong = async () => {
    const person = newPerson()
    const page = await person.open(`${stage.issuer}/auth/login`)
    await person.submit(await person.signIn(page, 'eve', goodPassword), '/auth/factor', {
      code: codes.pop()!,
    })
    return person
  }
  const ask = async (person: Person, params: Record<string, string>, of = app) => {
    const { code_verifier, challenge } = pkce()
    const page = await person.open(of.authorizeUrl({ ...challenge, ...params }))
    return { page, code_verifier, of }
  }
  type Asked = Awaited<ReturnType<typeof ask>>
  const errorOf = ({ page }: Asked) => page.url.searchParams.get('error')
  const acrOf = async ({ page, code_verifier, of }: Asked) => {
    const { body } = await of.redeem(page.url.searchParams.get('code')!, code_verifier)
    return payloadOf(body.id_token).acr
  }
  const decline = async (person: Person, asked: Asked): Promise<Asked> => {
    assert.equal(asked.page.url.pathname, '/auth/prove')
    const instead = await person.follow(asked.page, '/auth/consent/')
    return { ...asked, page: await person.submit(instead, '/auth/consent/', { answer: 'decline' }) }
  }
  const prove = async (person: Person, asked: Asked, given: Record<string, string>): Promise<Asked> => {
    assert.equal(asked.page.url.pathname, '/auth/prove')
    return { ...asked, page: await person.submit(asked.page, '/auth/prove', given) }
  }

  test('acr_values of a known level is asked for, and the person may decline it', async () => {
    const asked = await ask(grace, { acr_values: `urn:unknown ${second}` })
    assert.match(asked.page.text, /no second factor yet/)
    assert.equal(await acrOf(await decline(grace, asked)), '1')
    // Each request may be declined anew, and none is by an earlier one.
    assert.equal((await ask(grace, { acr_values: 'phr' })).page.url.pathname, '/auth/prove')
  })

  test('acr_values of unknown levels alone are ignored', async () => {
    assert.equal(await acrOf(await ask(grace, { acr_values: 'urn:unknown any' })), '1')
  })

  test('the level is reported by the first name that the person reaches', async () => {
    const eve = await strong()
    assert.equal(await acrOf(await ask(eve, { acr_values: `phr ${second} 1` })), second)
    assert.equal(await acrOf(await ask(eve, { acr_values: `1 ${second}` })), '1')
    assert.equal(await acrOf(await ask(eve, { claims: essential('1') })), '1')
    assert.equal(await acrOf(await ask(eve, {})), second)
  })

  test('a demand that the person declines but the application cannot do without is unmet', async () => {
    assert.equal(
      errorOf(await decline(grace, await ask(grace, { claims: essential(second) }))),
      'unmet_authentication_requirements',
    )
    const strict = await added('strict', { proof: 'second' })
    const asked = await decline(grace, await ask(grace, { acr_values: second }, strict))
    assert.equal(errorOf(asked), 'unmet_authentication_requirements')
    assert.equal(
      errorOf(await decline(grace, await ask(grace, { prompt: 'login' }))),
      'unmet_authentication_requirements',
    )
  })

  test('without a page, a level out of reach is unmet, and an old proof needs a sign-in', async (t) => {
    const silent = { prompt: 'none', scope: 'profile' }
    assert.equal(
      errorOf(await ask(grace, { ...silent, acr_values: 'phr' })),
      'unmet_authentication_requirements',
    )
    assert.equal(errorOf(await ask(grace, { ...silent, max_age: '0' })), 'login_required')
    assert.equal(errorOf(await ask(grace, { ...silent, max_age: '60' })), null)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
    assert.equal(errorOf(await ask(grace, { ...silent, max_age: '60' })), 'login_required')
  })

  test('requests without openid count too, and the token says what was proved', async () => {
    const eve = await strong()
    const { code_verifier, challenge } = pkce()
    const about = { scope: 'profile read', resource: stage.issuer, acr_values: second }
    const page = await eve.open(app.authorizeUrl({ ...challenge, ...about }))
    const { body } = await app.token({
      grant_type: 'authorization_code',
      code: page.url.searchParams.get('code')!,
      redirect_uri: callback,
      code_verifier,
      resource: stage.issuer,
    })
    assert.equal(payloadOf(body.access_token).acr, second)
    const without = { scope: 'profile' }
    for (const more of anew)
      assert.equal((await ask(grace, { ...without, ...more })).page.url.pathname, '/auth/prove')
    const proved = await prove(grace, await ask(grace, { ...without, max_age: '0' }), {
      password: goodPassword,
    })
    assert.ok(proved.page.url.searchParams.has('code'))
  })

  test('a pushed request asks as much', async () => {
    const pushed = async (params: Record<string, string>) => {
      const { code_verifier, challenge } = pkce()
      const fields = {
        client_id: 'app',
        redirect_uri: callback,
        response_type: 'code',
        scope: 'profile',
        ...challenge,
        ...params,
      }
      const { body, status } = await post(`${stage.issuer}/oauth/par`, fields, app.client)
      assert.equal(status, 201, JSON.stringify(body))
      const url = new URL('/authorize', stage.issuer)
      url.search = String(
        new URLSearchParams({ client_id: 'app', request_uri: String(body.request_uri), max_age: '9999' }),
      )
      return { page: await grace.open(url), code_verifier, of: app }
    }
    for (const params of anew)
      assert.equal((await pushed(params)).page.url.pathname, '/auth/prove', JSON.stringify(params))
    assert.ok((await pushed({ acr_values: 'urn:unknown' })).page.url.searchParams.has('code'))
    const declined = await decline(grace, await pushed({ acr_values: second }))
    assert.ok(declined.page.url.searchParams.has('code'))
  })

  test('a request of a device asks as much, and learns that the person declined', async () => {
    const begun = async (params: Record<string, string>) => {
      const { body } = await post(
        `${stage.issuer}/oauth/device`,
        { client_id: 'app', scope: 'openid', ...params },
        app.client,
      )
      const entered = await grace.submit(await grace.open(`${stage.issuer}/device`), '/device', {
        user_code: String(body.user_code),
      })
      const page = await grace.submit(entered, '/device', { confirm: 'yes' })
      const poll = async () =>
        (
          await app.token({
            grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
            device_code: String(body.device_code),
          })
        ).body
      return { page, poll, code_verifier: '', of: app }
    }
    const login = await begun({ prompt: 'login', scope: 'profile' })
    assert.equal(login.page.url.pathname, '/auth/prove')
    assert.equal((await login.poll()).error, 'authorization_pending')
    const old = await begun({ max_age: '0' })
    await prove(grace, old, { password: goodPassword })
    assert.equal(payloadOf((await old.poll()).id_token).acr, '1')
    const wished = await begun({ acr_values: second })
    await decline(grace, wished)
    assert.equal(payloadOf((await wished.poll()).id_token).acr, '1')
    const needed = await begun({ claims: essential(second) })
    const { page } = await decline(grace, needed)
    assert.doesNotMatch(page.text, /is signed in/)
    assert.equal((await needed.poll()).error, 'unmet_authentication_requirements')
  })

  test('our own names for parameters are not taken, and odd values are refused', async () => {
    const odd = { asked_acr: 'phr', asked_age: '0', asked_login: 'yes' }
    assert.ok((await ask(grace, odd)).page.url.searchParams.has('code'))
    for (const max_age of ['-1', '1.5', 'x', '9'.repeat(20)])
      assert.equal(errorOf(await ask(grace, { max_age })), 'invalid_request', max_age)
    const twice = app.authorizeUrl({ ...pkce().challenge, acr_values: 'phr' })
    twice.searchParams.append('acr_values', '1')
    assert.equal((await grace.open(twice)).url.searchParams.get('error'), 'invalid_request')
  })

  test('max_age is about the level that is asked for, and a weaker proof does not renew it', async (t) => {
    const eve = newPerson()
    const page = await eve.open(`${stage.issuer}/auth/login`)
    const step = await eve.signIn(page, 'eve', goodPassword)
    await eve.submit(step, '/auth/factor', { code: codeOf(secret, 1), trust: '1' })
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 })
    const both = { acr_values: second, max_age: '600' }
    const asked = await ask(eve, both)
    // This browser is trusted: the password alone signs her in again, and the second factor stays as old as it is.
    await eve.signIn(page, 'eve', goodPassword)
    const here = new URL(asked.page.url.searchParams.get('return_to')!, stage.issuer)
    assert.equal((await eve.open(here)).url.pathname, '/auth/prove')
    const proved = await prove(eve, asked, { code: codes.pop()! })
    assert.equal(await acrOf(proved), second)
    assert.equal(await acrOf(await ask(eve, both)), second)
    // What is declined no longer has an age, but max_age itself stays.
    t.mock.timers.reset()
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2_000_000 })
    const rest = await decline(grace, await ask(grace, both))
    assert.equal(await acrOf(await prove(grace, rest, { password: goodPassword })), '1')
  })
})

test('a level is reported only within session_max, after which the application may not use what it gets', () => {
  const at = now()
  const proofs = { proven_at: at, second_at: at, passkey_at: at - 7200 }
  const asked = askedProof({ acr_values: `phr ${second}` })
  const within = (session_max: number | null) => reported(asked, { proof: 'any', session_max }, proofs)
  assert.deepEqual(within(null), { acr: 'phr', auth_time: at - 7200 })
  assert.deepEqual(within(3600), { acr: second, auth_time: at })
})
