import assert from 'node:assert/strict'
import http from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamPool } from '../../../src/upstream/pool.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

let stage: Stage
let upstream: http.Server
const agent = new http.Agent({ keepAlive: true, maxSockets: 24 })

/** A body that states every 64 bytes its name and the position in it. */
const bodyOf = (name: string, length: number): Buffer => {
  const body = Buffer.alloc(length + 64)
  for (let at = 0; at < length; at += 64) body.write(`${at} of ${name} `.padEnd(64, '-'), at, 'latin1')
  return body.subarray(0, length)
}

/** Pseudorandom numbers, the same in every run. */
const numbers = (seed: number) => () => (seed = (seed * 48271) % 2147483647) / 2147483647

before(async () => {
  stage = await startStage()
  // `/NAME/LENGTH/sized|chunked` sends parts of all sizes, some of them late; `steady` sends many parts of the same size.
  upstream = http.createServer((request, response) => {
    const [, name, length, form] = request.url!.split('/')
    const body = bodyOf(name!, Number(length))
    const next = numbers(body.length + name!.length)
    if (form !== 'chunked') response.setHeader('content-length', body.length)
    const send = async () => {
      for (let at = 0; at < body.length;) {
        const size = form === 'steady' ? 30_000 : Math.ceil(next() ** 4 * 300_000)
        if (!response.write(body.subarray(at, at + size)))
          await new Promise((resolve) => response.once('drain', resolve))
        at += size
        if (form === 'steady') await delay(1)
        else if (next() < 0.2) await delay(Math.round(next() * 4))
      }
      response.end()
    }
    void send()
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  await stage.route({ domain: 'bodies.localhost', auth_mode: 'none', target })
})
after(async () => {
  agent.destroy()
  upstream.close()
  await stage.close()
})

/** Reads a body, with a pause of `rest` ms after each part. */
const download = (path: string, rest: number, headers: Record<string, string> = {}) =>
  new Promise<Buffer>((resolve, reject) => {
    const { port } = stage.daemon.edge
    const options = {
      agent,
      host: '127.0.0.1',
      port,
      path,
      headers: { host: 'bodies.localhost', ...headers },
    }
    http
      .get(options, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => {
          parts.push(part)
          if (rest === 0) return
          answer.pause()
          setTimeout(() => answer.resume(), rest)
        })
        answer.on('end', () => resolve(Buffer.concat(parts)))
        answer.on('error', reject)
      })
      .on('error', reject)
  })

/** Reads bodies of all sizes, one after another. */
const visit = async (reader: number) => {
  const next = numbers(reader + 7)
  const lengths = [1, 15, 1000, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000, 1_000_000]
  for (let i = 0; i < 12; i++) {
    const length = lengths[Math.floor(next() * lengths.length)]!
    const name = `r${reader}n${i}`
    const form = next() < 0.6 ? 'sized' : 'chunked'
    // `TE` sends the request to node:http; the others take the fast lane.
    const headers: Record<string, string> = next() < 0.2 ? { te: 'trailers' } : {}
    const got = await download(`/${name}/${length}/${form}`, reader % 4 === 0 ? 2 : 0, headers)
    assert.equal(got.length, length, `${name} ${form}`)
    assert.ok(got.equals(bodyOf(name, length)), `${name} ${form} ${length} was mixed with another body`)
  }
}

test('every client gets its own body, complete and in order, while many others are served', async () => {
  await Promise.all(Array.from({ length: 24 }, (_, reader) => visit(reader)))
})

/** Sends all requests at once and reads nothing for a while, so that responses pile up in the proxy. */
const readLate = async (names: readonly string[], length: number, form: string): Promise<Buffer> => {
  const socket = connect(stage.daemon.edge.port, '127.0.0.1')
  const heads = names.map((name, i) => {
    const last = i === names.length - 1 ? 'Connection: close\r\n' : ''
    return `GET /${name}/${length}/${form} HTTP/1.1\r\nHost: bodies.localhost\r\n${last}\r\n`
  })
  socket.write(heads.join(''))
  await delay(form === 'steady' ? 1500 : 300)
  const parts: Buffer[] = []
  let read = 0
  for await (const part of socket) {
    parts.push(part as Buffer)
    // Reads in steps, so that the proxy has to wait repeatedly.
    if ((read += (part as Buffer).length) > 2_000_000) {
      read = 0
      await delay(20)
    }
  }
  return Buffer.concat(parts)
}

test('bytes buffered for a slow client are not overwritten', async () => {
  const ask = async (reader: string, count: number, length: number, form: string) => {
    const names = Array.from({ length: count }, (_, i) => `${reader}n${i}`)
    const bytes = await readLate(names, length, form)
    let at = 0
    for (const name of names) {
      at = bytes.indexOf('\r\n\r\n', at) + 4
      assert.ok(
        bytes.subarray(at, at + length).equals(bodyOf(name, length)),
        `${name} was mixed with another body`,
      )
      at += length
    }
    assert.equal(at, bytes.length)
  }
  await Promise.all([
    ...['a', 'b', 'c'].map((reader) => ask(reader, 1, 16_000_000, 'steady')),
    ...['e', 'f', 'g', 'h'].map((reader) => ask(reader, 500, 20_000, 'sized')),
  ])
})

test('the parts given to a response sink stay valid while more is read', async () => {
  const pool = new UpstreamPool()
  const { port } = upstream.address() as AddressInfo
  const read = (name: string, length: number, form: string) =>
    new Promise<Buffer>((resolve, reject) => {
      const parts: Buffer[] = []
      const connection = pool.open({ name: 'bodies', host: '127.0.0.1', port })
      const sink = {
        bodiless: false,
        takesWhole: false,
        whole: () => false,
        // Keeps the parts, as a sink does that waits for a slow client.
        body: (part: Buffer) => parts.push(part) === 0,
        end: () => resolve(Buffer.concat(parts)),
        broken: reject,
        connected() {},
        information() {},
        head() {},
        flush() {},
        switched() {},
        drain() {},
      }
      connection.send(sink, `GET /${name}/${length}/${form} HTTP/1.1\r\nHost: a\r\n\r\n`, false)
    })
  const lengths = [100, 5000, 40_000, 300_000]
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const length = lengths[i % 4]!
      const got = await read(`k${i}`, length, i % 3 === 0 ? 'chunked' : 'sized')
      assert.ok(got.equals(bodyOf(`k${i}`, length)), `k${i} was overwritten`)
    }),
  )
  pool.close()
})
