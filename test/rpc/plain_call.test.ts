import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { plainCallAt } from '../../src/rpc/plain_call.ts'

const whole = Buffer.from(
  'POST /rpc HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nConnection: keep-alive\r\nContent-Length: 12\r\n\r\n{"a":"bcdef"}',
)
const headLength = whole.indexOf('\r\n\r\n') + 4
/** Bytes with a meaning in a head, and some unexpected ones. */
const bytes = Buffer.from('\0\t\n\v\r "+,-019:;AXa\x7f\x80\xa0\xff', 'latin1')

/** Yields the request with each byte removed, replaced, or preceded by another. */
const variants = function* () {
  for (let at = 0; at < headLength; at++) {
    const [before, after] = [whole.subarray(0, at), whole.subarray(at + 1)]
    yield Buffer.concat([before, after])
    for (const byte of bytes) {
      yield Buffer.concat([before, Buffer.of(byte), after])
      yield Buffer.concat([before, Buffer.of(byte), whole.subarray(at)])
    }
  }
}

test('a request that is read as a plain call is the same request to node:http, whichever byte changes', async () => {
  let seen: unknown
  await using server = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      seen = [request.method, request.url, request.headers.authorization, body]
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let accepted = 0
  for (const variant of variants()) {
    const call = plainCallAt(variant, 0)
    if (!call || call.end > variant.length) continue
    accepted++
    seen = undefined
    const socket = connect(port, '127.0.0.1')
    socket.write(variant)
    await once(socket, 'data')
    socket.destroy()
    const body = variant.toString('latin1', call.start, call.end)
    assert.deepEqual(
      seen,
      ['POST', '/rpc', call.authorization, body],
      JSON.stringify(variant.toString('latin1')),
    )
  }
  assert.ok(accepted > 100, `${accepted} were accepted`)
})
