import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { operator } from '../../src/contract/caller.ts'
import { method } from '../../src/contract/method.ts'
import { RpcHttp } from '../../src/rpc/http.ts'
import { serveLines } from '../../src/rpc/json_lines.ts'
import { Shape } from '../../src/contract/schemas.ts'
import { Type } from '../../src/contract/schema_builder.ts'
import { envelopeOver, type RealEnvelope } from './arithmetic.ts'
import { postOf } from './http_speech.ts'

const kilobytes = 100
const made = { burn: 0, large: 0, count: 0, wait: 0 }
type Name = keyof typeof made

const read = (name: Name, result: () => string | Promise<string>) =>
  method({
    name,
    summary: 'Read',
    effect: 'read',
    claim: null,
    params: Shape({}),
    result: Type.String(),
    examples: [{ params: {}, result: '' }],
    handler: () => {
      made[name]++
      return result()
    },
  })

const methods = [
  read('burn', () => {
    // Blocks the event loop as a database read does.
    for (const until = performance.now() + 2; performance.now() < until;);
    return ''
  }),
  read('large', () => 'x'.repeat(kilobytes * 1024)),
  read('count', () => ''),
  read('wait', async () => {
    await delay(100)
    return ''
  }),
]

const message = (name: Name, id = 0) => JSON.stringify({ jsonrpc: '2.0', id, method: name })
const idsIn = (text: string) => [...text.matchAll(/"id":(\d+)/g)].map(([, id]) => Number(id))
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id)

const identify = () => operator({ via: 'socket' })
let real: RealEnvelope
const ways = {
  lines: {
    serve: (socket: Socket) => serveLines(socket, real.envelope, identify),
    call: (name: Name, id?: number) => `${message(name, id)}\n`,
    last: /^\{.*\}\n$/,
  },
  HTTP: {
    serve: (socket: Socket) => {
      const { envelope } = real
      return new RpcHttp({ envelope, document: () => '', path: () => '', headersTimeoutMs: 10_000 }).take(
        socket,
        identify,
      )
    },
    call: (name: Name, id?: number) => postOf(message(name, id)).toString(),
    last: /^HTTP\/1\.1 200 OK\r\n.*\r\nConnection: close\r\n\r\n\{.*\}$/s,
  },
}

for (const [way, { serve, call, last }] of Object.entries(ways)) {
  describe(`many calls on one connection, over ${way}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-pipe-'))
    const path = join(dir, 's')
    let end = () => {}
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      end = serve(socket)
    })
    before(async () => {
      real = await envelopeOver(methods)
      server.listen(path)
      await once(server, 'listening')
    })
    beforeEach(() => void Object.assign(made, { burn: 0, large: 0, count: 0, wait: 0 }))
    after(async () => {
      server.close()
      await real.close()
      rmSync(dir, { recursive: true, force: true })
    })

    const open = async (): Promise<Socket> => {
      const socket = connect(path).setEncoding('utf8')
      await once(socket, 'connect')
      return socket
    }
    const calls = (name: Name, count: number, first = 0) =>
      upTo(count)
        .map((i) => call(name, first + i))
        .join('')
    /** Reads until the other side ends, or until this many answers have arrived. */
    const answersOn = async (socket: Socket, count = Infinity): Promise<number[]> => {
      const ids: number[] = []
      let text = ''
      for await (const chunk of socket as AsyncIterable<string>) {
        text += chunk
        const whole = text.lastIndexOf('}') + 1
        ids.push(...idsIn(text.slice(0, whole)))
        text = text.slice(whole)
        if (ids.length >= count) break
      }
      return ids
    }

    test('other connections get their turn', async () => {
      const [busy, other] = [await open(), await open()]
      busy.resume()
      busy.write(calls('burn', 300))
      while (made.burn === 0) await delay(1)
      other.write(call('count'))
      await once(other, 'data')
      assert.ok(made.burn < 300, 'another connection was answered only after all 300 calls')
      busy.destroy()
      other.destroy()
    })

    test('calls stop while the client reads no answers, and all are answered once it reads', async () => {
      const socket = await open()
      socket.write(calls('large', 500))
      let before = -1
      while (made.large !== before) {
        before = made.large
        await delay(50)
      }
      assert.ok(made.large > 0)
      assert.ok(made.large < 100, `${made.large} answers of ${kilobytes} KB were produced unread`)
      assert.deepEqual(await answersOn(socket, 500), upTo(500))
      assert.equal(made.large, 500)
    })

    test('waiting and immediate calls on one connection are all answered', async () => {
      const socket = await open()
      socket.write(calls('count', 1000) + calls('wait', 3, 1000) + calls('count', 1000, 1003))
      const ids = await answersOn(socket, 2003)
      assert.deepEqual(
        ids.toSorted((a, b) => a - b),
        upTo(2003),
      )
    })

    test('calls before the client ended its side are answered', async () => {
      const socket = await open()
      socket.end(calls('burn', 50) + calls('wait', 2, 50) + calls('count', 50, 52))
      assert.deepEqual(
        (await answersOn(socket)).toSorted((a, b) => a - b),
        upTo(102),
      )
    })

    test('stopping answers the pending call and ends the connection', async () => {
      const socket = await open()
      socket.write(call('wait', 1))
      while (made.wait === 0) await delay(1)
      end()
      let text = ''
      for await (const chunk of socket as AsyncIterable<string>) text += chunk
      assert.match(text, last)
    })

    test('stopping ends an idle connection', async () => {
      const socket = await open()
      socket.write(call('count', 1))
      await once(socket, 'data')
      end()
      assert.deepEqual(await answersOn(socket), [])
    })
  })
}
