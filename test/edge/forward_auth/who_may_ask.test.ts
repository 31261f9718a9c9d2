import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { spellsForwardAuth } from '../../../src/edge/decide/forward_auth_spelling.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { ask } from '../../support/http.ts'
import { about, flat, identity } from './asking.ts'

/** What one service or another would take for our path. */
const spellings = [
  '/auth/forward',
  '/auth/forward/',
  '/auth/forward/page',
  '/auth/forward?x=1',
  '/Auth/Forward',
  '/AUTH/FORWARD/x',
  '//auth/forward',
  '/auth//forward',
  '/;x/auth/forward',
  '/auth;x/forward',
  '/auth/forward;x',
  '/auth/forward.',
  '/auth/forward~',
  '/%61uth/forward',
  '/a%75th/forward',
  '/au%74h/forward',
  '/aut%68/forward',
  '/auth%2fforward',
  '/auth%2Fforward%2Fpage',
  '/auth%5cforward',
  '/auth/%66orward',
  '/auth/forwar%64',
  '/auth/forward%20',
  '/auth/forward%2e',
  '/auth/forward%3fx',
  '/auth/forward%23x',
  '/auth/forward%3bx',
  '/%2561uth/forward',
  '/auth%252fforward',
  '/%2fauth/forward',
  '/%c0%afauth/forward',
  '/%ef%bd%81uth/forward',
  '/auth/forward%09',
  '/au%0dth/forward',
]
const others = [
  '/auth/forwards',
  '/auth/forward-x',
  '/auth/forward_x',
  '/x/auth/forward',
  '/authx/forward',
  '/forward',
]

test('which paths a service could take for the one of forward auth', () => {
  for (const path of spellings) assert.ok(spellsForwardAuth(path.replace(/\?.*/, '')), path)
  for (const path of ['/', '/a', '/auth', '/auth/', '/%', '/%61', '/;', ...others])
    assert.ok(!spellsForwardAuth(path), path)
})

describe('a trusted proxy that may not ask', () => {
  let stage: Stage
  const hosts = ['open.localhost', 'localhost', 'nobody.example', '127.0.0.1', 'x.wild.test']
  before(async () => {
    stage = await startStage({ public_url: 'http://localhost:9997', trusted_proxies: '127.0.0.0/8' })
    for (const domain of ['open.localhost', 'localhost', '*.wild.test'])
      await stage.route({ domain, auth_mode: 'none', shares_home: domain === 'localhost' })
  })
  after(() => stage.close())

  test('gets 403 at every host, in every spelling, and no service gets the request', async () => {
    const { daemon, upstream } = stage
    // A decision that is kept must not be used for it either.
    for (let i = 0; i < 3; i++) await ask(daemon, 'open.localhost', '/x', { headers: flat(about) })
    const before = upstream.seen.length
    for (const host of hosts)
      for (const path of spellings)
        for (const request of [
          {},
          { headers: flat({ ...about, 'X-Forwarded-Host': 'open.localhost', Cookie: stage.ada }) },
          { method: 'POST', body: 'x' },
          { headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] },
        ]) {
          const answer = await ask(daemon, host, path, request)
          assert.equal(answer.status, 403, `${host}${path}`)
          assert.deepEqual(identity(answer)['X-Hero-User'], [])
        }
    assert.equal(upstream.seen.length, before)
    for (const path of ['/x/auth/forward', '/authx/forward', '/forward'])
      assert.equal((await ask(daemon, 'open.localhost', path)).status, 200, path)
  })

  test('the route test says so', async () => {
    for (const path of ['/AUTH/forward', '/auth%2fforward']) {
      const { act, status, check } = await stage.daemon.hero.proxy.routes.test({
        url: `http://open.localhost:9997${path}`,
      })
      assert.deepEqual([act, status, check], ['refuse', 403, 'own_path'], path)
    }
  })
})

describe('a proxy that may ask, and carries nothing', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ forward_auth_from: '127.0.0.1' })
    await stage.route({ domain: 'app.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  const question = (host: string, at: string, more: Readonly<Record<string, string>> = {}) =>
    ask(stage.daemon, host, at, { headers: flat({ ...about, ...more }) })

  test('is answered at any host, about the address that it names', async () => {
    const { hero } = stage.daemon
    await hero.users.networks.add({ user: 'ada', network: '10.1.1.1/32' })
    await hero.settings.set({ key: 'network_login', value: true })
    for (const host of ['app.localhost', 'localhost', 'nobody.example', '127.0.0.1:9997']) {
      const answer = await question(host, '/auth/forward')
      assert.equal(answer.status, 200, host)
      assert.deepEqual(identity(answer)['X-Hero-User'], ['ada'], host)
    }
    const other = await question('x', '/auth/forward', { 'X-Forwarded-For': '10.1.1.2' })
    assert.deepEqual(identity(other)['X-Hero-User'], [''])
    // Outside of its questions its word counts for nothing.
    const direct = await ask(stage.daemon, 'app.localhost', '/page', { headers: flat(about) })
    assert.doesNotMatch(direct.body, /"X-Hero-User"/)
  })

  test('is not answered at another spelling, nor about one', async () => {
    for (const path of spellings.filter((spelling) => !/^\/auth\/forward($|[/?])/.test(spelling))) {
      assert.equal((await question('app.localhost', path)).status, 403, path)
      assert.equal((await question('x', '/auth/forward', { 'X-Forwarded-Uri': path })).status, 403, path)
    }
  })
})
