import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { operator } from '../../src/caller.ts'
import { method } from '../../src/method.ts'
import { serveLines } from '../../src/rpc/lines.ts'
import { Shape } from '../../src/schemas.ts'
import { Type } from '../../src/type.ts'
import { envelopeOver, type RealEnvelope } from './arithmetic.ts'

const kilobytes = 100
const made = { burn: 0, large: 0, count: 0 }

const read = (name: keyof typeof made, result: () => string) =>
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
    // As a read of the database does: it holds the loop.
    for (const until = performance.now() + 2; performance.now() < until;);
    return ''
  }),
  read('large', () => 'x'.repeat(kilobytes * 1024)),
  read('count', () => ''),
]

const call = (name: keyof typeof made, id = 0) => `${JSON.stringify({ jsonrpc: '2.0', id, method: name })}\n`

describe('lines whose calls are answered at once', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-lines-'))
  const path = join(dir, 's')
  let real: RealEnvelope
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    serveLines(socket, real.envelope, () => operator({ via: 'socket' }))
  })
  before(async () => {
    real = await envelopeOver(methods)
    server.listen(path)
    await once(server, 'listening')
  })
  after(async () => {
    server.close()
    await real.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const open = async (): Promise<Socket> => {
    const socket = connect(path)
    await once(socket, 'connect')
    return socket
  }

  test('many in one packet leave others their turn', async () => {
    const [busy, other] = [await open(), await open()]
    busy.resume()
    busy.write(call('burn').repeat(300))
    while (made.burn === 0) await delay(1)
    other.write(call('count'))
    await once(other, 'data')
    assert.ok(made.burn < 300, 'another connection was answered only when all 300 calls had been made')
    busy.destroy()
    other.destroy()
  })

  test('whoever reads no answers is asked for no more, and gets all of them once he reads', async () => {
    const socket = await open()
    const calls = 500
    socket.write(Array.from({ length: calls }, (_, id) => call('large', id)).join(''))
    let before = -1
    while (made.large !== before) {
      before = made.large
      await delay(50)
    }
    assert.ok(made.large > 0)
    assert.ok(made.large < 100, `${made.large} answers of ${kilobytes} KB were made for nobody`)
    let text = ''
    let next = 0
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) assert.equal((JSON.parse(line) as { id: number }).id, next++)
      if (next === calls) break
    }
    assert.equal(made.large, calls)
  })

  test('what was read is answered behind the end, a last line without its own too', async () => {
    const socket = await open()
    const before = made.burn
    socket.end(call('burn').repeat(50) + call('count', 50).trimEnd())
    let text = ''
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) text += chunk
    assert.equal(text.trimEnd().split('\n').length, 51)
    assert.equal(made.burn, before + 50)
  })
})
