import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { startUpstream, type Upstream } from '../../support/upstream.ts'
import {
  answerOf,
  askOver,
  dataFrame,
  headersFrame,
  openFrames,
  openSession,
  resetFrame,
  type H2Answer,
} from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'
import { until } from '../../support/shown_certificate.ts'

const sha = (data: Buffer) => hash('sha256', data, 'hex')

describe('bodies over HTTP/2', () => {
  const authority = new TestAuthority()
  const large = randomBytes(20_000_000)
  let stage: Stage
  let session: ClientHttp2Session
  let upstream: Upstream
  /** What the upstream received of each request body, by path. */
  const bodies = new Map<string, { length: number; end: boolean; aborted: boolean }>()
  /** How many bytes of an endless response the upstream could write. */
  const endless = { length: 0, closed: false }

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url!
    if (path === '/large') return void response.writeHead(200, { 'content-length': large.length }).end(large)
    if (path === '/endless') {
      const chunk = Buffer.alloc(64 * 1024)
      const more = () => {
        while (!endless.closed && response.write(chunk)) endless.length += chunk.length
      }
      response.on('drain', more).on('close', () => (endless.closed = true))
      more()
    } else if (path.startsWith('/watch')) {
      const body = { length: 0, end: false, aborted: false }
      bodies.set(path, body)
      request.on('data', (chunk: Buffer) => (body.length += chunk.length))
      request.on('end', () => (body.end = true)).on('aborted', () => (body.aborted = true))
      request.on('error', () => {})
    } else if (path === '/unread') {
      response.end('enough')
    } else {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => response.end(sha(Buffer.concat(chunks))))
    }
  }

  before(async () => {
    stage = await startStage(tlsSettings(authority.issue('open.localhost')))
    upstream = await startUpstream(serve)
    await stage.route({ domain: 'open.localhost', auth_mode: 'none', target: upstream.target })
    await stage.route({ domain: 'local.localhost', auth_mode: 'local', target: upstream.target })
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

  test('eight bodies of 20 MB at a time pass intact in both directions', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? ask('/digest', {}, large) : ask('/large'))),
    )
    for (const [i, { status, body, code }] of answers.entries()) {
      assert.deepEqual([status, code], [200, 0])
      assert.equal(i % 2 ? body : sha(Buffer.from(body, 'latin1')), sha(large))
    }
  })

  test("a client that does not read slows the upstream down, and its reset ends the upstream's response", async () => {
    const stream = session.request({ ':path': '/endless', ':authority': 'open.localhost' })
    stream.on('error', () => {})
    await once(stream, 'response')
    stream.pause()
    await sleep(500)
    const then = endless.length
    await sleep(500)
    assert.equal(endless.length, then)
    assert.ok(then < 30_000_000, String(then))
    stream.close(8)
    for (let i = 0; i < 50 && !endless.closed; i++) await sleep(50)
    assert.equal(endless.closed, true)
  })

  const watched = async (path: string, holds: (body: { length: number; aborted: boolean }) => boolean) => {
    for (let i = 0; i < 100; i++) {
      const body = bodies.get(path)
      if (body && holds(body)) return body
      await sleep(30)
    }
    return assert.fail(`${path}: ${JSON.stringify(bodies.get(path))}`)
  }

  test('an aborted upload is aborted upstream and never completed', async () => {
    const sized = ['content-length', '5000'] as const
    for (const [code, path, ...length] of [
      [8, '/watch/chunked'],
      [8, '/watch/length', sized],
      // A client that resets with NO_ERROR may still have sent only part of the body.
      [0, '/watch/chunked/without-error'],
      [0, '/watch/length/without-error', sized],
    ] as const) {
      const { socket } = await openFrames(stage.daemon)
      const head = [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'open.localhost'],
        [':path', path],
        ...length,
      ] as const
      socket.write(Buffer.concat([headersFrame(1, head, false), dataFrame(1, 'x'.repeat(1000), false)]))
      await watched(path, (body) => body.length === 1000)
      socket.write(resetFrame(1, code))
      await watched(path, ({ aborted }) => aborted)
      assert.equal(bodies.get(path)!.end, false)
      socket.destroy()
    }
    const other = await openSession(stage.daemon, 'open.localhost')
    const stream = other.request({
      ':method': 'POST',
      ':path': '/watch/gone',
      ':authority': 'open.localhost',
    })
    stream.on('error', () => {})
    stream.write('x')
    await watched('/watch/gone', ({ length }) => length === 1)
    other.destroy()
    await watched('/watch/gone', ({ aborted }) => aborted)
    assert.equal(bodies.get('/watch/gone')!.end, false)
  })

  test('an incomplete RPC call is not executed', async () => {
    const call = (username: string) =>
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'auth.login',
        params: { login: username, password: 'x' },
      })
    const tried = () =>
      stage.daemon.hero.audit.list({ method: 'auth.login' }).then(({ items }) => items.length)
    const head = [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
      [':path', '/rpc'],
      ['content-type', 'application/json'],
    ] as const
    const { socket } = await openFrames(stage.daemon)
    const before = await tried()
    for (const [stream, code] of [
      [1, 8],
      [3, 0],
    ] as const) {
      socket.write(Buffer.concat([headersFrame(stream, head, false), dataFrame(stream, call('ada'), false)]))
      await sleep(100)
      socket.write(resetFrame(stream, code))
      await sleep(300)
      assert.equal(await tried(), before, String(code))
    }
    socket.write(Buffer.concat([headersFrame(5, head, false), dataFrame(5, call('ada'), true)]))
    // The call checks a password, which takes longer on a busy machine.
    await until('the complete call is executed', async () => (await tried()) > before)
    assert.equal(await tried(), before + 1)
    socket.destroy()
  })

  test('a refused request with a large body gets its response, its stream ends, and other streams continue', async () => {
    const answer = await askOver(session, 'local.localhost', '/', {}, large)
    assert.deepEqual([answer.status, answer.code], [401, 0])
    assert.equal((await ask('/digest', {}, 'hello')).body, sha(Buffer.from('hello')))
  })

  test('a response before the end of the request body ends the stream, so the client can stop sending', async () => {
    const stream = session.request(
      { ':method': 'POST', ':path': '/unread', ':authority': 'open.localhost' },
      { endStream: false },
    )
    stream.write('x')
    const { status, body, code } = await Promise.race([
      answerOf(stream),
      sleep(3000, { body: 'late' } as H2Answer),
    ])
    assert.deepEqual([status, body, code], [200, 'enough', 0])
  })
})
