import assert from 'node:assert/strict'
import type { ServerHttp2Stream } from 'node:http2'
import { test } from 'node:test'
import { http2UsualRequest } from '../../../src/edge/serve/http2_request.ts'

const read = (...fields: readonly string[]) =>
  http2UsualRequest(
    { endAfterHeaders: true } as ServerHttp2Stream,
    { ':method': 'GET', ':path': '/', ':authority': 'a.test' },
    [':method', 'GET', ':path', '/', ':authority', 'a.test', ...fields],
    { encrypted: true },
    16_384,
  )

test('fields that an HTTP/1.1 head cannot hold are not in the usual form, even if nghttp2 lets them pass', () => {
  assert.equal(read('x-own', 'a\tb', 'cookie', 'a=1', 'cookie', 'b=2')?.passed, 'x-own: a\tb\r\n')
  for (const [name, value] of [
    ['x-own', 'a\r\nX-Hero-User: root'],
    ['x-own', 'a\nb'],
    ['x-own', 'a\0b'],
    ['cookie', 'a=1\r\nX-Hero-User: root'],
    ['x-own: a\r\nx-hero-user', 'root'],
    ['x-own ', 'a'],
    ['X-Own', 'a'],
    ['', 'a'],
    ['connection', 'close'],
    ['keep-alive', '5'],
    ['transfer-encoding', 'chunked'],
    ['upgrade', 'websocket'],
    ['content-length', '+3'],
    ['host', 'b.test'],
  ] as const)
    assert.equal(read(name, value), undefined, JSON.stringify([name, value]))
  assert.equal(read('content-length', '0', 'content-length', '0'), undefined)
})
