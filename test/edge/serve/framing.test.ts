import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:net'
import { askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

const inner = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n'
const post = (headers: string, body = '', version = '1.1') =>
  `POST /first HTTP/${version}\r\nHost: a.test\r\n${headers}\r\n${body}`

/** Message framing that two servers could interpret differently. */
const vectors: Record<string, string> = {
  'length and chunked': post(`Content-Length: 6\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`),
  'chunked and length': post(
    `Transfer-Encoding: chunked\r\nContent-Length: ${5 + inner.length}\r\n`,
    `0\r\n\r\n${inner}`,
  ),
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`, inner),
  'the same length twice': post(`Content-Length: 2\r\nContent-Length: 2\r\n`, 'hi'),
  'a list of lengths': post('Content-Length: 2, 2\r\n', 'hi'),
  'length with a plus': post('Content-Length: +2\r\n', 'hi'),
  'length in hex': post('Content-Length: 0x2\r\n', 'hi'),
  'negative length': post('Content-Length: -1\r\n', inner),
  'length with letters': post('Content-Length: 2x\r\n', 'hi'),
  'empty length': post('Content-Length:\r\n', inner),
  'huge length': post('Content-Length: 99999999999999999999\r\n', inner),
  'space before the colon': post(`Content-Length : ${inner.length}\r\n`, inner),
  'tab before the colon': post(`Transfer-Encoding\t: chunked\r\n`, `0\r\n\r\n${inner}`),
  'folded line': post(`X: y\r\n Content-Length: ${inner.length}\r\n`, inner),
  'folded coding': post(`Transfer-Encoding:\r\n chunked\r\n`, `0\r\n\r\n${inner}`),
  'bare CR': post(`X: y\rTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`),
  'bare LF': post(`X: y\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`),
  'LF alone at the end of the head': `POST /first HTTP/1.1\nHost: a.test\n\n${inner}`,
  'NUL in a value': post(`X: y\0z\r\n`),
  xchunked: post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${inner}`),
  'chunked, identity': post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${inner}`),
  identity: post('Transfer-Encoding: identity\r\n', inner),
  'two codings': post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`),
  'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`),
  'coding with a vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${inner}`),
  'quoted coding': post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${inner}`),
  'Transfer_Encoding with an underscore': post(
    `Transfer_Encoding: chunked\r\nContent-Length: ${5 + inner.length}\r\n`,
    `0\r\n\r\n${inner}`,
  ),
  'Content_Length with an underscore': post(`Content_Length: ${inner.length}\r\n`, ''),
  'chunk size with a sign': post('Transfer-Encoding: chunked\r\n', `+2\r\nhi\r\n0\r\n\r\n`),
  'chunk size in 0x': post('Transfer-Encoding: chunked\r\n', `0x2\r\nhi\r\n0\r\n\r\n`),
  'chunk size that overflows': post('Transfer-Encoding: chunked\r\n', `10000000000000002\r\nhi\r\n0\r\n\r\n`),
  'chunk longer than its size': post('Transfer-Encoding: chunked\r\n', `1\r\nhi\r\n0\r\n\r\n${inner}`),
  'chunk ended by LF': post('Transfer-Encoding: chunked\r\n', `2\nhi\n0\n\n`),
  'chunk extension with LF': post('Transfer-Encoding: chunked\r\n', `2;\nxx\r\nhi\r\n0\r\n\r\n`),
  'long chunk extension': post(
    'Transfer-Encoding: chunked\r\n',
    `2;${'x'.repeat(20_000)}\r\nhi\r\n0\r\n\r\n`,
  ),
  'trailers that look like framing': post(
    'Transfer-Encoding: chunked\r\n',
    `0\r\nContent-Length: ${inner.length}\r\n\r\n`,
  ),
  'HTTP/1.0 with chunked': post(
    'Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n',
    `0\r\n\r\n${inner}`,
    '1.0',
  ),
  'body on GET': `GET /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  'length in Connection': post(`Content-Length: ${inner.length}\r\nConnection: Content-Length\r\n`, inner),
  'coding in Connection': post(
    `Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n`,
    `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
  ),
  'Expect with a body sent at once': post(
    `Expect: 100-continue\r\nContent-Length: ${inner.length}\r\n`,
    inner,
  ),
  'upgrade with a body': `GET /first HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  'upgrade followed by a request': `GET /first HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${inner}`,
  'upgrade to h2c with a body': `POST /first HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
}

describe('client and upstream agree on the message framing (D16)', () => {
  let stage: Stage
  let upstream: Upstream
  /** Paths of the requests that arrived complete. */
  const whole: string[] = []
  before(async () => {
    stage = await startStage()
    upstream = await startUpstream((request, response) => {
      request.resume().on('end', () => {
        whole.push(request.url!)
        response.end('ok')
      })
    })
    await stage.route({ domain: 'a.test', auth_mode: 'optional', target: upstream.target })
    await stage.route({ domain: 'b.localhost', auth_mode: 'local' })
  })
  after(async () => {
    await stage.close()
    await upstream.close()
  })

  for (const [title, bytes] of Object.entries(vectors)) {
    test(title, async () => {
      const before = whole.length
      const canary = 'GET /canary HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
      const answer = await askRaw(stage.daemon, bytes + canary, 150)
      const seen = whole.slice(before)
      const answers = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!)
      assert.equal(
        answers.filter((status) => status === '200').length,
        seen.length,
        `${answers.join()} for ${seen.join()}`,
      )
      const forwardedWhole = [
        'body on GET',
        'length in Connection',
        'coding in Connection',
        'Expect with a body sent at once',
      ]
      if (forwardedWhole.includes(title)) assert.deepEqual(seen, ['/first', '/canary'])
      if (title !== 'Content_Length with an underscore') assert.ok(!seen.includes('/smuggled'), seen.join())
      const next = await askRaw(stage.daemon, canary.replace('/canary', '/next'), 2000)
      assert.match(next, /^HTTP\/1\.1 200 [^]*ok/, 'the pooled connections are intact')
    })
  }

  test('pipelined requests of two users on one connection each keep their own identity', async () => {
    const hosts = ['b.localhost', 'enter.localhost', 'b.localhost'] as const
    let bytes = ''
    const expected: string[] = []
    for (let i = 0; i < 60; i++) {
      const who = [stage.ada, stage.bob, ''][i % 3]!
      const host = hosts[Math.floor(i / 3) % 3]!
      const last = i === 59 ? 'Connection: close\r\n' : ''
      bytes += `GET /${i} HTTP/1.1\r\nHost: ${host}\r\n${who === '' ? '' : `Cookie: ${who}\r\n`}${last}\r\n`
      expected.push(['ada', 'bob', host === 'b.localhost' ? '401' : ''][i % 3]!)
    }
    const before = stage.upstream.seen.length
    const answer = await askRaw(stage.daemon, bytes, 4000)
    const outcomes = answer
      .split('HTTP/1.1 ')
      .slice(1)
      .map((text) => {
        if (text.startsWith('401')) return '401'
        const { rawHeaders } = JSON.parse(
          text.slice(text.indexOf('\r\n\r\n')).replace(/^[^{]*|[^}]*$/g, ''),
        ) as { rawHeaders: string[] }
        return valuesOf(rawHeaders, 'x-hero-user')[0] ?? ''
      })
    assert.deepEqual(outcomes, expected)
    assert.equal(stage.upstream.seen.length - before, expected.filter((who) => who !== '401').length)
  })

  test('an upgrade pipelined after a request in flight does not overtake its response', async () => {
    await using slow = await startRaw((socket) =>
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst'), 200),
    )
    await using switching = await startRaw((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nsecond'),
    )
    await stage.route({ domain: 'slow.test', auth_mode: 'none', target: slow.target })
    await stage.route({ domain: 'switch.test', auth_mode: 'none', target: switching.target })
    const bytes =
      'GET / HTTP/1.1\r\nHost: slow.test\r\n\r\nGET / HTTP/1.1\r\nHost: switch.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
    const answer = await askRaw(stage.daemon, bytes, 600)
    assert.ok(!answer.startsWith('HTTP/1.1 101'), answer)
    assert.ok(!/second[^]*first/.test(answer), answer)
  })

  test('garbage after a request in flight is not answered inside its response', async () => {
    await using half = await startRaw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nfirst half'),
    )
    await stage.route({ domain: 'half.test', auth_mode: 'none', target: half.target })
    const socket = connect(stage.daemon.edge.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (bytes) => {
      answer += String(bytes)
      if (answer.includes('first half')) socket.write('\0garbage\r\n\r\n')
    })
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: half.test\r\n\r\n')
    // The garbage may be read only after the response, or end the connection early: both are correct.
    await new Promise((resolve) => {
      socket.on('close', resolve)
      setTimeout(resolve, 600)
    })
    socket.destroy()
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, answer)
  })
})
