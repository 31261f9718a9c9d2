import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'
import { ask } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

describe('HTTP/1.1 over TLS behaves as without TLS', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let upstream: Upstream
  const server = new WebSocketServer({ noServer: true })

  before(async () => {
    stage = await startStage(tlsSettings(authority.issue('open.localhost')))
    upstream = await startUpstream((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => response.end(`${request.url} ${hash('sha256', Buffer.concat(chunks), 'hex')}`))
    })
    upstream.server.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (peer) => {
        peer.send(JSON.stringify(request.rawHeaders))
        peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
      }),
    )
    await stage.route({ domain: 'open.localhost', auth_mode: 'none', target: upstream.target })
    await stage.route({ domain: 'local.localhost', auth_mode: 'local', target: upstream.target })
  })
  after(async () => {
    for (const peer of server.clients) peer.terminate()
    await upstream.close()
    await stage.close()
    authority[Symbol.dispose]()
  })

  const dial = async (ALPNProtocols?: string[]) => {
    const { port } = stage.daemon.edge
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ...(ALPNProtocols && { ALPNProtocols }),
    })
    await once(socket, 'secureConnect')
    return socket
  }

  test('bodies of any size arrive complete', async () => {
    for (const size of [0, 1, 20_000, 5_000_000]) {
      const body = randomBytes(size)
      const answer = await ask(stage.daemon, 'open.localhost', '/up', { method: 'POST', body })
      assert.equal(answer.body, `/up ${hash('sha256', body, 'hex')}`, String(size))
    }
  })

  test('pipelined requests are answered in order, with and without ALPN', async () => {
    for (const protocols of [['http/1.1'], undefined]) {
      const socket = await dial(protocols)
      const request = (path: string, rest: string) => `${path} HTTP/1.1\r\nHost: open.localhost\r\n${rest}`
      const post = request('POST /2', 'Content-Length: 5\r\n\r\nhello')
      socket.write(request('GET /1', '\r\n') + post + request('GET /3', 'Connection: close\r\n\r\n'))
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      await once(socket, 'close')
      assert.deepEqual(text.match(/\/[123] [0-9a-f]{8}/g), ['/1 e3b0c442', '/2 2cf24dba', '/3 e3b0c442'])
    }
  })

  test('a WebSocket opens, echoes and closes, and a cross-origin one is refused', async () => {
    const { port } = stage.daemon.edge
    const headers = { host: 'local.localhost', cookie: stage.ada }
    const url = `wss://127.0.0.1:${port}/chat`
    const socket = new WebSocket(url, {
      headers,
      origin: 'https://local.localhost',
      rejectUnauthorized: false,
    })
    const [greeting] = (await once(socket, 'message')) as [Buffer]
    assert.deepEqual(valuesOf(JSON.parse(String(greeting)) as string[], 'x-hero-user'), ['ada'])
    const message = randomBytes(300_000)
    socket.send(message)
    const [data] = (await once(socket, 'message')) as [Buffer]
    assert.ok(message.equals(data))
    socket.close(4001)
    assert.equal(((await once(socket, 'close')) as [number])[0], 4001)
    const foreign = new WebSocket(url, {
      headers,
      origin: 'http://local.localhost',
      rejectUnauthorized: false,
    })
    const [error] = (await once(foreign, 'error')) as [Error]
    assert.match(error.message, /403/)
  })

  test('a truncated response to an upgrade closes the client connection', { timeout: 10_000 }, async () => {
    await using raw = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello')
      setTimeout(() => socket.destroy(), 50)
    })
    await stage.route({ domain: 'broken.localhost', auth_mode: 'none', target: raw.target })
    const socket = await dial()
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write(
      'GET / HTTP/1.1\r\nHost: broken.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    await once(socket, 'close')
    assert.match(text, /^HTTP\/1\.1 200 [^]*hello$/)
    assert.equal((await ask(stage.daemon, 'open.localhost', '/')).status, 200)
  })
})
