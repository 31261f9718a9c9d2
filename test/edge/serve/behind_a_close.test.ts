import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'
import { startUpstream, type Upstream } from '../../support/upstream.ts'

const authority = new TestAuthority()
after(() => authority[Symbol.dispose]())

/** What a client received until the connection closed. */
interface Heard {
  readonly statuses: readonly string[]
  readonly text: string
  /** Whether the edge ended the connection properly, before anything else. */
  readonly ended: boolean
  readonly tookMs: number
}

const behind = 'GET /behind HTTP/1.1\r\nHost: a.localhost\r\n\r\n'
const post = (headers: string, body = 'hi') =>
  `POST /first HTTP/1.1\r\nHost: a.localhost\r\n${headers}\r\n${body}`
const chunked = 'Transfer-Encoding: chunked\r\n'
const closes = 'Connection: close\r\n'

/** Requests after whose response the connection ends, and the status of the response. */
const last: Readonly<Record<string, readonly [request: string, status: string, reaches: boolean]>> = {
  'a POST of known length with Connection: close': [post(`${closes}Content-Length: 2\r\n`), '200', true],
  'a chunked POST with Connection: close': [post(`${closes}${chunked}`, '2\r\nhi\r\n0\r\n\r\n'), '200', true],
  'a POST without a body with Connection: close': [post(`${closes}Content-Length: 0\r\n`, ''), '200', true],
  'a POST with Connection: close and Expect': [
    post(`${closes}Expect: 100-continue\r\nContent-Length: 2\r\n`),
    '200',
    true,
  ],
  'a GET with Connection: close': [`GET /first HTTP/1.1\r\nHost: a.localhost\r\n${closes}\r\n`, '200', true],
  'a GET with Connection: close, x': [
    'GET /first HTTP/1.1\r\nHost: a.localhost\r\nConnection: x, close\r\n\r\n',
    '200',
    true,
  ],
  'HTTP/1.0': ['GET /first HTTP/1.0\r\nHost: a.localhost\r\n\r\n', '200', true],
  'HTTP/1.0 of known length': [
    'POST /first HTTP/1.0\r\nHost: a.localhost\r\nContent-Length: 2\r\n\r\nhi',
    '200',
    true,
  ],
  'a POST without Host': ['POST /first HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi', '400', false],
  'a chunked POST without Host': [`POST /first HTTP/1.1\r\n${chunked}\r\n2\r\nhi\r\n0\r\n\r\n`, '400', false],
  'a GET without Host': ['GET /first HTTP/1.1\r\nAccept: */*\r\n\r\n', '400', false],
  'an upgrade without Host': [
    'GET /first HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    '400',
    false,
  ],
  'two Hosts': ['GET /first HTTP/1.1\r\nHost: a.localhost\r\nHost: b.localhost\r\n\r\n', '400', false],
  'an absolute target': ['GET http://a.localhost/first HTTP/1.1\r\nHost: a.localhost\r\n\r\n', '400', false],
  'a refused upgrade': [
    'GET /first HTTP/1.1\r\nHost: unknown.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    '404',
    false,
  ],
  'an upgrade to h2c': [
    'GET /first HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    '200',
    true,
  ],
  'an upgrade with Connection: close, upgrade that the service leaves alone': [
    'GET /first HTTP/1.1\r\nHost: a.localhost\r\nConnection: close, upgrade\r\nUpgrade: x\r\n\r\n',
    '200',
    true,
  ],
  'an unknown expectation': [post('Expect: cake\r\nContent-Length: 2\r\n'), '417', false],
  CONNECT: ['CONNECT a.localhost:443 HTTP/1.1\r\nHost: a.localhost\r\n\r\n', '405', false],
  'an unreadable head': ['GET /first HTTP/1.1\r\nHost: a.localhost\r\nX : y\r\n\r\n', '400', false],
  'an unreadable chunk': [post(chunked, 'x\r\n'), '400', false],
}

const doors = {
  'the fast lane': {},
  'node:http': { fast_lane: 'off' },
  'the fast lane over TLS': tlsSettings(authority.issue('a.localhost')),
}

for (const [door, settings] of Object.entries(doors))
  describe(`behind a close, on ${door}`, () => {
    let stage: Stage
    let upstream: Upstream
    /** Milliseconds that the service takes. */
    let takesMs = 0
    before(async () => {
      stage = await startStage(settings)
      upstream = await startUpstream((request, response) => {
        request.resume().on('end', () => setTimeout(() => response.end('own response'), takesMs))
      })
      await stage.route({ domain: 'a.localhost', auth_mode: 'none', target: upstream.target })
    })
    after(async () => {
      await upstream.close()
      await stage.close()
    })

    const open = (): Socket => {
      const { port } = stage.daemon.edge
      if (!('tls_cert' in settings)) return connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'a.localhost',
        rejectUnauthorized: false,
      })
      socket.allowHalfOpen = true
      return socket
    }

    /** Sends what `send` writes and reads until the connection closes. A silent client does not close its half. */
    const talk = (send: (socket: Socket) => void | Promise<void>, silent = false): Promise<Heard> =>
      new Promise((resolve) => {
        const socket = open()
        const began = performance.now()
        let text = ''
        let ended = false
        socket.setEncoding('latin1')
        socket.on('data', (part: string) => (text += part))
        socket.on('error', () => {})
        socket.on('end', () => {
          ended = true
          if (!silent) socket.end()
        })
        socket.on('close', () => {
          const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!)
          resolve({
            statuses: statuses.filter((status) => status !== '100'),
            text,
            ended,
            tookMs: performance.now() - began,
          })
        })
        void send(socket)
      })
    const paths = () => upstream.seen.splice(0).map(({ url }) => url)

    for (const [title, [request, status, reaches]] of Object.entries(last)) {
      test(`${title}: answered as itself, and nothing behind it runs`, async () => {
        takesMs = 0
        for (const follows of [behind, `\r\n${behind}`, '\0garbage\r\n\r\n', 'x'.repeat(100_000)]) {
          const heard = await talk((socket) => void socket.write(request + follows))
          assert.deepEqual([heard.statuses, heard.ended], [[status], true], heard.text)
          assert.deepEqual(paths(), reaches ? ['/first'] : [])
        }
        takesMs = 60
        const later = await talk(async (socket) => {
          socket.write(request)
          await delay(20)
          socket.write(behind)
          await delay(20)
          socket.write('\0garbage')
          await delay(60)
          if (socket.writable) socket.write(behind)
        })
        assert.deepEqual([later.statuses, later.ended], [[status], true], later.text)
        assert.deepEqual(paths(), reaches ? ['/first'] : [])
      })
    }

    test('requests before the last one get their own responses', async () => {
      takesMs = 30
      const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.localhost\r\n${more}\r\n`
      const bytes = request('/1') + request('/2') + request('/3', closes) + behind
      const heard = await talk((socket) => void socket.write(bytes))
      assert.deepEqual(heard.statuses, ['200', '200', '200'])
      assert.deepEqual(paths(), ['/1', '/2', '/3'])
    })

    test('unreadable bytes behind a request do not take its response, and get one of their own', async () => {
      takesMs = 60
      for (const request of [
        post('Content-Length: 2\r\n'),
        post(chunked, '2\r\nhi\r\n0\r\n\r\n'),
        post('Expect: 100-continue\r\nContent-Length: 2\r\n'),
      ]) {
        const heard = await talk(async (socket) => {
          socket.write(`${request}\0garbage\r\n\r\n`)
          await delay(20)
          socket.write(behind)
        })
        assert.deepEqual([heard.statuses, heard.ended], [['200', '400'], true], heard.text)
        assert.deepEqual(paths(), ['/first'])
      }
    })

    /** How long the edge still takes what a client sends that does not close its half: `bytes` every 50 ms. */
    const feed = async (bytes: number, ms: number): Promise<Heard & { readonly accepted: number }> => {
      let accepted = 0
      const heard = await talk(async (socket) => {
        socket.write(post(`${closes}Content-Length: 2\r\n`))
        await delay(50)
        const until = performance.now() + ms
        while (performance.now() < until && socket.writable) {
          if (socket.writableLength === 0) socket.write(Buffer.alloc(bytes), () => (accepted += bytes))
          await delay(50)
        }
        socket.destroy()
      }, true)
      assert.match(heard.text, /^HTTP\/1\.1 200 [^]*own response/)
      assert.deepEqual(paths(), ['/first'])
      return { ...heard, accepted }
    }

    test('up to 1 MB behind the close is read, more of it ends the connection', async () => {
      takesMs = 0
      const little = await feed(20_000, 1500)
      assert.ok(little.tookMs > 1400 && little.accepted > 200_000, JSON.stringify(little))
      const flood = await feed(400_000, 4000)
      assert.ok(flood.tookMs < 3000, JSON.stringify(flood))
    })

    test('silence behind the close ends after 5 seconds', async () => {
      takesMs = 0
      const { tookMs } = await feed(1, 9000)
      assert.ok(tookMs > 4500 && tookMs < 8000, `${tookMs} ms`)
    })
  })
