import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResponseSink } from '../../../src/wire/response_sink.ts'
import type { Door } from '../../../src/edge/door.ts'
import type { FastConnection } from '../../../src/edge/serve/fast_connection.ts'
import { ClosingConnections } from '../../../src/edge/serve/closing.ts'
import { FastLane } from '../../../src/edge/serve/fast_lane.ts'
import { UpstreamConnection } from '../../../src/upstream/connection.ts'
import { inboxSize } from '../../../src/wire/parser.ts'
import { ask, askRaw } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { KeptClient } from './kept_client.ts'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'
import { upstreamOf } from '../../../src/upstream/upstream.ts'

let stage: Stage
before(async () => {
  stage = await startStage()
  await stage.route({ domain: 'who.localhost', auth_mode: 'optional' })
})
after(() => stage.close())

/** The path and the user of each request that an echoing service answered, in the order of the responses. */
const answeredRequests = (text: string): string[] =>
  [...text.matchAll(/\{"method".*?\]\}/g)].map(([json]) => {
    const { url, rawHeaders } = JSON.parse(json) as { url: string; rawHeaders: string[] }
    return `${url} ${valuesOf(rawHeaders, 'x-hero-user').join() || 'guest'}`
  })

describe('the fast lane and connections handed over to node:http', () => {
  test('a request split at any byte is served', async () => {
    const bytes = `GET /cut HTTP/1.1\r\nHost: who.localhost\r\nCookie: ${stage.ada}\r\nConnection: close\r\n\r\n`
    const answers = await Promise.all(
      Array.from({ length: bytes.length - 1 }, async (_, i) => {
        const socket = connect(stage.daemon.edge.port, '127.0.0.1')
        socket.setNoDelay()
        let text = ''
        socket.on('data', (chunk) => (text += String(chunk)))
        socket.on('error', () => {})
        const closed = new Promise((resolve) => socket.on('close', resolve))
        socket.write(bytes.slice(0, i + 1))
        await delay(20)
        socket.write(bytes.slice(i + 1))
        await closed
        return answeredRequests(text).join()
      }),
    )
    assert.deepEqual(new Set(answers), new Set(['/cut ada']))
  })

  test('requests of several users, with and without bodies, are each answered exactly once on one connection', async () => {
    const kinds = [
      (path: string, who: string) => `GET ${path} HTTP/1.1\r\nHost: who.localhost\r\n${who}`,
      (path: string, who: string) =>
        `POST ${path} HTTP/1.1\r\nHost: who.localhost\r\n${who}Content-Length: 28\r\n`,
      (path: string, who: string) => `GET ${path} HTTP/1.1\r\nHost: who.localhost\r\nTE: trailers\r\n${who}`,
    ]
    const people = [
      ['ada', `Cookie: ${stage.ada}\r\n`],
      ['bob', `Cookie: ${stage.bob}\r\n`],
      ['guest', ''],
    ] as const
    for (let first = 0; first < kinds.length; first++) {
      let bytes = ''
      const expected: string[] = []
      for (let i = 0; i < 30; i++) {
        const kind = (i * i + first) % kinds.length
        const [name, cookie] = people[(i * 7 + first) % people.length]!
        const last = i === 29 ? 'Connection: close\r\n' : ''
        bytes += `${kinds[kind]!(`/${i}`, cookie)}${last}\r\n${kind === 1 ? 'GET /smuggled HTTP/1.1\r\n\r\n..' : ''}`
        expected.push(`/${i} ${name}`)
      }
      assert.deepEqual(answeredRequests(await askRaw(stage.daemon, bytes, 5000)), expected)
    }
  })

  test('an unsolicited response is never delivered to the next request', async () => {
    for (const wait of [0, 2]) {
      const good = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'
      const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
      await using upstream = await startRaw((socket) => {
        if (wait === 0) return void socket.write(good + poison)
        socket.write(good)
        setTimeout(() => socket.write(poison), wait)
      })
      const domain = `poison${wait}.localhost`
      await stage.route({ domain, auth_mode: 'none', target: upstream.target })
      for (let i = 0; i < 10; i++) {
        const { status, body } = await ask(stage.daemon, domain, `/${i}`)
        // Of two responses received at once, either may be the right one, so 502 is correct too.
        assert.ok(body === 'good' || (wait === 0 && status === 502), body)
        await delay(wait * 2)
      }
    }
  })

  test('an upstream connection is not reused after a response with Connection: close', async () => {
    const used: string[][] = []
    await using upstream = await startRaw((socket, first) => {
      const heads = [first]
      used.push(heads)
      const answer = () => socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
      answer()
      socket.on('data', (bytes) => {
        heads.push(String(bytes))
        answer()
      })
    })
    await stage.route({ domain: 'last.localhost', auth_mode: 'none', target: upstream.target })
    for (let i = 0; i < 4; i++) assert.equal((await ask(stage.daemon, 'last.localhost', `/${i}`)).body, 'ok')
    assert.deepEqual(
      used.map((heads) => heads.length),
      [1, 1, 1, 1],
    )
  })

  test('an upstream connection is not reused when its response came before the end of the request body', async () => {
    await using upstream = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    await stage.route({ domain: 'early.localhost', auth_mode: 'none', target: upstream.target })
    const client = new KeptClient(stage.daemon.edge.port)
    client.send('POST / HTTP/1.1\r\nHost: early.localhost\r\nContent-Length: 300000\r\n\r\npart')
    assert.equal((await client.receive()).body, 'ok')
    // On the same connection, the request would be read as the rest of the body and get no response.
    assert.equal((await ask(stage.daemon, 'early.localhost', '/next')).body, 'ok')
    client.end()
  })

  test('a response received before the next request was sent breaks the connection', async () => {
    // The first response fills one read: the second is read before the loop turns.
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: '
    const length = inboxSize - head.length - '65536\r\n\r\n'.length
    const good = `${head}${length}\r\n\r\n${'x'.repeat(length)}`
    await using upstream = await startRaw((socket) => {
      socket.write(`${good}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`)
    })
    const ended = Promise.withResolvers<string>()
    const sinkThat = (report: (what: string) => void): ResponseSink => ({
      bodiless: false,
      takesWhole: false,
      whole: () => false,
      connected: () => {},
      drain: () => {},
      information: () => {},
      head: () => report('a head'),
      body: () => true,
      flush: () => {},
      end: () => report('an end'),
      switched: () => {},
      broken: ({ message }) => report(message),
    })
    const connection = new UpstreamConnection(upstreamOf(upstream.target), () => {}, false)
    const first = sinkThat((what) => {
      if (what === 'an end')
        connection.send(sinkThat(ended.resolve), 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n', false)
    })
    connection.send(first, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', false)
    assert.equal(await ended.promise, 'the upstream sent a response without a request')
    connection.destroy()
  })

  test('bytes buffered in the stream of a connection that is handed over keep their order', async () => {
    const [first, second, third] = ['a'.repeat(80_000), 'b'.repeat(40_000), 'c'.repeat(200_000)] as const
    const body = Promise.withResolvers<string>()
    const plain = createHttpServer((request, response) => {
      // The body is read late, as it is while the proxy connects to an upstream.
      setTimeout(() => {
        let text = ''
        request.on('data', (chunk) => (text += String(chunk)))
        request.on('end', () => {
          body.resolve(text)
          response.end()
        })
      }, 50)
    })
    const lane = new FastLane({} as Door, plain, new ClosingConnections(), 16_384)
    const server = createServer(async (socket) => {
      socket.pause()
      socket.read(0)
      client.write(second)
      while (socket.readableLength < second.length) await delay(1)
      const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${320_000}\r\n\r\n`
      lane.handOver({ place: -1 } as FastConnection, socket, Buffer.from(head + first))
      client.write(third)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    assert.equal(await body.promise, first + second + third)
    client.destroy()
    server.close()
    lane.destroyAll()
  })
})
