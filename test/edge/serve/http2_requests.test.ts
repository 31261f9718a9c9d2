import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { got, startRaw, startStage, type RawUpstream, type Stage } from '../../support/edge_stage.ts'
import { valuesOf } from '../../support/upstream.ts'
import {
  answerOf,
  askFrames,
  askOver,
  dataFrame,
  headersFrame,
  openSession,
  statusOf,
} from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

describe('an HTTP/2 request', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let session: ClientHttp2Session
  /** What reached an upstream that accepts anything as a request. */
  const taken: string[] = []
  let lax: RawUpstream
  before(async () => {
    lax = await startRaw((socket, first) => {
      const answer = (head: string) => {
        taken.push(head)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
      answer(first)
      socket.on('data', (bytes) => answer(bytes.toString('latin1')))
    })
    stage = await startStage(tlsSettings(authority.issue('open.localhost')))
    await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
    await stage.route({ domain: 'lax.localhost', auth_mode: 'none', target: lax.target })
    await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
    session = await openSession(stage.daemon, 'open.localhost')
  })
  after(async () => {
    session.destroy()
    await stage.close()
    await lax[Symbol.asyncDispose]()
    authority[Symbol.dispose]()
  })
  const ask = (host: string, path: string, headers?: OutgoingHttpHeaders, body?: string) =>
    askOver(session, host, path, headers, body)

  test('is forwarded as HTTP/1.1 with one Host, no pseudo-headers and one Cookie header', async () => {
    const cookies = ['theme=dark', stage.ada, 'a=1']
    const answer = await ask('local.localhost', '/a/b?c=%2f', {
      cookie: cookies,
      'x-hero-user': 'root',
      x_hero_claims: 'admin',
      'x-forwarded-for': '10.9.9.9',
      te: 'trailers',
      'x-own': ['1', '2'],
    })
    assert.equal(answer.status, 200)
    const { method, url, rawHeaders } = got(answer)
    assert.deepEqual([method, url], ['GET', '/a/b?c=%2f'])
    assert.ok(rawHeaders.every((text, i) => i % 2 === 1 || !text.startsWith(':')))
    assert.deepEqual(valuesOf(rawHeaders, 'host'), ['local.localhost'])
    assert.deepEqual(valuesOf(rawHeaders, 'cookie'), ['theme=dark; a=1'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-proto'), ['https'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-own'), ['1', '2'])
    for (const name of ['te', 'connection', 'transfer-encoding', 'content-length', 'upgrade'])
      assert.deepEqual(valuesOf(rawHeaders, name), [], name)
    assert.ok(!/root|admin|10\.9|hero_proxy_session/.test(rawHeaders.join()))
  })

  test('two session cookies authenticate nobody', async () => {
    const answer = await ask('local.localhost', '/', { cookie: [stage.ada, stage.bob] })
    assert.equal(answer.status, 401)
  })

  const base = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'lax.localhost'],
    [':path', '/'],
  ] as const
  const without = (name: string) => base.filter(([one]) => one !== name)
  const but = (name: string, value: string) =>
    base.map(([one, was]) => [one, one === name ? value : was] as const)
  const plus = (...fields: [string, string][]) => [...base, ...fields]

  test('valid hand-written frames are served', async () => {
    const before = taken.length
    const frames = await askFrames(stage.daemon, [headersFrame(1, plus(['host', 'lax.localhost']))])
    assert.equal(statusOf(frames, 1), 200)
    const onlyHost = [...without(':authority'), ['host', 'lax.localhost'] as const]
    assert.equal(statusOf(await askFrames(stage.daemon, [headersFrame(1, onlyHost)]), 1), 200)
    const otherScheme = await askFrames(stage.daemon, [headersFrame(1, but(':scheme', 'http'))])
    assert.equal(statusOf(otherScheme, 1), 200)
    assert.equal(taken.length, before + 3)
    assert.match(taken.at(-1)!, /^GET \/ HTTP\/1\.1\r\n[^]*\r\nX-Forwarded-Proto: https\r\n/)
  })

  const refused: Record<string, (readonly [string, string])[]> = {
    'no authority': without(':authority'),
    'two authorities': plus([':authority', 'lax.localhost']),
    'another Host': plus(['host', 'local.localhost']),
    'two Hosts': plus(['host', 'lax.localhost'], ['host', 'lax.localhost.']),
    'userinfo in the authority': but(':authority', 'a@lax.localhost'),
    'a space in the authority': but(':authority', 'lax.localhost evil'),
    'no path': without(':path'),
    'an empty path': but(':path', ''),
    'absolute-form': but(':path', 'https://local.localhost/'),
    'a path without a slash': but(':path', 'a'),
    'an asterisk': but(':path', '*'),
    'dot segments': but(':path', '/a/../b'),
    'a space in the path': but(':path', '/ HTTP/1.1\r\nX-Hero-User: root'),
    'a byte above 0x7f in the path': but(':path', '/\u00e9'),
    'a method in lower case': but(':method', 'get'),
    'trace in lower case': but(':method', 'trace'),
    'an unknown method': but(':method', 'FROB'),
    'line breaks in the method': but(':method', 'GET / HTTP/1.1\r\nX: y\r\n\r\nGET'),
    'no method': without(':method'),
    'an upper-case name': plus(['X-Own', 'a']),
    connection: plus(['connection', 'keep-alive']),
    'transfer-encoding': plus(['transfer-encoding', 'chunked']),
    upgrade: plus(['upgrade', 'websocket']),
    'keep-alive': plus(['keep-alive', '5']),
    'an unknown pseudo-header': plus([':user', 'root']),
    'a pseudo-header after regular fields': [...without(':path'), ['x-a', 'b'], [':path', '/']],
    'an invalid Content-Length': plus(['content-length', '0x10']),
    'two Content-Length fields': plus(['content-length', '0'], ['content-length', '0']),
    ':protocol without CONNECT': plus([':protocol', 'websocket']),
    ':status in a request': plus([':status', '200']),
  }
  for (const [name, fields] of Object.entries(refused)) {
    test(`is refused, and nothing of it reaches an upstream: ${name}`, async () => {
      const before = taken.length
      const frames = await askFrames(stage.daemon, [headersFrame(1, fields)], 200)
      const status = statusOf(frames, 1)
      const ended = frames.some(({ type }) => type === 'reset' || type === 'goaway')
      assert.ok(status === 400 || (status === undefined && ended), `${status} ${ended}`)
      assert.equal(taken.length, before)
    })
  }

  const leftOut: Record<string, (readonly [string, string])[]> = {
    'line breaks in a value': plus(['x-a', 'b\r\nX-Hero-User: root']),
    'a line feed in a value': plus(['x-a', 'b\nx-hero-user: root']),
    'NUL in a value': plus(['x-a', 'b\0c']),
    'line breaks in a name': plus(['x-a: b\r\nx-hero-user', 'root']),
    'a colon in a name': plus(['x-a:b', 'c']),
    'a space in a name': plus(['x-hero-user ', 'root']),
    'an empty name': plus(['', 'a']),
  }
  for (const [name, fields] of Object.entries(leftOut)) {
    test(`is refused or loses the invalid field: ${name}`, async () => {
      const before = taken.length
      const frames = await askFrames(stage.daemon, [headersFrame(1, fields)], 200)
      const seen = taken.slice(before)
      assert.equal(statusOf(frames, 1), seen.length === 0 ? 400 : 200)
      for (const head of seen) assert.ok(!/root|x-a/i.test(head), head)
    })
  }

  test('a body whose length differs from Content-Length is refused', async () => {
    const post = but(':method', 'POST')
    for (const [length, body] of [
      ['3', 'hello'],
      ['10', 'hello'],
      ['0', 'hello'],
    ] as const) {
      const frames = await askFrames(stage.daemon, [
        headersFrame(1, [...post, ['content-length', length]], false),
        dataFrame(1, body, true),
      ])
      assert.notEqual(statusOf(frames, 1), 200, length)
    }
  })

  test('each of 150 concurrent streams has the identity of its own cookie', async () => {
    const asks = Array.from({ length: 150 }, async (_, i) => {
      const [who, cookie] = [
        ['ada', stage.ada],
        ['bob', stage.bob],
        ['', ''],
      ][i % 3]!
      const answer = await ask('local.localhost', `/${i}`, cookie === '' ? {} : { cookie: cookie! })
      if (who === '') return assert.equal(answer.status, 401)
      const { url, rawHeaders } = got(answer)
      assert.deepEqual([url, ...valuesOf(rawHeaders, 'x-hero-user')], [`/${i}`, who])
    })
    await Promise.all(asks)
    const pages = await Promise.all(
      [stage.ada, stage.bob, stage.ada].map((cookie) => ask('localhost', '/auth/me', { cookie })),
    )
    assert.deepEqual(
      pages.map(({ body }) => (JSON.parse(body) as { user: string }).user),
      ['ada', 'bob', 'ada'],
    )
  })

  test('own pages, forms and methods answer as over HTTP/1.1', async () => {
    const page = await ask('localhost', '/auth/login', { accept: 'text/html' })
    assert.equal(page.status, 200)
    const cookie = page.headers['set-cookie']![0]!.split(';')[0]!
    const form_token = /name="form_token" value="([^"]+)"/.exec(page.body)![1]!
    const form = new URLSearchParams({ form_token, login: 'ada', password: 'wrong-password', return_to: '/' })
    const type = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
    const wrong = await ask('localhost', '/auth/login', { ...type, cookie }, form.toString())
    assert.equal(wrong.status, 401)
    const foreign = { ...type, cookie, origin: 'https://evil.test' }
    assert.equal((await ask('localhost', '/auth/login', foreign, form.toString())).status, 403)
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'health' })
    const rpc = await ask('localhost', '/rpc', { 'content-type': 'application/json' }, call)
    assert.equal((JSON.parse(rpc.body) as { result: { status: string } }).result.status, 'ok')
    const large = await ask(
      'localhost',
      '/rpc',
      { 'content-type': 'application/json' },
      'x'.repeat(2_000_000),
    )
    assert.equal(large.status, 413)
    const away = await ask('local.localhost', '/x', { accept: 'text/html' })
    assert.deepEqual(
      [away.status, away.headers.location],
      [302, 'http://local.localhost:9997/.hero_proxy/sign_in?return_to=%2Fx'],
    )
    assert.equal((await ask('nobody.localhost', '/')).status, 421)
  })

  test('CONNECT without WebSocket, and TRACE, are refused', async () => {
    const plain = session.request({ ':method': 'CONNECT', ':authority': 'open.localhost:443' })
    assert.equal((await answerOf(plain)).status, 405)
    const other = session.request({
      ':method': 'CONNECT',
      ':protocol': 'connect-udp',
      ':scheme': 'https',
      ':authority': 'open.localhost',
      ':path': '/',
    })
    assert.equal((await answerOf(other)).status, 405)
    const traced = await ask('open.localhost', '/', { ':method': 'TRACE' })
    assert.equal(traced.status, 405)
  })
})
