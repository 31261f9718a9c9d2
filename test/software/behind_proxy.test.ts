import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type RequestOptions, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { root } from '../support/daemon_process.ts'
import { freePort } from '../support/free_port.ts'
import { kinds, missing, replaceAll, startProxy, type Front, type Kind } from './front.ts'

const page = readFileSync(join(root, 'docs', 'operating', 'behind-a-proxy.md'), 'utf8')

/** What differs on this machine: addresses, and the lines about TLS. */
const changes: Readonly<Record<Kind, (port: number) => readonly (readonly [string, string])[]>> = {
  nginx: (port) => [
    ['listen 443 ssl;', `listen 127.0.0.1:${port};`],
    ['ssl_certificate /etc/ssl/example.org.pem;', ''],
    ['ssl_certificate_key /etc/ssl/example.org.key;', ''],
    ['id.example.org *.example.org', 'id.localhost *.localhost'],
  ],
  caddy: (port) => [
    [
      'id.example.org, *.example.org {',
      `http://id.localhost:${port}, http://*.localhost:${port} {\n\tbind 127.0.0.1`,
    ],
  ],
  haproxy: (port) => [['bind :443 ssl crt /etc/ssl/example.org.pem', `bind 127.0.0.1:${port}`]],
}

const configuration = (name: Kind, port: number, hero: number): string => {
  const [, text = ''] = new RegExp(`# ${name}: behind-a-proxy\\n([^\`]*)\`\`\``, 'i').exec(page) ?? []
  return replaceAll(text, [['127.0.0.1:9997', `127.0.0.1:${hero}`], ...changes[name](port)])
}

/** The address of the client. It is not the proxy's, so that one can tell which of them the service reads. */
const client = '127.0.0.2'
/** The example of RFC 6455 section 1.3. HAProxy checks the answer to the key. */
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const accepted = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
]
const uploadBytes = 10 * 1024 * 1024

/** A service that echoes WebSockets, counts uploads, and sends its second event only after somebody has got the first. */
const startService = async (): Promise<{ readonly server: Server; readonly gotFirst: () => void }> => {
  let gotFirst = (): void => {}
  const server = createServer((asked, response) => {
    if (asked.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
      gotFirst = () => response.end('data: second\n\n')
      return
    }
    let bytes = 0
    asked.on('data', (piece: Buffer) => (bytes += piece.length))
    asked.on('end', () => response.end(JSON.stringify({ bytes, headers: asked.headers })))
  })
  server.on('upgrade', (_, socket) => {
    socket.write(['HTTP/1.1 101 Switching Protocols', ...accepted, '', ''].join('\r\n'))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, gotFirst: () => gotFirst() }
}

for (const name of kinds) {
  describe(`behind ${name} as documented`, { skip: missing(name) }, () => {
    let daemon: TestDaemon
    let front: Front
    let service: Awaited<ReturnType<typeof startService>>
    before(async () => {
      const port = await freePort()
      service = await startService()
      daemon = await startTestDaemon({
        public_url: `http://id.localhost:${port}`,
        trusted_proxies: '127.0.0.1',
      })
      const target = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`
      await daemon.hero.proxy.routes.add({ domain: 'wiki.localhost', target, auth_mode: 'none' })
      front = await startProxy(name, port, () => [['config', configuration(name, port, daemon.edge.port)]])
    })
    after(async () => {
      await front?.[Symbol.asyncDispose]()
      await daemon?.close()
      service?.server.closeAllConnections()
      service?.server.close()
    })

    const send = async (
      path: string,
      options: RequestOptions = {},
      body?: Buffer,
    ): Promise<IncomingMessage> => {
      const { host, port } = front.edge
      const headers = { host: front.host, ...(options.headers as object) }
      const sent = request({ host, port, path, localAddress: client, ...options, headers })
      sent.end(body)
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      return answer
    }
    const read = async (answer: IncomingMessage) =>
      JSON.parse(await textOf(answer)) as {
        bytes: number
        headers: Record<string, string>
      }

    test('the service reads the address of the client, not what the client claims', async () => {
      const { headers } = await read(await send('/', { headers: { 'x-forwarded-for': '203.0.113.9' } }))
      assert.match(headers['x-forwarded-for']!, /^127\.0\.0\.2(, 127\.0\.0\.1)?$/)
      assert.equal(headers['x-forwarded-proto'], 'http')
      assert.equal(headers.host, front.host)
    })

    test('an upload of 10 MB arrives whole', async () => {
      const { bytes } = await read(await send('/upload', { method: 'POST' }, Buffer.alloc(uploadBytes, 'x')))
      assert.equal(bytes, uploadBytes)
    })

    test('an event arrives while the service still holds the next one', async () => {
      const answer = await send('/events')
      assert.equal(answer.headers['content-type'], 'text/event-stream')
      const [first] = (await once(answer, 'data')) as [Buffer]
      assert.match(first.toString(), /first/)
      service.gotFirst()
      assert.match(await textOf(answer), /second/)
    })

    test('a WebSocket passes bytes both ways', async () => {
      const socket = connect(front.edge.port, front.edge.host)
      const lines = [
        'GET /socket HTTP/1.1',
        `Host: ${front.host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
      ]
      socket.write([...lines, key, 'Sec-WebSocket-Version: 13', '', ''].join('\r\n'))
      let text = ''
      socket.setEncoding('latin1').on('data', (piece: string) => {
        if (text === '') socket.write('there and back')
        text += piece
        if (text.endsWith('there and back')) socket.end()
      })
      await once(socket, 'close')
      assert.match(text, /^HTTP\/1\.1 101 [^]*there and back$/)
    })
  })
}
