import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { instanceFact } from '../../../src/storage/instance_facts.ts'
import { startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { valuesOf } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

const handshake = (host: string, headers = '') =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`

describe('loop detection by Via (RFC 9110 section 7.6.3)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    for (const auth_mode of ['none', 'local'] as const)
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
    await stage.route({ domain: 'self.localhost', auth_mode: 'optional', target: stage.daemon.origin })
    await stage.route({ domain: 'inner.localhost', auth_mode: 'none', target: stage.daemon.origin })
  })
  after(() => stage.close())

  const via = async (...headers: string[]) =>
    valuesOf(got(await ask(stage.daemon, 'none.localhost', '/', { headers })).rawHeaders, 'via')
  const requests = async () => (await stage.daemon.hero.stats()).edge_requests

  test('every forwarded request has a Via entry of the proxy after the existing ones, and responses have none', async () => {
    const [own] = await via()
    assert.match(own!, /^1\.1 hero-[0-9a-f]{16}$/)
    assert.deepEqual(await via('Via', '1.0 fred, 1.1 p.example.net', 'via', '2 cdn (a, b)'), [
      '1.0 fred, 1.1 p.example.net',
      '2 cdn (a, b)',
      own,
    ])
    const { headers } = await ask(stage.daemon, 'none.localhost', '/')
    assert.equal(headers.via, undefined)
    const old = await askRaw(stage.daemon, 'GET / HTTP/1.0\r\nHost: none.localhost\r\n\r\n')
    assert.ok(old.includes(`"1.0 ${own!.slice(4)}"`), 'the version of the received request')
  })

  test('a route whose target is the proxy itself gets 508 instead of looping', async () => {
    const before = await requests()
    const program = await ask(stage.daemon, 'self.localhost', '/', { method: 'POST', body: 'x' })
    assert.equal(program.status, 508)
    assert.equal((JSON.parse(program.body) as { code: string }).code, 'loop_detected')
    const page = await ask(stage.daemon, 'self.localhost', '/', { headers: ['Accept', 'text/html'] })
    assert.deepEqual([page.status, page.headers['content-type']], [508, 'text/html; charset=utf-8'])
    assert.match(page.body, /leads in a circle/)
    assert.match(await askRaw(stage.daemon, handshake('self.localhost')), /^HTTP\/1\.1 508 /)
    assert.equal((await requests()) - before, 6, 'each request came in twice')
  })

  test('neither a client nor an intermediate proxy can hide that a request has passed before', async () => {
    const [own] = await via()
    const name = own!.slice(4)
    for (const headers of [
      ['Via', own!],
      ['Via', `1.1 a, 1.1 ${name.toUpperCase()} (somebody), 1.1 b`],
      ['Via', '1.1 a', 'vIA', `HTTP/2 ${name}:443`],
      ['Via', own!, 'Connection', 'Via'],
    ]) {
      for (const host of ['none.localhost', 'local.localhost', 'inner.localhost']) {
        assert.equal((await ask(stage.daemon, host, '/', { headers })).status, 508, headers.join())
      }
    }
    const upgrade = await askRaw(stage.daemon, handshake('none.localhost', `Via: ${own}\r\n`))
    assert.match(upgrade, /^HTTP\/1\.1 508 /)
    assert.equal(
      (await ask(stage.daemon, 'inner.localhost', '/', { headers: ['Connection', 'Via'] })).status,
      508,
    )
  })

  test('own pages are not forwarded, so they are shown despite Via', async () => {
    const [own] = await via()
    const headers = ['Via', own!]
    for (const [host, path] of [
      ['localhost', '/auth/login'],
      ['none.localhost', '/.hero_proxy/style.css'],
    ] as const)
      assert.equal((await ask(stage.daemon, host, path, { headers })).status, 200, host)
    assert.equal((await ask(stage.daemon, 'nobody.localhost', '/', { headers })).status, 404)
  })

  test('a loop between two instances ends at the first one', async () => {
    await using other = await startTestDaemon()
    await other.hero.proxy.routes.add({
      domain: 'circle.localhost',
      target: stage.daemon.origin,
      auth_mode: 'none',
    })
    await stage.route({ domain: 'circle.localhost', auth_mode: 'none', target: other.origin })
    for (const daemon of [stage.daemon, other]) {
      const { status, body } = await ask(daemon, 'circle.localhost', '/')
      assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [508, 'loop_detected'])
      assert.match(await askRaw(daemon, handshake('circle.localhost')), /^HTTP\/1\.1 508 /)
    }
    const before = (await other.hero.stats()).edge_requests
    await ask(stage.daemon, 'circle.localhost', '/')
    assert.equal((await other.hero.stats()).edge_requests - before, 1)
  })

  test('one instance behind another is no loop', async () => {
    await using front = await startTestDaemon()
    await front.hero.proxy.routes.add({
      domain: 'none.localhost',
      target: stage.daemon.origin,
      auth_mode: 'none',
    })
    const seen = valuesOf(got(await ask(front, 'none.localhost', '/')).rawHeaders, 'via')
    assert.equal(seen.length, 2)
    assert.notEqual(seen[0], seen[1])
    assert.deepEqual([seen[1]], await via())
  })
})

test('the Via name belongs to the instance and survives a restart', async () => {
  const nameOf = (daemon: Pick<TestDaemon, 'config'>) =>
    byHand(daemon, (database) => instanceFact(database, 'via'))
  const daemon = await startTestDaemon()
  const name = await nameOf(daemon)
  assert.match(name!, /^hero-[0-9a-f]{16}$/)
  const again = await daemon.restart()
  assert.equal(await nameOf(again), name)
  const target = again.origin
  await again.hero.proxy.routes.add({ domain: 'x.localhost', target, auth_mode: 'none' })
  const { status } = await ask(again, 'x.localhost', '/', { headers: ['Via', `1.1 ${name}`] })
  assert.equal(status, 508)
  await again.close()
})
