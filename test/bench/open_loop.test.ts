import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { atRate } from '../../bench/open_loop.ts'
import { freePort } from '../../bench/processes.ts'

const [host, cookie] = ['app.localhost', 'session=1']
// The load generator pins itself to the second core.
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

test('each request has the host and cookie, and all are answered at the given rate', { skip }, async () => {
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
      assert.ok(rate <= 205, `answered ${rate} requests a second, more than were due`)
    },
  )
  assert.deepEqual([...seen], [`/ ${host} ${cookie}`])
  // One request for the length, a second of warm-up, and a second that is measured.
  assert.equal(count, 1 + 200 + 200)
})

test('latency counts from when a request was due, even while the server stalls', { skip }, async () => {
  let count = 0
  await serving(
    (_, response) => {
      response.setHeader('content-length', 2)
      // In the measured second the server stalls for half a second, while 100 of its 200 requests become due.
      if (++count === 250) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      response.end('ok')
    },
    async (port) => {
      const { p50, p99 } = await atRate({ port, host, cookie }, 200, 1)
      assert.ok(
        p99 > 400,
        `p99 is ${p99} ms: the latency of stalled requests did not count from when they were due`,
      )
      assert.ok(p50 < p99)
    },
  )
})

test('a differing answer or a missing server ends the measurement', { skip }, async () => {
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
})
