import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ask } from '../../support/http.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

/** A service that keeps its connections, and sends these bytes in turn, one for each request of a connection. */
interface Kept extends AsyncDisposable {
  readonly target: string
  /** The request lines of each connection. */
  readonly connections: string[][]
}

const startKept = async (responses: readonly string[], path?: string): Promise<Kept> => {
  const connections: string[][] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const lines: string[] = []
    connections.push(lines)
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        if (text.length < end + 4 + length) return
        text = text.slice(end + 4 + length)
        lines.push(head.slice(0, head.indexOf(' HTTP/')))
        socket.write(Buffer.from(responses[(lines.length - 1) % responses.length]!, 'latin1'))
      }
    })
  })
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve),
  )
  return {
    target:
      path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Good responses after which a connection is kept. */
const good: Readonly<Record<string, string>> = {
  'of known length': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood',
  'in the unusual form': 'HTTP/1.1 200 OK\r\nContent-Length:  4\r\n\r\ngood',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n',
  'chunked with trailers':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nX: y\r\n\r\n',
  'without a body': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '204': 'HTTP/1.1 204 No Content\r\nX:  y\r\n\r\n',
  '304': 'HTTP/1.1 304 Not Modified\r\nX:  y\r\nContent-Length: 5\r\n\r\n',
  long: `HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'g'.repeat(200_000)}`,
  'after hints':
    'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood',
}

/** What nobody can read as a response. */
const unreadable: Readonly<Record<string, string>> = {
  garbage: 'garbage\r\n\r\n',
  'garbage without an end': 'garbage',
  'one zero byte': '\0',
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
  'two Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk',
  'two equal Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'Content-Length and chunked':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a length in letters': 'HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok',
  'a head of 66 KB': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(66 * 1024)}\r\nContent-Length: 2\r\n\r\nok`,
  'a head of 66 KB in many lines': `HTTP/1.1 200 OK\r\n${`X: ${'x'.repeat(1000)}\r\n`.repeat(66)}Content-Length: 2\r\n\r\nok`,
  'a control character': 'HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 2\r\n\r\nok',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
  'a status of 99': 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok',
  'a status of 1000': 'HTTP/1.1 1000 X\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/2': 'HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'an upgrade that nobody asked for': 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes',
  'endless hints': 'HTTP/1.1 103 E\r\nLink: x\r\n\r\n'.repeat(5000),
}

describe('unreadable bytes on a kept connection are 502 at once, and the request is not sent again', () => {
  let stage: Stage
  let count = 0
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  for (const [before, first] of Object.entries(good))
    test(`after a response ${before}`, async () => {
      const wrong: unknown[] = []
      const expected = Number(/HTTP\/1\.1 ([2-5]\d\d)/.exec(first)![1])
      for (const [title, bytes] of Object.entries(unreadable))
        for (const method of ['GET', 'POST']) {
          const path = ++count % 5 === 0 ? join(stage.daemon.dir, `k${count}.sock`) : undefined
          await using service = await startKept([first, first, bytes, first], path)
          const domain = `k${count}.localhost`
          await stage.route({ domain, auth_mode: 'none', target: service.target, response_timeout: 3 })
          const next = async (asked: string) =>
            (
              await ask(stage.daemon, domain, '/', {
                method: asked,
                ...(asked === 'POST' && { body: 'body' }),
              })
            ).status
          const statuses = [await next('GET'), await next('GET'), await next(method), await next('GET')]
          const seen = service.connections.map((lines) => lines.length)
          if (String([statuses, seen]) !== String([expected, expected, 502, expected, 3, 1]))
            wrong.push([title, method, statuses, seen])
        }
      assert.deepEqual(wrong, [])
    })
})

describe('a body where none may be', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  const bodies: Readonly<Record<string, readonly [method: string, response: string, status: number]>> = {
    'HEAD with a length': ['HEAD', `HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n`, 200],
    'HEAD with chunked': ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200],
    'HEAD in the unusual form': ['HEAD', `HTTP/1.1 200 OK\r\nContent-Length:  ${evil.length}\r\n\r\n`, 200],
    '304': ['GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: ${evil.length}\r\n\r\n`, 304],
    '204': ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    'more than the length': ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood', 200],
    'more than the last chunk': [
      'GET',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n',
      200,
    ],
  }
  let count = 0
  for (const [title, [method, response, status]] of Object.entries(bodies))
    for (const body of [evil, 'garbage'])
      test(`${title}: the response arrives, and ${body.slice(0, 4)} reaches nobody`, async () => {
        await using service = await startKept([response + body, evil.replace('evil', 'next')])
        const domain = `b${++count}.localhost`
        await stage.route({ domain, auth_mode: 'none', target: service.target, response_timeout: 3 })
        for (let i = 0; i < 3; i++) {
          const first = await ask(stage.daemon, domain, '/', { method })
          assert.equal(first.status, status)
          assert.ok(!/evil|garbage/.test(first.body))
        }
        assert.equal(service.connections.length, 3, 'no connection is used again')
      })
})
