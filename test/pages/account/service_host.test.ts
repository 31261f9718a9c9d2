import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { arriveAt, ask, signIn } from '../../support/http.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

describe('what a service can do with the session that it sees', () => {
  let stage: Stage
  /** Of an administrator, at home and at the service. */
  let atHome: string
  let atService: string
  before(async () => {
    stage = await startStage()
    await stage.daemon.hero.users.update({ username: 'ada', is_admin: true })
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local' })
    atHome = await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
    atService = await arriveAt(stage.daemon, 'wiki.localhost', atHome)
  })
  after(() => stage.close())

  const rpc = (host: string, cookie: string, method: string) =>
    ask(stage.daemon, host, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, 'Cookie', cookie],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }),
    })
  const paths = ['/auth/me', '/auth/account/password', '/auth/prove', '/rpc', '/.well-known/jwks.json']

  test('its cookie signs nobody in at home or at another host, and the cookie of home signs nobody in here', async () => {
    const status = async (host: string, path: string, cookie: string) =>
      (await ask(stage.daemon, host, path, { headers: ['Cookie', cookie] })).status
    assert.equal(await status('wiki.localhost', '/', atService), 200)
    assert.equal(await status('localhost', '/auth/me', atService), 401)
    assert.match((await rpc('localhost', atService, 'auth.me')).body, /unauthenticated/)
    await stage.route({ domain: 'files.localhost', auth_mode: 'local' })
    assert.equal(await status('files.localhost', '/', atService), 401)
    assert.equal(await status('wiki.localhost', '/', atHome), 401)
    assert.equal(await status('localhost', '/auth/me', atHome), 200)
  })

  test('the pages and methods of home are not there: these paths belong to the service, without our cookie', async () => {
    for (const path of paths) {
      if (path === '/auth/me') continue
      const { status, body } = await ask(stage.daemon, 'wiki.localhost', path, {
        method: 'POST',
        headers: ['Cookie', atService, 'Content-Type', 'application/json'],
        body: '{}',
      })
      assert.equal(status, 200, path)
      assert.equal((JSON.parse(body) as { url: string }).url, path)
      assert.ok(!body.includes(atService), path)
    }
  })

  test('a person is led home to their account, and a program reads who is signed in', async () => {
    const person = await ask(stage.daemon, 'wiki.localhost', '/auth/me', {
      headers: ['Accept', 'text/html', 'Cookie', atService],
    })
    assert.deepEqual([person.status, person.headers.location], [302, 'http://localhost:9997/auth/me'])
    for (const path of ['/auth/me', '/.hero_proxy/me']) {
      const program = await ask(stage.daemon, 'wiki.localhost', path, { headers: ['Cookie', atService] })
      const { user, claims } = JSON.parse(program.body) as { user: string; claims: string[] }
      assert.equal(user, 'ada')
      assert.ok(claims.includes('users.ada'))
      assert.equal((await ask(stage.daemon, 'wiki.localhost', path)).status, 401)
    }
  })
})
