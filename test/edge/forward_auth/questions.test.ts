import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { paths } from '../hostile_paths.ts'
import { startStage } from '../../support/edge_stage.ts'
import { ask, askRaw } from '../../support/http.ts'
import { about, code, detail, flat, identity, startAsking, type Headers } from './asking.ts'

describe('requests to /auth/forward', () => {
  let stage: Awaited<ReturnType<typeof startAsking>>
  let question: (typeof stage)['question']
  before(async () => {
    stage = await startAsking()
    question = stage.question
  })
  after(() => stage.close())

  test('own paths, unknown hosts and disabled routes are refused', async () => {
    const home = 'localhost'
    const service = about['X-Forwarded-Host']!
    for (const [host, paths] of [
      [
        home,
        ['/auth/login', '/auth/x', '/rpc', '/login?next=/', '/auth/forward', '/.well-known/x', '/admin'],
      ],
      [service, ['/auth/login', '/login?next=/', '/logout', '/auth/me', '/auth/forward', '/auth/forward/x']],
      [service, ['/.hero_proxy/me', '/.hero_proxy/arrive?code=x', '/.hero_proxy/x', '/%2ehero_proxy/x']],
    ] as const)
      for (const path of paths) {
        const asked = { ...about, 'X-Forwarded-Host': host, 'X-Forwarded-Uri': path }
        const answer = await question({ ...asked, Cookie: stage.ada })
        assert.equal(answer.status, 403, `${host}${path}`)
        assert.equal(code(answer), 'own_path')
      }
    for (const path of ['/rpc', '/.well-known/x', '/metrics', '/admin', '/auth/x', '/health']) {
      const asked = { ...about, 'X-Forwarded-Uri': path }
      assert.equal((await question(asked)).status, 401, `${path} has the protection of its route`)
      assert.equal((await question({ ...asked, Cookie: stage.ada })).status, 200, path)
    }
    const posted = { ...about, 'X-Forwarded-Method': 'POST', 'X-Forwarded-Uri': '/login' }
    assert.deepEqual(
      [(await question(posted)).status, (await question({ ...posted, Cookie: stage.ada })).status],
      [401, 200],
    )
    const elsewhere = { ...about, 'X-Forwarded-Host': 'other.localhost', Cookie: stage.ada }
    assert.equal((await question(elsewhere)).status, 404)
    assert.equal((await question({ ...about, 'X-Forwarded-Uri': '/off', Cookie: stage.ada })).status, 404)
    assert.equal((await question({ ...about, 'X-Forwarded-Host': 'localhost' })).status, 404)
  })

  test('a path with too many readings is refused as such', async () => {
    const uri = `/%61uth${'%ef%bc%8564%09;a%5cb/%c0%af'.repeat(500)}`
    const answer = await question({ ...about, 'X-Forwarded-Uri': uri, Cookie: stage.ada })
    assert.deepEqual([answer.status, code(answer)], [400, 'bad_request'])
  })

  test('a missing header is named', async () => {
    for (const name of Object.keys(about)) {
      const answer = await question({ ...about, [name]: undefined, Cookie: stage.ada })
      assert.equal(answer.status, 400, name)
      assert.ok(detail(answer).includes(name), detail(answer))
    }
    assert.equal((await question({})).status, 400)
  })

  test('a repeated or contradictory header is refused', async () => {
    const open = { ...about, 'X-Forwarded-Uri': '/open' }
    for (const [name, value] of [
      ...Object.entries(open),
      ['X-Original-URI', '/page'],
      ['x-original-uri', '/open/'],
      ['X-Original-URL', 'http://app.localhost/page'],
      ['X-Original-URL', 'https://app.localhost/open'],
      ['X-Original-URL', 'http://other.localhost/open'],
      ['X-Original-URL', '/open'],
      ['X-Original-Method', 'POST'],
    ] as const) {
      const headers = [...flat(open), name, value!]
      const answer = await ask(stage.daemon, 'x', '/auth/forward', { headers })
      assert.equal(answer.status, 400, `${name}: ${value}`)
      assert.ok(detail(answer).startsWith(Object.keys(open).find((known) => known === name) ?? 'X-Orig'))
    }
    const same = {
      ...open,
      'X-Original-URL': 'http://APP.localhost:80/open',
      'X-Original-URI': '/open',
      'X-Original-Method': 'GET',
    }
    assert.equal((await question(same)).status, 200)
    // Other spellings are other headers, so those of the client have no effect.
    const twins = { ...about, X_Forwarded_Uri: '/open', 'X-Forwarded_Host': 'x', 'X.Forwarded.Uri': '/open' }
    assert.equal((await question(twins)).status, 401)
  })

  test('invalid values are refused', async () => {
    for (const [name, values] of Object.entries({
      'X-Forwarded-Method': ['', 'G T', 'GET, POST', 'x'.repeat(40)],
      'X-Forwarded-Proto': ['', 'ftp', 'https, http', 'HTTPS'],
      'X-Forwarded-Host': [
        '',
        'a b',
        'app.localhost, evil.test',
        'app.localhost:99999',
        'evil@app.localhost',
      ],
      'X-Forwarded-Uri': [
        '',
        'open',
        'http://app.localhost/open',
        '/open#x',
        '/open/../page',
        '/%zz',
        '/\\x',
      ],
      'X-Forwarded-For': ['', 'unknown', '10.1.1.1, x', '10.1.1.1:', 'fe80::1%eth0', "' or 1=1"],
    }))
      for (const value of values) {
        const open = { ...about, 'X-Forwarded-Uri': '/open', Cookie: stage.ada, [name]: value }
        assert.equal((await question(open)).status, 400, `${name}: ${value}`)
      }
    for (const method of ['CONNECT', 'TRACE'])
      assert.equal((await question({ ...about, 'X-Forwarded-Method': method })).status, 405)
    const post = await question(about, '/auth/forward', 'x', 'POST')
    assert.equal(post.status, 405)
    assert.equal(post.headers.allow, 'GET, HEAD')
    const head = await question({ ...about, Cookie: stage.ada }, '/auth/forward', 'x', 'HEAD')
    assert.equal(head.status, 200)
    assert.deepEqual(identity(head)['X-Hero-User'], ['ada'])
  })

  test('an upgrade is decided as one, whether or not Upgrade was passed on', async () => {
    const page = { ...about, Cookie: stage.ada }
    const socket = { 'Sec-WebSocket-Key': 'MDEyMzQ1Njc4OWFiY2RlZg==', 'Sec-WebSocket-Version': '13' }
    for (const headers of [
      socket,
      { 'Sec-WebSocket-Version': '13' },
      { ...socket, Upgrade: 'websocket' },
      { ...socket, Upgrade: 'websocket', Connection: 'Upgrade' },
      { Upgrade: 'other', Connection: 'Upgrade' },
    ] as Headers[]) {
      const foreign = await question({ ...page, ...headers, Origin: 'http://evil.test' })
      assert.equal(foreign.status, 403, JSON.stringify(headers))
      assert.equal(code(foreign), 'cross_origin')
      const own = await question({ ...page, ...headers, Origin: 'http://app.localhost' })
      assert.equal(own.status, 200, JSON.stringify(headers))
      assert.equal((await question({ ...about, ...headers })).status, 401)
    }
    // A plain request may come from another page, which CORS covers.
    assert.equal((await question({ ...page, Origin: 'http://evil.test' })).status, 200)
  })

  test('exactly the paths that are refused as requests are refused here (D11)', async () => {
    const first = async (bytes: string) =>
      Number(/^HTTP\/1\.1 ([0-9]+)/.exec(await askRaw(stage.daemon, bytes, 2000))?.[1])
    let passed = 0
    for (const path of paths) {
      const plain = await first(`GET ${path} HTTP/1.1\r\nHost: paths.localhost\r\nConnection: close\r\n\r\n`)
      const lines = flat({ ...about, 'X-Forwarded-Host': 'paths.localhost', 'X-Forwarded-Uri': undefined })
      const head = Array.from(
        { length: lines.length / 2 },
        (_, i) => `${lines[2 * i]}: ${lines[2 * i + 1]}\r\n`,
      )
      const asked = await first(
        `GET /auth/forward HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head.join('')}X-Forwarded-Uri: ${path}\r\n\r\n`,
      )
      // Own paths are pages there, and here belong to no service.
      if (asked !== 403) assert.equal(asked, plain, path)
      if (asked === 200) passed++
    }
    assert.ok(passed > 0)
  })

  test('a peer that may not ask gets the same 403 for everything', async () => {
    const others = '10.0.0.0/8,192.0.2.1'
    for (const settings of [
      {},
      { trusted_proxies: '127.0.0.1' },
      { forward_auth_from: others },
      { trusted_proxies: '127.0.0.1', forward_auth_from: others },
    ] as Record<string, string>[]) {
      await using lone = await startStage(settings)
      await lone.route({ domain: 'app.localhost', auth_mode: 'optional' })
      const bodies = new Set<string>()
      for (const [at, host, headers] of [
        ['/auth/forward', 'app.localhost', about],
        ['/auth/forward', 'app.localhost', { ...about, Cookie: lone.ada }],
        ['/auth/forward', 'app.localhost', { ...about, 'X-Forwarded-Host': 'no.localhost' }],
        ['/auth/forward', 'app.localhost', {}],
        ['/auth/forward/page', 'app.localhost', { ...about, Cookie: lone.ada }],
        ['/auth/forward/page', 'no.localhost', about],
        ['/auth/forward', 'app.localhost', { ...about, 'X-Forwarded-For': '10.0.0.1', Cookie: lone.ada }],
      ] as const) {
        const answer = await ask(lone.daemon, host, at, { headers: flat(headers) })
        assert.equal(answer.status, 403)
        assert.deepEqual(identity(answer)['X-Hero-User'], [])
        bodies.add(answer.body)
      }
      assert.equal(bodies.size, 1)
      assert.match([...bodies][0]!, /only the proxies in forward_auth_from/)
      const told = lone.daemon.logged.filter(({ setting }) => setting === 'forward_auth_from')
      assert.deepEqual(
        told.map(({ peer }) => peer),
        ['127.0.0.1'],
      )
    }
  })
})
