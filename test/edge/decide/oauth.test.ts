import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { turnAway } from '../../../src/edge/decide/turn_away.ts'
import { Home } from '../../../src/contract/home.ts'
import { openedByProvider, ownSignInMethods } from '../../../src/sessions/session.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import type { Route } from '../../../src/routes/route.ts'
import { HostRoutes } from '../../../src/routes/route_table.ts'
import { valuesOf } from '../../support/upstream.ts'
import { providerSession } from '../mode_stage.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('routes with auth_mode oauth', () => {
  let stage: Stage
  const navigation = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate']
  const hosts = ['any.localhost', 'forge.localhost']
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'any.localhost', auth_mode: 'oauth' })
    await stage.route({ domain: 'forge.localhost', auth_mode: 'oauth', provider: 'forge' })
  })
  after(() => stage.close())
  const at = (host: string, headers: string[]) => ask(stage.daemon, host, '/', { headers })

  test('accept any provider, or only the one that the route names', async () => {
    const before = stage.upstream.seen.length
    for (const [provider, any, forge] of [
      ['forge', 200, 200],
      ['other', 200, 401],
      ['Forge', 200, 401],
      ['password', 401, 401],
      ['setup', 401, 401],
    ] as const) {
      const headers = ['Cookie', await providerSession(stage, 'bob', provider, hosts)]
      const answer = await at('any.localhost', headers)
      assert.equal(answer.status, any, provider)
      if (any === 200) {
        const { rawHeaders } = got(answer)
        assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['bob'])
        assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-auth-method'), ['oauth'])
      }
      assert.equal((await at('forge.localhost', headers)).status, forge, provider)
    }
    assert.equal(stage.upstream.seen.length, before + 4)
  })

  test('show that no provider is set up, instead of redirecting in a loop', async () => {
    for (const headers of [navigation, [...navigation, 'Cookie', stage.ada]]) {
      const page = await at('any.localhost', headers)
      assert.deepEqual([page.status, page.headers.location], [503, undefined])
      assert.match(page.body, /none is set up or turned on here/)
      assert.match((await at('forge.localhost', headers)).body, /the identity provider forge/)
    }
    const program = JSON.parse((await at('any.localhost', [])).body) as Record<string, unknown>
    assert.deepEqual([program.status, program.code], [401, 'unauthenticated'])
    assert.match(String(program.detail), /none is set up/)
  })

  test('redirect browsers to sign in once the provider is set up, and send programs 401', () => {
    const home = new Home('https://id.example.org:8443')
    const siblings = new HostRoutes()
    const route = { auth_mode: 'oauth' } as Route
    const target = '/a?b=c'
    for (const [provider, providers, atHome, ready] of [
      [null, [], '/auth/login?return_to=', false],
      [null, ['forge'], '/login?next=', true],
      ['forge', ['forge'], '/login?provider=forge&next=', true],
      ['forge', ['other'], '/auth/login?return_to=', false],
      ['a b&c', ['a b&c'], '/login?provider=a%20b%26c&next=', true],
    ] as const) {
      for (const [host, way] of [
        ['wiki.example.org', 'https://wiki.example.org:8443/.hero_proxy/sign_in?return_to='],
        ['id.example.org', `https://id.example.org:8443${atHome}`],
      ] as const) {
        const decision = turnAway(
          { host, target },
          { route: { ...route, provider }, siblings },
          providers,
          home,
        )
        assert.ok(decision.act === 'sign in')
        assert.deepEqual(
          [decision.location, decision.missing === undefined],
          [`${way}${encodeURIComponent(target)}`, ready],
        )
        assert.equal(decision.refusal.status, 401)
      }
    }
  })

  test('accept no token in place of a session', async () => {
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    assert.equal((await at('any.localhost', ['Authorization', `Bearer ${access_token}`])).status, 401)
    const cookie = await providerSession(stage, 'bob', 'forge', hosts)
    const token = cookie.split('=')[1]!
    assert.equal((await at('any.localhost', ['Authorization', `Bearer ${token}`])).status, 401)
  })

  test("do not count the daemon's own sign-in methods as providers", () => {
    for (const provider of ownSignInMethods) assert.equal(openedByProvider({ provider }), false)
    assert.equal(openedByProvider({ provider: 'forge' }), true)
  })
})
