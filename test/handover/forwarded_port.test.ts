import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startStage } from '../support/edge_stage.ts'
import { ask } from '../support/http.ts'

test('the port that a trusted proxy reports is compared with the origin of the service', async () => {
  for (const trusted of [true, false]) {
    await using stage = await startStage({
      public_url: 'https://localhost:8443',
      trusted_proxies: trusted ? '127.0.0.1' : '10.0.0.1',
    })
    await stage.daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: stage.upstream.target,
      auth_mode: 'local',
    })
    const locationOf = async (port: string[], host = 'wiki.localhost') => {
      const headers = ['Accept', 'text/html', 'X-Forwarded-Proto', 'https', ...port]
      return (await ask(stage.daemon, host, '/.hero_proxy/sign_in', { headers })).headers.location
    }
    const home = /^https:\/\/localhost:8443\/auth\/login\?/
    const moved = /^https:\/\/wiki\.localhost:8443\/.*moved=1$/
    if (trusted) {
      assert.match((await locationOf([]))!, home, 'nothing names a port')
      assert.match((await locationOf(['X-Forwarded-Port', '8443']))!, home)
      assert.match((await locationOf(['X-Forwarded-Port', '9000']))!, moved)
      assert.match((await locationOf(['X-Forwarded-Port', '443']))!, moved)
      assert.match((await locationOf(['X-Forwarded-Port', '9000'], 'wiki.localhost:8443'))!, home)
    } else assert.match((await locationOf(['X-Forwarded-Port', '8443']))!, moved, 'it came in plain')
  }
})

test('the port that anybody else reports counts for nothing', async () => {
  for (const trusted of [true, false]) {
    await using stage = await startStage({
      public_url: 'http://localhost:8080',
      trusted_proxies: trusted ? '127.0.0.1' : '10.0.0.1',
    })
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local' })
    const headers = ['Accept', 'text/html', 'X-Forwarded-Port', '9000']
    const { location } = (await ask(stage.daemon, 'wiki.localhost', '/.hero_proxy/sign_in', { headers }))
      .headers
    assert.match(location!, trusted ? /moved=1$/ : /^http:\/\/localhost:8080\/auth\/login\?/)
  }
})
