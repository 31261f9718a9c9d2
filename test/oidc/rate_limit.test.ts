import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { stopAtFullMinute } from './full_minute.ts'
import {
  App,
  callback,
  newPerson,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('limits on unauthenticated requests', () => {
  let stage: Provider
  before(async () => (stage = await startProvider()))
  after(() => stage.daemon.close())

  test('unauthenticated sign-in requests are limited to three hundred a minute from one network', async (t) => {
    const { hero } = stage.daemon
    const uris = { redirect_uris: [callback] }
    const page = await hero.clients.add({
      anyone: true,
      name: 'Page',
      client: 'page',
      public: true,
      grants: ['authorization_code', 'device_code'],
      ...uris,
    })
    const site = await hero.clients.add({
      anyone: true,
      name: 'Site',
      client: 'site',
      first_party: true,
      ...uris,
    })
    const { challenge } = pkce()
    const person = newPerson()
    await new App(stage.issuer, site).signIn(person, 'grace', challenge)
    const params = { response_type: 'code', redirect_uri: callback, scope: 'openid', ...challenge }
    const push = (client: typeof site | undefined, client_id: string) =>
      post(`${stage.issuer}/oauth/par`, { client_id, ...params }, client)
    const authorize = () => newPerson().open(new App(stage.issuer, page).authorizeUrl(challenge))
    const device = () => post(`${stage.issuer}/oauth/device`, { client_id: 'page', scope: 'openid' })
    stopAtFullMinute(t)
    for (let i = 0; i < 298; i++) assert.equal((await push(undefined, 'page')).status, 201)
    assert.equal((await authorize()).url.pathname, '/auth/login')
    assert.equal((await device()).status, 200)
    for (const refused of [await push(undefined, 'page'), await device()]) {
      assert.deepEqual([refused.status, refused.body.error], [429, 'temporarily_unavailable'])
      assert.equal(refused.headers.get('retry-after'), '60')
    }
    assert.equal((await authorize()).url.searchParams.get('error'), 'temporarily_unavailable')
    // Authenticated clients and signed-in people are not limited.
    assert.equal((await push(site, 'site')).status, 201)
    const again = await person.open(new App(stage.issuer, page).authorizeUrl(challenge))
    assert.match(again.url.pathname, /^\/auth\/consent\//)
    t.mock.timers.tick(60_000)
    assert.equal((await push(undefined, 'page')).status, 201)
  })

  test('forms opened without a session and requests of self-registered clients count too', async (t) => {
    const { hero } = stage.daemon
    await hero.settings.set({ key: 'client_registration', value: 'open' })
    const registered = await fetch(`${stage.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [callback] }),
    })
    const { client_id: client, client_secret } = (await registered.json()) as Record<string, string>
    const params = { response_type: 'code', redirect_uri: callback, scope: 'openid', ...pkce().challenge }
    const push = () =>
      post(
        `${stage.issuer}/oauth/par`,
        { client_id: client!, ...params },
        {
          client: client!,
          client_secret: client_secret!,
        },
      )
    stopAtFullMinute(t, 2)
    const open = (path: string) => fetch(`${stage.issuer}${path}`, { headers: { accept: 'text/html' } })
    for (let i = 0; i < 298; i++) assert.equal((await push()).status, 201)
    for (const path of ['/device', '/oauth/logout']) assert.equal((await open(path)).status, 200)
    assert.equal((await push()).status, 429)
    for (const path of ['/device', '/oauth/logout']) {
      const refused = await open(path)
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '60'])
      assert.match(await refused.text(), /Too many (attempts|sign-ins were started)/)
    }
  })
})
