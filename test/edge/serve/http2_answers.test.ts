import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'
import { startUpstream, type Upstream } from '../../support/upstream.ts'
import { answerOf, askOver, openSession } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

const sha = (data: Buffer) => hash('sha256', data, 'hex')

describe('responses over HTTP/2', () => {
  const authority = new TestAuthority()
  const authoritySettings = tlsSettings(authority.issue('open.localhost'))
  let stage: Stage
  let session: ClientHttp2Session
  let upstream: Upstream
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url!
    if (path === '/large') return void response.writeHead(200, { 'content-length': 20_000_000 }).end()
    if (path === '/digest') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => response.end(sha(Buffer.concat(chunks))))
    } else if (path === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      setTimeout(() => response.write('data: 1\n\n'), 100)
    } else if (path === '/early') {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('late')
    } else if (path === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('body')
      response.addTrailers({ 'x-sum': '42', 'x-hero-user': 'evil' })
      response.end()
    } else if (path.startsWith('/status/')) {
      response.writeHead(Number(path.slice(8)), { 'x-own': '1' }).end()
    } else response.end(JSON.stringify(request.headers))
  }

  before(async () => {
    stage = await startStage(authoritySettings)
    upstream = await startUpstream(serve)
    await stage.route({ domain: 'open.localhost', auth_mode: 'none', target: upstream.target })
    session = await openSession(stage.daemon, 'open.localhost')
  })
  after(async () => {
    session.destroy()
    await upstream.close()
    await stage.close()
    authority[Symbol.dispose]()
  })
  const ask = (path: string, headers = {}, body?: string | Buffer) =>
    askOver(session, 'open.localhost', path, headers, body)

  test('hop-by-hop headers are removed, repeated headers all pass, and values keep their bytes', async () => {
    await using raw = await startRaw(
      [
        'HTTP/1.1 200 Fine\r\nConnection: close, X-Listed\r\nKeep-Alive: timeout=5\r\nX-Listed: 1\r\n',
        'Upgrade: h2c\r\nProxy-Connection: close\r\nTransfer-Encoding: chunked\r\n',
        'ETag: "a"\r\nETag: "b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Latin: caf\xe9\r\n',
        'X-Hero-User: evil\r\nContent-Type: text/x\r\nContent-Type: text/y\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      ].join(''),
    )
    await stage.route({ domain: 'raw.localhost', auth_mode: 'none', target: raw.target })
    const { status, headers, body, code } = await askOver(session, 'raw.localhost', '/')
    assert.deepEqual([status, body, code], [200, 'hello', 0])
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(Buffer.from(String(headers['x-latin']), 'latin1').toString('latin1'), 'caf\xe9')
    assert.equal(headers.etag, '"a"')
    const names = ['connection', 'keep-alive', 'x-listed', 'upgrade', 'proxy-connection', 'transfer-encoding']
    for (const name of [...names, 'x-hero-user']) assert.equal(headers[name], undefined, name)
  })

  test('every valid status passes, with and without a body, and an invalid one becomes 502', async () => {
    for (const status of [200, 201, 204, 205, 206, 301, 304, 400, 401, 404, 418, 500, 503, 599]) {
      const answer = await ask(`/status/${status}`)
      assert.deepEqual([answer.status, answer.headers['x-own'], answer.code], [status, '1', 0])
    }
    for (const status of [600, 700, 999]) assert.equal((await ask(`/status/${status}`)).status, 502)
    const head = await ask('/large', { ':method': 'HEAD' })
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '20000000', ''])
  })

  test('early hints, trailers and 100 (Continue) pass, and other expectations get 417', async () => {
    const hinted = session.request({ ':path': '/early', ':authority': 'open.localhost' })
    const hints: unknown[] = []
    hinted.on('headers', (headers) => hints.push(headers[':status'], headers.link))
    assert.equal((await answerOf(hinted)).body, 'late')
    assert.deepEqual(hints, [103, '</a.css>; rel=preload'])
    const ended = await ask('/trailers')
    assert.deepEqual([ended.body, ended.trailers?.['x-sum'], ended.code], ['body', '42', 0])
    assert.equal(ended.trailers?.['x-hero-user'], undefined)
    const expecting = session.request(
      { ':method': 'POST', ':path': '/digest', ':authority': 'open.localhost', expect: '100-continue' },
      { endStream: false },
    )
    await once(expecting, 'continue')
    expecting.end('hello')
    assert.equal((await answerOf(expecting)).body, sha(Buffer.from('hello')))
    assert.equal((await ask('/', { expect: '200-maybe' })).status, 417)
  })

  test('a truncated response of the upstream resets the stream', async () => {
    for (const head of ['Content-Length: 100\r\n', 'Transfer-Encoding: chunked\r\n']) {
      await using raw = await startRaw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n5\r\nhello\r\n`)
        setTimeout(() => socket.destroy(), 50)
      })
      const { id } = await stage.route({ domain: 'broken.localhost', auth_mode: 'none', target: raw.target })
      const answer = await askOver(session, 'broken.localhost', '/')
      assert.deepEqual([answer.status, answer.code], [200, 2], head)
      await stage.daemon.hero.proxy.routes.remove({ id })
    }
  })

  test('an event stream is delivered without buffering', async () => {
    const stream = session.request({ ':path': '/events', ':authority': 'open.localhost' })
    stream.on('error', () => {})
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    assert.equal(headers['content-type'], 'text/event-stream')
    const [event] = (await once(stream, 'data')) as [Buffer]
    assert.equal(event.toString(), 'data: 1\n\n')
    stream.close(8)
  })

  test('a shutdown lets streams finish, accepts no new ones and does not wait for idle connections', async () => {
    const own = await startStage(authoritySettings)
    const waiting: ServerResponse[] = []
    await using slow = await startUpstream((_, response) => {
      response.write('first ')
      waiting.push(response)
    })
    await own.route({ domain: 'slow.localhost', auth_mode: 'none', target: slow.target })
    const [idle, busy] = [
      await openSession(own.daemon, 'a.localhost'),
      await openSession(own.daemon, 'b.localhost'),
    ]
    const answer = askOver(busy, 'slow.localhost', '/')
    while (waiting.length === 0) await sleep(10)
    const idleClosed = once(idle, 'close')
    const stopped = own.close()
    await idleClosed
    waiting[0]!.end('last')
    assert.deepEqual([(await answer).body, (await answer).code], ['first last', 0])
    await stopped
  })
})
