import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { exchange, postOf, responsesIn, type Response } from './http_speech.ts'
import { speak } from './speak.ts'

const message = (method: string, params: object = {}, more: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 7, method, params, ...more })
const get = (username: string) => message('users.get', { username })
const limit = 1024 * 1024

/** A header outside the plain format, so that node:http serves the request. */
const unusual = 'X-Odd: yes'

describe('HTTP on the socket, with and without node:http', () => {
  let daemon: TestDaemon
  let path: string
  let token = ''
  let byNode = 0
  const count = () => void byNode++

  before(async () => {
    daemon = await startTestDaemon()
    path = daemon.socketPath
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
    await daemon.hero.users.add({ username: 'grace', display_name: 'Grace "Amazing" Hopper ≠ \u{1f6a2}' })
    token = (await daemon.hero.auth.login({ login: 'ada', password: goodPassword })).access_token
    subscribe('http.server.request.start', count)
  })
  after(() => {
    unsubscribe('http.server.request.start', count)
    return daemon.close()
  })

  /** Returns the responses on one connection, and how many of them node:http served. */
  const ask = async (...requests: readonly Buffer[]) => {
    const before = byNode
    const responses = await exchange(path, [Buffer.concat(requests)], requests.length)
    return { responses, byNode: byNode - before }
  }
  const withOdd = (request: Buffer) =>
    Buffer.from(request.toString('latin1').replace('\r\n', `\r\n${unusual}\r\n`), 'latin1')

  const bearer = (value: string) => `Authorization: ${value}`
  const plain: Record<string, () => Buffer> = {
    'a read': () => postOf(get('ada')),
    'non-ASCII characters': () => postOf(get('grace')),
    'an unknown person': () => postOf(get('nobody')),
    'a name of a kilobyte': () => postOf(get('x'.repeat(1024))),
    'an unknown method': () => postOf(message('nobody.knows')),
    'a write that fails': () => postOf(message('users.add', { username: 'ada' })),
    'invalid parameters': () => postOf(message('users.get', { name: 'ada' })),
    'a notification': () => postOf(message('health', {}, { id: undefined })),
    'a notification that fails': () => postOf(message('nobody.knows', {}, { id: undefined })),
    'a batch': () => postOf(`[${get('ada')},${get('nobody')},null]`),
    'a batch of notifications': () => postOf(`[${message('health', {}, { id: undefined })}]`),
    'an empty batch': () => postOf('[]'),
    'invalid JSON': () => postOf('{"jsonrpc"'),
    'invalid UTF-8': () => postOf(Buffer.from([0x22, 0xff, 0x22])),
    'no body': () => postOf(''),
    'a body of 1 MiB': () => postOf(get('ada').padEnd(limit)),
    'a token': () => postOf(message('auth.me'), [bearer(`Bearer ${token}`)]),
    'a token without the claim': () => postOf(get('grace'), [bearer(`Bearer ${token}`)]),
    'an invalid token': () => postOf(get('ada'), [bearer('Bearer nothing')]),
    'a token with an extra byte': () => postOf(get('ada'), [bearer(`Bearer ${token}\u00a0`)]),
    'another scheme': () => postOf(get('ada'), [bearer('Basic YTpi')]),
    'a token in the message': () => postOf(message('auth.me', {}, { authorization: `Bearer ${token}` })),
    'two different tokens': () =>
      postOf(message('auth.me', {}, { authorization: 'Bearer other' }), [bearer(`Bearer ${token}`)]),
    'common client headers': () =>
      postOf(get('ada'), [
        'content-type: application/json',
        'Accept: */*',
        'accept-language: *',
        'sec-fetch-mode: cors',
        'user-agent: node',
        'Accept-Encoding: gzip, deflate',
        'Connection: Keep-Alive',
      ]),
  }
  for (const [title, request] of Object.entries(plain)) {
    test(`${title}: the same bytes as from node:http, alone and between other calls`, async () => {
      const reference = await ask(withOdd(request()))
      assert.equal(reference.byNode, 1)
      assert.equal(reference.responses.length, 1)
      const alone = await ask(request())
      assert.deepEqual(alone.responses, reference.responses)
      assert.equal(alone.byNode, 0, 'node:http served it')
      const other = postOf(get('ada'))
      const behind = await ask(other, request(), request(), other)
      assert.deepEqual(behind.responses.slice(1, 3), [...alone.responses, ...alone.responses])
      assert.deepEqual(behind.responses[0], behind.responses[3])
      assert.equal(behind.byNode, 0)
    })
  }

  const head = (line: string, ...headers: string[]) =>
    Buffer.from(`${[line, ...headers].join('\r\n')}\r\n\r\n`, 'latin1')
  const [host, post] = ['Host: localhost', 'POST /rpc HTTP/1.1']
  const health = message('health')
  const length = `Content-Length: ${health.length}`
  const withBody = (...lines: [string, ...string[]]) => Buffer.concat([head(...lines), Buffer.from(health)])
  const others: Record<string, Buffer> = {
    'an Origin header': withBody(post, host, 'Origin: http://localhost', length),
    'an opaque Origin': withBody(post, host, 'Origin: null', length),
    'a Referer header': withBody(post, host, 'referer: http://localhost/', length),
    'an unknown header': withBody(post, host, 'X-Whatever: 1', length),
    GET: head('GET /health HTTP/1.1', host),
    'GET /rpc': head('GET /rpc HTTP/1.1', host),
    'a query': withBody('POST /rpc?x HTTP/1.1', host, length),
    'another path': withBody('POST /rpc/ HTTP/1.1', host, length),
    'an absolute URL': withBody('POST http://localhost/rpc HTTP/1.1', host, length),
    'another method': withBody('PUT /rpc HTTP/1.1', host, length),
    'HTTP/1.0': withBody('POST /rpc HTTP/1.0', host, length),
    'no Host header': withBody(post, length),
    'two Host headers': withBody(post, host, 'Host: other', length),
    'Connection: close': withBody(post, host, 'Connection: close', length),
    'another Connection option': withBody(post, host, 'Connection: keep-alive, x', length),
    'an upgrade': withBody(post, host, 'Connection: Upgrade', 'Upgrade: websocket', length),
    'Expect: 100-continue': withBody(post, host, 'Expect: 100-continue', length),
    'no Content-Length': head(post, host),
    'a chunked body': Buffer.concat([
      head(post, host, 'Transfer-Encoding: chunked'),
      Buffer.from(`${health.length.toString(16)}\r\n${health}\r\n0\r\n\r\n`),
    ]),
    'a chunked body and a length': withBody(post, host, 'Transfer-Encoding: chunked', length),
    'two Content-Length headers': withBody(post, host, length, length),
    'a Content-Length with a sign': withBody(post, host, `Content-Length: +${health.length}`),
    'a Content-Length with a trailing space': withBody(post, host, `${length} `),
    'two Authorization headers': withBody(
      post,
      host,
      'Authorization: Bearer a',
      'Authorization: Bearer b',
      length,
    ),
    'a trailing space after a token': withBody(post, host, 'Authorization: Bearer a ', length),
    'an empty authorization': withBody(post, host, 'Authorization: ', length),
    'an invalid header name': withBody(post, host, 'X Y: z', length),
    'a space before a colon': withBody(post, host, `Content-Length : ${health.length}`),
    'a folded header': withBody(post, host, 'Accept: a\r\n b', length),
    'a zero byte': withBody(post, host, 'Accept: \u0000', length),
    'bare line feeds': Buffer.from(`${post}\n${host}\n${length}\n\n${health}`),
    'nine kilobytes of headers': withBody(post, host, `Accept: ${'x'.repeat(9 * 1024)}`, length),
    'headers over the size limit': withBody(post, host, `Accept: ${'x'.repeat(20 * 1024)}`, length),
    'two hundred headers': withBody(post, host, ...Array.from({ length: 200 }, () => 'Accept: a'), length),
    'a body of more than 1 MiB': postOf(health.padEnd(limit + 1)),
    'an announced body of more than 1 MiB': head(post, host, `Content-Length: ${limit + 1}`),
    'text that is not HTTP': Buffer.from('hello\r\n\r\n'),
  }
  for (const [title, request] of Object.entries(others)) {
    test(`${title}: node:http serves it, alone and after a plain call`, async () => {
      // 100 Continue is a separate response.
      const most = title === 'Expect: 100-continue' ? 2 : 1
      const alone = await exchange(path, [request], most)
      assert.ok(alone.length > 0)
      const call = postOf(get('ada'))
      const before = byNode
      const [first, ...behind] = await exchange(path, [Buffer.concat([call, request])], most + 1)
      assert.deepEqual([first], (await ask(call)).responses)
      assert.deepEqual(behind, alone)
      // Node:http serves each of these, even the valid ones.
      if (/^HTTP\/1\.1 (2|403)/.test(alone[0]!.head)) assert.equal(byNode, before + 1)
    })
  }

  test('a call that arrives in pieces is served without node:http', async () => {
    const request = postOf(get('ada'))
    const [alone] = (await ask(request)).responses
    const before = byNode
    for (const cut of [1, 10, 60, request.length - 1]) {
      const pieces = [request.subarray(0, cut), request.subarray(cut)]
      assert.deepEqual(await exchange(path, pieces, 1), [alone], `cut after ${cut} bytes`)
    }
    const large = postOf(get('ada').padEnd(limit))
    const pieces = [request, large.subarray(0, 100_000), Buffer.concat([large.subarray(100_000), request])]
    assert.deepEqual(await exchange(path, pieces, 3), [alone, alone, alone])
    assert.equal(byNode, before, 'node:http served one of them; did the pieces take longer than a second?')
    const bytes = Array.from(request, (_, i) => request.subarray(i, i + 1))
    assert.deepEqual(await exchange(path, bytes, 1), [alone])
  })

  test('a slow request is served by node:http', async () => {
    const request = postOf(get('ada'))
    const [alone] = (await ask(request)).responses
    const nothing = Array.from({ length: 250 }, () => '')
    // 30 ms a byte.
    const dripping = Array.from(request.subarray(0, 60), (_, i) => [
      request.subarray(i, i + 1),
      ...nothing.slice(0, 5),
    ])
    for (const [title, pieces] of [
      ['a pause in the head', [request.subarray(0, 30), ...nothing, request.subarray(30)]],
      ['a pause in the body', [request.subarray(0, -5), ...nothing, request.subarray(-5)]],
      // Each byte arrives in time, and all of them together do not.
      ['byte by byte', [...dripping.flat(), request.subarray(60)]],
    ] as const) {
      const before = byNode
      assert.deepEqual(await exchange(path, pieces, 1), [alone], title)
      assert.equal(byNode, before + 1, title)
    }
  })

  test('responses come in the order of the calls, however long each takes', async () => {
    const requests = Array.from({ length: 120 }, (_, id) => {
      if (id % 3 === 0) return postOf(message('groups.add', { slug: `group-${id}` }, { id }))
      if (id % 3 === 1) return postOf(message('users.get', { username: 'ada' }, { id }))
      return postOf(message('health', {}, { id }), id % 2 === 0 ? [unusual] : [])
    })
    const firstOdd = requests.findIndex((_, id) => id % 6 === 2)
    const { responses, byNode } = await ask(...requests)
    assert.deepEqual(
      responses.map(({ body }) => (JSON.parse(body) as { id: number }).id),
      requests.map((_, id) => id),
    )
    assert.equal(byNode, requests.length - firstOdd)
  })

  const ending = (connection: Response[]) => connection.map(({ head }) => head.split('\r\n', 1)[0])

  test('a client that ends its side gets its responses, and an incomplete request gets 400', async () => {
    const spoken = async (...pieces: Buffer[]) => responsesIn(Buffer.from(await speak(path, ...pieces)))
    const write = postOf(message('groups.add', { slug: 'half-closed' }))
    const calls = await spoken(Buffer.concat([write, postOf(get('ada'))]))
    assert.deepEqual(ending(calls), ['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK'])
    assert.match(calls[0]!.body, /half-closed/)
    for (const cut of [10, 50, write.length - 1]) {
      assert.deepEqual(
        ending(await spoken(postOf(get('ada')), write.subarray(0, cut))),
        ['HTTP/1.1 200 OK', 'HTTP/1.1 400 Bad Request'],
        `cut after ${cut} bytes`,
      )
    }
  })
})
