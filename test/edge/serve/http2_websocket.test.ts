import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { WebSocketServer, type WebSocket } from 'ws'
import { signInAtAll, startStage, type Stage } from '../../support/edge_stage.ts'
import { startBrowser, browserMissing } from '../../support/browser.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { answerOf, askOver, openSession } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

/** A short text message of a client (RFC 6455 section 5.2), masked with zeros. */
const message = (text: string) =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

const page = `<!doctype html><title>door</title><script>
  const socket = new WebSocket('wss://' + location.host + '/chat')
  socket.onmessage = ({ data }) => { document.title = data; socket.close(4001, 'done') }
  socket.onclose = ({ code }) => { document.body.textContent = document.title + ' ' + code }
  socket.onopen = () => socket.send('hello')
</script><body>`

describe('WebSocket over HTTP/2 (RFC 8441)', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let upstream: Upstream
  let session: ClientHttp2Session
  const server = new WebSocketServer({ noServer: true })
  const handshakes: string[][] = []
  const peers: WebSocket[] = []

  before(async () => {
    stage = await startStage(tlsSettings(authority.issue('app.localhost', 'open.localhost')))
    upstream = await startUpstream((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(page)
    })
    upstream.server.on('upgrade', (request, socket, head) => {
      handshakes.push(request.rawHeaders)
      if (request.url === '/refuse')
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Hero-User: evil\r\n\r\nno')
      if (request.url === '/break') return void socket.destroy()
      server.handleUpgrade(request, socket, head, (peer) => {
        peers.push(peer)
        peer.on('message', (data) => peer.send(`echo ${String(data as Buffer)}`))
        if (request.url === '/bye') {
          peer.send('x'.repeat(300_000))
          peer.close(4002)
          socket.end()
        }
      })
    })
    await stage.route({ domain: 'app.localhost', auth_mode: 'local', target: upstream.target })
    await stage.route({ domain: 'open.localhost', auth_mode: 'none', target: upstream.target })
    session = await openSession(stage.daemon, 'app.localhost')
  })
  after(async () => {
    session.destroy()
    for (const peer of server.clients) peer.terminate()
    await upstream.close()
    await stage.close()
    authority[Symbol.dispose]()
  })

  const open = (host: string, headers: Record<string, string> = {}, path = '/chat'): ClientHttp2Stream =>
    session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':authority': host,
      ':path': path,
      'sec-websocket-version': '13',
      ...headers,
    })
  const opened = async (stream: ClientHttp2Stream) => {
    stream.on('error', () => {})
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    return headers
  }
  const origin = () => `https://app.localhost`

  test('is forwarded as the same upgrade as over HTTP/1.1, with identity, without the session cookie, with a new key', async () => {
    const stream = open('app.localhost', {
      cookie: `${stage.ada}; theme=dark`,
      origin: origin(),
      'x-hero-user': 'root',
      'sec-websocket-key': 'bWluZQ==',
    })
    const headers = await opened(stream)
    assert.equal(headers[':status'], 200)
    for (const name of ['connection', 'upgrade', 'sec-websocket-accept'])
      assert.equal(headers[name], undefined)
    const seen = handshakes.at(-1)!
    assert.deepEqual(valuesOf(seen, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(seen, 'cookie'), ['theme=dark'])
    assert.deepEqual(valuesOf(seen, 'upgrade'), ['websocket'])
    assert.equal(Buffer.from(valuesOf(seen, 'sec-websocket-key').join(), 'base64').length, 16)
    assert.ok(seen.every((text, i) => i % 2 === 1 || !text.startsWith(':')))
    stream.write(message('hello'))
    const [data] = (await once(stream, 'data')) as [Buffer]
    assert.equal(data.subarray(2).toString(), 'echo hello')
    const gone = once(peers.at(-1)!, 'close')
    stream.close(8)
    await gone
  })

  test('is refused as over HTTP/1.1, without reaching an upstream', { timeout: 10_000 }, async () => {
    const before = handshakes.length
    const cookie = stage.ada
    const refused = (
      [
        [open('app.localhost'), 401],
        [open('app.localhost', { cookie, origin: 'https://evil.test' }), 403],
        [open('app.localhost', { cookie, origin: 'http://app.localhost' }), 403],
        [open('app.localhost', { cookie, host: 'open.localhost' }), 400],
        [open('nobody.localhost'), 404],
        [open('open.localhost', {}, '/.hero_proxy/sign_in'), 404],
        [open('app.localhost', { cookie }, '/auth/login'), 404],
        [open('localhost', { cookie }, '/rpc'), 404],
        [open('open.localhost', {}, '/a/../b'), 400],
      ] as const
    ).map(([stream, status]) => [answerOf(stream), status] as const)
    for (const [answered, status] of refused) {
      const answer = await answered
      assert.deepEqual([answer.status, answer.headers.connection], [status, undefined])
      assert.match(answer.body, /"code":/)
    }
    assert.equal(handshakes.length, before)
  })

  test('forwards a refusal of the upstream, and gets 502 if the upstream sends nothing', async () => {
    const no = await answerOf(open('open.localhost', {}, '/refuse'))
    assert.deepEqual([no.status, no.body, no.headers['x-hero-user']], [403, 'no', undefined])
    assert.equal((await answerOf(open('open.localhost', {}, '/break'))).status, 502)
  })

  test('the last data of the upstream arrives complete', async () => {
    for (let i = 0; i < 5; i++) {
      const stream = open('open.localhost', {}, '/bye')
      stream.on('error', () => {})
      // As a browser does; a client that does not end has a minute to finish.
      stream.on('end', () => stream.end())
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      await once(stream, 'close')
      const bytes = Buffer.concat(parts)
      assert.equal(bytes.length, 10 + 300_000 + 4)
      assert.equal(bytes.readUInt16BE(bytes.length - 2), 4002)
    }
  })

  test('ends with the session, while other streams of the connection continue', async () => {
    const cookie = await signInAtAll(stage.daemon, ['app.localhost'], 'bob')
    const [bob, ada] = [open('app.localhost', { cookie }), open('app.localhost', { cookie: stage.ada })]
    await Promise.all([opened(bob), opened(ada)])
    const closed = new Promise((resolve) => bob.once('close', resolve))
    bob.resume()
    await stage.daemon.hero.sessions.revoke_all({ user: 'bob' })
    await closed
    ada.write(message('still'))
    const [data] = (await once(ada, 'data')) as [Buffer]
    assert.equal(data.subarray(2).toString(), 'echo still')
    assert.equal((await askOver(session, 'open.localhost', '/')).status, 200)
    ada.close(8)
  })

  test('a browser loads a page and uses its WebSocket', { skip: browserMissing() }, async () => {
    const browser = await startBrowser(['--ignore-certificate-errors'])
    try {
      const context = await browser.newContext()
      const { port } = stage.daemon.edge
      const [name, value] = stage.ada.split('=') as [string, string]
      const url = `https://app.localhost:${port}/`
      await context.addCookies([{ name, value, url, secure: true, httpOnly: true, sameSite: 'Lax' }])
      const tab = await context.newPage()
      const loaded = await tab.goto(url)
      assert.equal(loaded!.status(), 200)
      const protocol = await tab.evaluate<string>(
        "performance.getEntriesByType('navigation')[0].nextHopProtocol",
      )
      assert.equal(protocol, 'h2')
      await tab.waitForFunction("document.body.textContent === 'echo hello 4001'")
      assert.deepEqual(valuesOf(handshakes.at(-1)!, 'x-hero-user'), ['ada'])
      assert.deepEqual(valuesOf(handshakes.at(-1)!, 'origin'), [`https://app.localhost:${port}`])
    } finally {
      await browser.close()
    }
  })
})
