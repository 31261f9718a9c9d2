import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResponseSink } from '../../../src/wire/response_sink.ts'
import type { Door } from '../../../src/edge/door.ts'
import type { FastConnection } from '../../../src/edge/serve/fast_connection.ts'
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

/** Of an echoing service: whom it saw, and what was asked for, in the order of the answers. */
const told = (text: string): string[] =>
  [...text.matchAll(/\{"method".*?\]\}/g)].map(([json]) => {
    const { url, rawHeaders } = JSON.parse(json) as { url: string; rawHeaders: string[] }
    return `${url} ${valuesOf(rawHeaders, 'x-hero-user').join() || 'guest'}`
  })

describe('plain requests and what is handed over', () => {
  test('a request may be cut at any byte', async () => {
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
        return told(text).join()
      }),
    )
    assert.deepEqual(new Set(answers), new Set(['/cut ada']))
  })

  test('plain ones, bodies, and people take turns on one connection, none lost, none twice', async () => {
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
      assert.deepEqual(told(await askRaw(stage.daemon, bytes, 5000)), expected)
    }
  })

  test('an answer that nobody asked for is never the next one’s', async () => {
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
        // Two answers at once to one question: which of them is the right one, nobody can say.
        assert.ok(body === 'good' || (wait === 0 && status === 502), body)
        await delay(wait * 2)
      }
    }
  })

  test('a connection whose upstream says that it is the last takes no other request', async () => {
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

  test('nor does one on which a body is still under way that was answered before it ended', async () => {
    await using upstream = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    await stage.route({ domain: 'early.localhost', auth_mode: 'none', target: upstream.target })
    const client = new KeptClient(stage.daemon.edge.port)
    client.send('POST / HTTP/1.1\r\nHost: early.localhost\r\nContent-Length: 300000\r\n\r\npart')
    assert.equal((await client.receive()).body, 'ok')
    // On the same connection it would be taken for the rest of the body, and get no answer.
    assert.equal((await ask(stage.daemon, 'early.localhost', '/next')).body, 'ok')
    client.end()
  })

  test('nor one that comes before the next request has been sent', async () => {
    // The first response fills one read: the second is read before the loop turns.
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: '
    const length = inboxSize - head.length - '65536\r\n\r\n'.length
    const good = `${head}${length}\r\n\r\n${'x'.repeat(length)}`
    await using upstream = await startRaw((socket) => {
      socket.write(`${good}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`)
    })
    const ended = Promise.withResolvers<string>()
    const asker = (tell: (what: string) => void): ResponseSink => ({
      bodiless: false,
      takesWhole: false,
      whole: () => false,
      connected: () => {},
      drain: () => {},
      information: () => {},
      head: () => tell('a head'),
      body: () => true,
      flush: () => {},
      end: () => tell('an end'),
      switched: () => {},
      broken: ({ message }) => tell(message),
    })
    const connection = new UpstreamConnection(upstreamOf(upstream.target), () => {}, false)
    const first = asker((what) => {
      if (what === 'an end')
        connection.send(asker(ended.resolve), 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n', false)
    })
    connection.send(first, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', false)
    assert.equal(await ended.promise, 'the upstream sent a response without a request')
    connection.destroy()
  })

  test('a body that waits in the stream of a handed over connection is not overtaken', async () => {
    const [first, second, third] = ['a'.repeat(80_000), 'b'.repeat(40_000), 'c'.repeat(200_000)] as const
    const body = Promise.withResolvers<string>()
    const plain = createHttpServer((request, response) => {
      // Not read at once, as while an upstream is dialled.
      setTimeout(() => {
        let text = ''
        request.on('data', (chunk) => (text += String(chunk)))
        request.on('end', () => {
          body.resolve(text)
          response.end()
        })
      }, 50)
    })
    const lane = new FastLane({} as Door, plain)
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
