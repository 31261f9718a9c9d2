import assert from 'node:assert/strict'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HeroProxy } from '../../sdk/index.ts'
import { now } from '../../src/storage/ids.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword } from '../support/daemon.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'
import { signedIn } from '../support/people.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

onSqliteFirst('a membership that was asked for', (newUrl) => {
  let stage: Provider
  let hero: HeroProxy
  let upstream: Upstream
  let hook: Server
  const logouts: string[] = []
  before(async () => {
    stage = await startProvider({ database_url: newUrl() })
    hero = stage.daemon.hero
    upstream = await startUpstream((asked, response) => {
      response.write('begun')
      if (asked.url !== '/stream') response.end()
    })
    hook = createServer((asked, response) => {
      let body = ''
      asked.on('data', (part: Buffer) => (body += part.toString()))
      asked.on('end', () => {
        logouts.push(new URLSearchParams(body).get('logout_token') ?? '')
        response.end()
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    hook.close()
    await stage.daemon.close()
    await upstream.close()
  })

  test('ends everywhere at its time: kept decisions, streams, claims, tokens, applications', async () => {
    const { issuer, daemon } = stage
    const wiki = issuer.replace('localhost', 'wiki.localhost')
    await hero.groups.add({ slug: 'writers' })
    const rule = { required_claims: ['groups.writers'], ask_group: 'writers' }
    const local = { target: upstream.target, auth_mode: 'optional' as const, ...rule }
    await hero.proxy.routes.add({ domain: 'wiki.localhost', ...local })
    const desk = new App(
      issuer,
      await hero.clients.add({
        name: 'Desk',
        client: 'desk',
        first_party: true,
        redirect_uris: [callback],
        backchannel_logout_uri: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
        ...rule,
      }),
    )
    const browser = newPerson()
    await browser.signIn(await browser.open(`${issuer}/auth/login`), 'grace', goodPassword)
    await browser.open(`${wiki}/.hero_proxy/sign_in`)
    const no = await browser.open(`${wiki}/`)
    const form = await browser.follow(no, `${issuer}/auth/ask?token=`)
    await browser.submit(form, '/auth/ask', { reason: 'A week' })
    const [{ id }] = (await hero.requests.list({ whose: 'others' })).items as unknown as [{ id: string }]
    const ends_at = now() + 4
    await hero.requests.approve({ request: id, ends_at })

    const grace = await signedIn(daemon, 'grace')
    const { access_token: token } = await grace.token.create({ user: 'grace', name: 'script' })
    const { body } = await desk.tokens(browser, 'grace')
    const state = async () => {
      const { claims } = await hero.claims.resolve({ user: 'grace' })
      const introspected = await post(`${issuer}/oauth/introspect`, { token: body.access_token }, desk.client)
      const byToken = await browser.open(`${wiki}/`, { headers: { authorization: `Bearer ${token}` } })
      return {
        page: (await browser.open(`${wiki}/`)).status,
        again: (await browser.open(`${wiki}/`)).status,
        token: byToken.status,
        claim: claims.includes('groups.writers'),
        told: (await hero.token.validate({ token })).active && (await grace.auth.me()).claims.length > 1,
        userinfo: (await desk.userinfo(body.access_token)).status,
        active: introspected.body.active,
      }
    }
    assert.deepEqual(await state(), {
      page: 200,
      again: 200,
      token: 200,
      claim: true,
      told: true,
      userinfo: 200,
      active: true,
    })
    const streamEnded = new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(wiki)
      const cookie = browser.cookiesAt(new URL(wiki))
      request(
        { host: '127.0.0.1', port, path: '/stream', headers: { host: `${hostname}:${port}`, cookie } },
        (answer) =>
          answer
            .on('error', () => {})
            .on('close', () => resolve(Date.now() / 1000))
            .resume(),
      )
        .on('error', reject)
        .end()
    })
    await delay(ends_at * 1000 - Date.now() + 20)
    assert.deepEqual(await state(), {
      page: 403,
      again: 403,
      token: 403,
      claim: false,
      told: false,
      userinfo: 401,
      active: false,
    })
    const refreshed = await desk.refresh(body.refresh_token ?? '')
    assert.equal(refreshed.status, 400)
    const late = (await streamEnded) - ends_at
    assert.ok(late > -1 && late < 5, `the stream ended ${late} s after the membership`)
    // We look every 30 seconds, and after every change.
    await hero.groups.add({ slug: 'any' })
    for (let i = 0; i < 200 && logouts.length === 0; i++) await delay(25)
    assert.equal(payloadOf(logouts[0]!).sub, payloadOf(body.id_token).sub)
    assert.match((await browser.open(`${issuer}/auth/services`)).text, /Ask for access/)
  })
})
