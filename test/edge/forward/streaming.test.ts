import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

type Handler = Parameters<typeof startUpstream>[0]

describe('bodies stream in both directions', () => {
  let stage: Stage
  let count = 0
  const opened: Upstream[] = []
  before(async () => {
    stage = await startStage()
  })
  after(async () => {
    for (const upstream of opened) await upstream.close()
    await stage.close()
  })

  /** Adds a route to a service with this handler and returns its host. */
  const service = async (handler: Handler) => {
    const upstream = await startUpstream(handler)
    opened.push(upstream)
    const domain = `s${++count}.localhost`
    await stage.route({ domain, auth_mode: 'optional', target: upstream.target })
    return { domain, upstream }
  }
  const raw = async (serve: Parameters<typeof startRaw>[0]) => {
    const upstream = await startRaw(serve)
    const domain = `s${++count}.localhost`
    await stage.route({ domain, auth_mode: 'optional', target: upstream.target })
    return Object.assign(upstream, { domain })
  }
  const begin = (domain: string, method: string, headers: Record<string, string> = {}): ClientRequest =>
    request({
      host: '127.0.0.1',
      port: stage.daemon.edge.port,
      agent: false,
      method,
      path: '/',
      headers: { host: domain, ...headers },
    })
  const answerOf = async (onward: ClientRequest) => ((await once(onward, 'response')) as [IncomingMessage])[0]
  const text = async (answer: IncomingMessage) => {
    let all = ''
    for await (const chunk of answer) all += String(chunk)
    return all
  }

  test('the service receives and answers the first bytes before the client has sent the last', async () => {
    const { domain } = await service((request, response) => request.pipe(response))
    const onward = begin(domain, 'POST')
    onward.write('first')
    const answer = await answerOf(onward)
    const [chunk] = (await once(answer, 'data')) as [Buffer]
    assert.equal(String(chunk), 'first')
    onward.end('last')
    assert.equal(await text(answer), 'last')
  })

  test('a server-sent event arrives before the stream ends', async () => {
    let finish: (() => void) | undefined
    const { domain } = await service((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      finish = () => response.end('data: 2\n\n')
      setImmediate(() => response.write('data: 1\n\n'))
    })
    const onward = begin(domain, 'GET').end()
    const answer = await answerOf(onward)
    assert.equal(answer.headers['content-type'], 'text/event-stream')
    const [event] = (await once(answer, 'data')) as [Buffer]
    assert.equal(String(event), 'data: 1\n\n')
    finish!()
    assert.equal(await text(answer), 'data: 2\n\n')
  })

  test('trailers of the service arrive without identity headers', async () => {
    const { domain } = await service((_, response) => {
      response.writeHead(200, { trailer: 'X-Sum' })
      response.write('body')
      response.addTrailers({ 'X-Sum': '42', 'X-Hero-User': 'evil' })
      response.end()
    })
    const answer = await answerOf(begin(domain, 'GET').end())
    assert.equal(await text(answer), 'body')
    assert.deepEqual(answer.trailers, { 'x-sum': '42' })
  })

  test('responses to HEAD and with 204 or 304 have no body and keep the connection usable', async () => {
    const { domain } = await service((request, response) => {
      if (request.url === '/204') response.writeHead(204).end()
      else if (request.url === '/304') response.writeHead(304, { etag: '"x"' }).end()
      else
        response.writeHead(200, { 'content-length': 5 }).end(request.method === 'HEAD' ? undefined : 'hello')
    })
    const lines = ['HEAD /', 'GET /204', 'HEAD /204', 'GET /304', 'GET /', 'HEAD /'].map(
      (line, i) => `${line} HTTP/1.1\r\nHost: ${domain}\r\n${i === 5 ? 'Connection: close\r\n' : ''}\r\n`,
    )
    const answer = await askRaw(stage.daemon, lines.join(''), 3000)
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status),
      ['200', '204', '204', '304', '200', '200'],
    )
    assert.equal(answer.match(/hello/g)?.length, 1)
    assert.equal(answer.match(/content-length: 5/gi)?.length, 3)
  })

  test('GET and DELETE without a body stay so, POST and PUT get Content-Length: 0', async () => {
    const { domain, upstream } = await service((_, response) => response.end())
    for (const [method, length] of [
      ['GET', []],
      ['DELETE', []],
      ['POST', ['0']],
      ['PUT', ['0']],
    ] as const) {
      await askRaw(stage.daemon, `${method} / HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`, 2000)
      const { rawHeaders } = upstream.seen.at(-1)!
      assert.deepEqual(
        [valuesOf(rawHeaders, 'content-length'), valuesOf(rawHeaders, 'transfer-encoding')],
        [length, []],
        method,
      )
    }
  })

  test('the service decides whether Expect: 100-continue is answered with 100', async () => {
    const { domain, upstream } = await service((request, response) => request.pipe(response))
    let asked = 0
    upstream.server.on('checkContinue', (request, response) => {
      asked++
      if (request.headers['x-refuse']) return void response.writeHead(417).end('no')
      response.writeContinue()
      upstream.server.emit('request', request, response)
    })
    const onward = begin(domain, 'POST', { expect: '100-continue', 'content-length': '4' })
    await once(onward, 'continue')
    onward.end('body')
    assert.equal(await text(await answerOf(onward)), 'body')

    const refused = begin(domain, 'POST', { expect: '100-continue', 'content-length': '4', 'x-refuse': '1' })
    refused.on('continue', () => assert.fail('the service sent no 100'))
    const answer = await answerOf(refused)
    assert.deepEqual([answer.statusCode, await text(answer), asked], [417, 'no', 2])

    await stage.route({ domain: 'guarded.localhost', auth_mode: 'local', target: upstream.target })
    const next = 'GET /smuggled HTTP/1.1\r\nHost: guarded.localhost\r\n\r\n'
    const head = `POST / HTTP/1.1\r\nHost: guarded.localhost\r\nExpect: 100-continue\r\nContent-Length: ${next.length}\r\n\r\n`
    const refusal = await askRaw(stage.daemon, head, 2000)
    assert.match(
      refusal,
      /^HTTP\/1\.1 401 [^]*connection: close/i,
      'the connection closes, because the client may or may not send the body',
    )
    assert.equal(asked, 2)
    assert.match(
      await askRaw(stage.daemon, head.replace('100-continue', '200-ok'), 2000),
      /^HTTP\/1\.1 417 [^]*connection: close/i,
    )
  })

  test('early hints are forwarded, and invalid ones are dropped', async () => {
    for (const [link, expected] of [
      ['</a.css>; rel=preload; as=style', ['</a.css>; rel=preload; as=style']],
      ['</a.css>; rel=preload, </b.js>; rel=preload', ['</a.css>; rel=preload, </b.js>; rel=preload']],
      ['garbage', []],
      ['<a>; x="y\r\nLink: z', []],
    ] as const) {
      await using hinting = await raw(
        `HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
      )
      const onward = begin(hinting.domain, 'GET').end()
      const hints: (string | undefined)[] = []
      onward.on('information', ({ headers }) => hints.push(String(headers.link)))
      assert.equal(await text(await answerOf(onward)), 'ok')
      assert.deepEqual(hints, expected, link)
    }
  })
})
