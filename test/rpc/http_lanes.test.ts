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

/** A header that node:http ignores, and that makes a request one for it. */
const odd = 'X-Odd: yes'

describe('HTTP on the socket by its own reader and by node:http', () => {
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

  /** Responses to these requests on one connection, and how many of them node:http served. */
  const ask = async (...requests: readonly Buffer[]) => {
    const before = byNode
    const responses = await exchange(path, [Buffer.concat(requests)], requests.length)
    return { responses, byNode: byNode - before }
  }
  const withOdd = (request: Buffer) =>
    Buffer.from(request.toString('latin1').replace('\r\n', `\r\n${odd}\r\n`), 'latin1')

  const bearer = (value: string) => `Authorization: ${value}`
  const plain: Record<string, () => Buffer> = {
    'a read': () => postOf(get('ada')),
    'characters beyond ASCII': () => postOf(get('grace')),
    'a person who is not there': () => postOf(get('nobody')),
    'a name of a kilobyte': () => postOf(get('x'.repeat(1024))),
    'a method that is not there': () => postOf(message('nobody.knows')),
    'a write that fails': () => postOf(message('users.add', { username: 'ada' })),
    'parameters that are none': () => postOf(message('users.get', { name: 'ada' })),
    'a notification': () => postOf(message('health', {}, { id: undefined })),
    'a notification that fails': () => postOf(message('nobody.knows', {}, { id: undefined })),
    'a batch': () => postOf(`[${get('ada')},${get('nobody')},null]`),
    'a batch of notifications': () => postOf(`[${message('health', {}, { id: undefined })}]`),
    'an empty batch': () => postOf('[]'),
    'no JSON': () => postOf('{"jsonrpc"'),
    'no UTF-8': () => postOf(Buffer.from([0x22, 0xff, 0x22])),
    'no body': () => postOf(''),
    'a body of 1 MiB': () => postOf(get('ada').padEnd(limit)),
    'a token': () => postOf(message('auth.me'), [bearer(`Bearer ${token}`)]),
    'a token that may not': () => postOf(get('grace'), [bearer(`Bearer ${token}`)]),
    'a token that is none': () => postOf(get('ada'), [bearer('Bearer nothing')]),
    'a token with a byte more': () => postOf(get('ada'), [bearer(`Bearer ${token}\u00a0`)]),
    'another scheme': () => postOf(get('ada'), [bearer('Basic YTpi')]),
    'a token in the message': () => postOf(message('auth.me', {}, { authorization: `Bearer ${token}` })),
    'two callers': () =>
      postOf(message('auth.me', {}, { authorization: 'Bearer other' }), [bearer(`Bearer ${token}`)]),
    'the headers of a program': () =>
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
    test(`${title}: the same bytes, alone and behind others`, async () => {
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
    'a page of a browser': withBody(post, host, 'Origin: http://localhost', length),
    'a page that hides its origin': withBody(post, host, 'Origin: null', length),
    'a page behind a link': withBody(post, host, 'referer: http://localhost/', length),
    'a header that nobody knows': withBody(post, host, 'X-Whatever: 1', length),
    GET: head('GET /health HTTP/1.1', host),
    'GET of the path of calls': head('GET /rpc HTTP/1.1', host),
    'a query': withBody('POST /rpc?x HTTP/1.1', host, length),
    'another path': withBody('POST /rpc/ HTTP/1.1', host, length),
    'a whole URL': withBody('POST http://localhost/rpc HTTP/1.1', host, length),
    'another method': withBody('PUT /rpc HTTP/1.1', host, length),
    'HTTP/1.0': withBody('POST /rpc HTTP/1.0', host, length),
    'no host': withBody(post, length),
    'two hosts': withBody(post, host, 'Host: other', length),
    'the last of a connection': withBody(post, host, 'Connection: close', length),
    'a connection with options': withBody(post, host, 'Connection: keep-alive, x', length),
    'an upgrade': withBody(post, host, 'Connection: Upgrade', 'Upgrade: websocket', length),
    'a client that asks first': withBody(post, host, 'Expect: 100-continue', length),
    'no length': head(post, host),
    chunks: Buffer.concat([
      head(post, host, 'Transfer-Encoding: chunked'),
      Buffer.from(`${health.length.toString(16)}\r\n${health}\r\n0\r\n\r\n`),
    ]),
    'chunks and a length': withBody(post, host, 'Transfer-Encoding: chunked', length),
    'two lengths': withBody(post, host, length, length),
    'a length with a sign': withBody(post, host, `Content-Length: +${health.length}`),
    'a length with a blank': withBody(post, host, `${length} `),
    'two tokens': withBody(post, host, 'Authorization: Bearer a', 'Authorization: Bearer b', length),
    'a blank behind a token': withBody(post, host, 'Authorization: Bearer a ', length),
    'an empty authorization': withBody(post, host, 'Authorization: ', length),
    'a name of no header': withBody(post, host, 'X Y: z', length),
    'a blank before a colon': withBody(post, host, `Content-Length : ${health.length}`),
    'a folded line': withBody(post, host, 'Accept: a\r\n b', length),
    'a zero byte': withBody(post, host, 'Accept: \u0000', length),
    'bare line feeds': Buffer.from(`${post}\n${host}\n${length}\n\n${health}`),
    'nine kilobytes of headers': withBody(post, host, `Accept: ${'x'.repeat(9 * 1024)}`, length),
    'too many bytes of headers': withBody(post, host, `Accept: ${'x'.repeat(20 * 1024)}`, length),
    'two hundred headers': withBody(post, host, ...Array.from({ length: 200 }, () => 'Accept: a'), length),
    'a body of more than 1 MiB': postOf(health.padEnd(limit + 1)),
    'the word of one': head(post, host, `Content-Length: ${limit + 1}`),
    'no HTTP': Buffer.from('hello\r\n\r\n'),
  }
  for (const [title, request] of Object.entries(others)) {
    test(`${title}: for node:http, behind a plain call as alone`, async () => {
      // 100 Continue is a response of its own.
      const most = title === 'a client that asks first' ? 2 : 1
      const alone = await exchange(path, [request], most)
      assert.ok(alone.length > 0)
      const call = postOf(get('ada'))
      const before = byNode
      const [first, ...behind] = await exchange(path, [Buffer.concat([call, request])], most + 1)
      assert.deepEqual([first], (await ask(call)).responses)
      assert.deepEqual(behind, alone)
      // None of these is served by the other lane, also where it is as good as any.
      if (/^HTTP\/1\.1 (2|403)/.test(alone[0]!.head)) assert.equal(byNode, before + 1)
    })
  }

  test('what comes in pieces is one call, in the same lane', async () => {
    const request = postOf(get('ada'))
    const [alone] = (await ask(request)).responses
    const before = byNode
    for (const cut of [1, 10, 60, request.length - 1]) {
      const pieces = [request.subarray(0, cut), request.subarray(cut)]
      assert.deepEqual(await exchange(path, pieces, 1), [alone], `cut behind ${cut} bytes`)
    }
    const large = postOf(get('ada').padEnd(limit))
    const pieces = [request, large.subarray(0, 100_000), Buffer.concat([large.subarray(100_000), request])]
    assert.deepEqual(await exchange(path, pieces, 3), [alone, alone, alone])
    assert.equal(byNode, before, 'node:http served one of them; did the pieces take longer than a second?')
    const bytes = Array.from(request, (_, i) => request.subarray(i, i + 1))
    assert.deepEqual(await exchange(path, bytes, 1), [alone])
  })

  test('who takes his time is served as well, by node:http', async () => {
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
      // Bytes that come in time one by one are not in time together.
      ['byte by byte', [...dripping.flat(), request.subarray(60)]],
    ] as const) {
      const before = byNode
      assert.deepEqual(await exchange(path, pieces, 1), [alone], title)
      assert.equal(byNode, before + 1, title)
    }
  })

  test('answers come in the order of the calls, whatever each takes', async () => {
    const requests = Array.from({ length: 120 }, (_, id) => {
      if (id % 3 === 0) return postOf(message('groups.add', { slug: `group-${id}` }, { id }))
      if (id % 3 === 1) return postOf(message('users.get', { username: 'ada' }, { id }))
      return postOf(message('health', {}, { id }), id % 2 === 0 ? [odd] : [])
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

  test('who ends his side gets his answers; half a request is a bad one', async () => {
    const spoken = async (...pieces: Buffer[]) => responsesIn(Buffer.from(await speak(path, ...pieces)))
    const write = postOf(message('groups.add', { slug: 'half-closed' }))
    const calls = await spoken(Buffer.concat([write, postOf(get('ada'))]))
    assert.deepEqual(ending(calls), ['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK'])
    assert.match(calls[0]!.body, /half-closed/)
    for (const cut of [10, 50, write.length - 1]) {
      assert.deepEqual(
        ending(await spoken(postOf(get('ada')), write.subarray(0, cut))),
        ['HTTP/1.1 200 OK', 'HTTP/1.1 400 Bad Request'],
        `cut behind ${cut} bytes`,
      )
    }
  })
})
