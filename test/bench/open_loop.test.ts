import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { atRate } from '../../bench/open_loop.ts'
import { freePort } from '../../bench/processes.ts'

const [host, cookie] = ['app.localhost', 'session=1']
// The generator pins itself to the second core.
const skip = process.platform !== 'linux' || availableParallelism() < 2

const serving = async (answer: RequestListener, use: (port: number) => Promise<void>) => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('every request arrives with host and cookie, and all are answered at the rate', { skip }, async () => {
  const seen = new Set<string>()
  let count = 0
  await serving(
    ({ url, headers }, response) => {
      seen.add(`${url} ${headers.host} ${headers.cookie}`)
      count++
      response.setHeader('content-length', 2)
      response.end('ok')
    },
    async (port) => {
      const { p50, p99, p999, rate } = await atRate({ port, host, cookie }, 200, 1)
      assert.ok(p50 > 0 && p50 <= p99 && p99 <= p999)
      assert.ok(rate <= 205, `answered ${rate} a second, more than were due`)
    },
  )
  assert.deepEqual([...seen], [`/ ${host} ${cookie}`])
  // One to learn the length, a second of warming up, and a second that counts.
  assert.equal(count, 1 + 200 + 200)
})

test(
  'a latency counts from when the request was due, also while the server stands still',
  { skip },
  async () => {
    let count = 0
    await serving(
      (_, response) => {
        response.setHeader('content-length', 2)
        // In the middle of the second that counts, nothing is answered for half a second: 100 of its 200 requests become due.
        if (++count === 250) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
        response.end('ok')
      },
      async (port) => {
        const { p50, p99 } = await atRate({ port, host, cookie }, 200, 1)
        assert.ok(
          p99 > 400,
          `p99 is ${p99} ms: the requests that fell due meanwhile were not counted from then`,
        )
        assert.ok(p50 < p99)
      },
    )
  },
)

test(
  'an answer other than the first, and a server that is not there, end the measurement',
  { skip },
  async () => {
    const answering = (status: number, body: string): RequestListener => {
      let count = 0
      return (_, response) => {
        const good = ++count <= 50
        const text = good ? 'ok' : body
        response.writeHead(good ? 200 : status, { 'content-length': text.length }).end(text)
      }
    }
    const cases = [
      [answering(503, 'no'), /ended with 1: answered HTTP\/1\.1 503 /],
      [answering(200, 'longer'), /ended with 1: an answer of \d+ bytes, not \d+/],
    ] as const
    for (const [answer, message] of cases)
      await serving(answer, async (port) => {
        await assert.rejects(atRate({ port, host, cookie }, 200, 0.5), message)
      })
    const port = await freePort()
    await assert.rejects(atRate({ port, host, cookie }, 200, 0.5), /ended with 1: no connection to port/)
  },
)
