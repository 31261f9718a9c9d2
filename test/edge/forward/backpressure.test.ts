import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { startUpstream, type Upstream } from '../../support/upstream.ts'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

type Handler = Parameters<typeof startUpstream>[0]

describe('clients and services that leave, answer early or stop reading', () => {
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
  test('the upstream request is aborted when the client aborts an upload', async () => {
    const left = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const { domain } = await service((request, response) => {
      response.on('close', () => left.resolve())
      if (request.method === 'POST') request.on('data', () => arrived.resolve())
      else response.write('endless', () => arrived.resolve())
    })
    const upload = begin(domain, 'POST', { 'content-length': '1000000' })
    upload.on('error', () => {}).write('part')
    await arrived.promise
    upload.destroy()
    await left.promise
  })

  test('the upstream response is aborted when the client aborts a download', async () => {
    const left = Promise.withResolvers<void>()
    const { domain } = await service((_, response) => {
      response.on('close', () => left.resolve())
      response.write('endless')
    })
    const onward = begin(domain, 'GET')
      .on('error', () => {})
      .end()
    const answer = await answerOf(onward)
    answer.on('error', () => {})
    await once(answer, 'data')
    onward.destroy()
    await left.promise
  })

  test('an early response to a long upload leaves the client connection usable', async () => {
    await using hasty = await raw(
      'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno',
    )
    const socket = connect(stage.daemon.edge.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (bytes) => (answer += String(bytes)))
    const length = 300_000
    socket.write(
      `POST / HTTP/1.1\r\nHost: ${hasty.domain}\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(1000)}`,
    )
    while (!answer.includes('413')) await once(socket, 'data')
    socket.write('x'.repeat(length - 1000))
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 413 [^]*HTTP\/1\.1 200 OK/)
  })

  test('backpressure bounds the buffered part of a 100 MB body in either direction', async () => {
    const piece = Buffer.alloc(256 * 1024, 'x')
    const total = 100 * 1024 * 1024
    const sent = { up: 0, down: 0 }
    const reading = Promise.withResolvers<void>()
    const { domain } = await service(async (request, response) => {
      await reading.promise
      let size = 0
      for await (const chunk of request) size += (chunk as Buffer).length
      response.setHeader('x-received', size)
      for (; sent.down < total; sent.down += piece.length)
        if (!response.write(piece)) await once(response, 'drain')
      response.end()
    })
    /** Waits until no more is accepted, and returns the bytes buffered between the two ends: in sockets and pipes, not a whole body. */
    const stuck = async (way: 'up' | 'down') => {
      for (let last = -1; last !== sent[way] || sent[way] === 0;) {
        last = sent[way]
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
      return sent[way]
    }
    const onward = begin(domain, 'POST')
    const upload = (async () => {
      for (; sent.up < total; sent.up += piece.length) if (!onward.write(piece)) await once(onward, 'drain')
      onward.end()
    })()
    const answered = answerOf(onward)
    assert.ok(
      (await stuck('up')) < total / 3,
      `${sent.up} bytes were accepted for a service that reads nothing`,
    )
    reading.resolve()
    await upload
    const answer = await answered
    assert.equal(Number(answer.headers['x-received']), total)
    assert.ok(
      (await stuck('down')) < total / 3,
      `${sent.down} bytes were accepted for a client that reads nothing`,
    )
    let size = 0
    for await (const chunk of answer) size += (chunk as Buffer).length
    assert.equal(size, total)
  })

  const get = (domain: string) => `GET / HTTP/1.1\r\nHost: ${domain}\r\n\r\n`
  /** A client that reads nothing. */
  const nonReadingClient = () => {
    const socket = connect(stage.daemon.edge.port, '127.0.0.1').on('error', () => {})
    return { socket, [Symbol.dispose]: () => void socket.destroy() }
  }
  /** Waits until a number stops changing, and returns it. */
  const settled = async (count: () => number): Promise<number> => {
    for (let last = -1; last !== count();) {
      last = count()
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    return count()
  }

  test('pipelined requests are not read while the first one has no response', async () => {
    const { domain } = await service(() => {})
    using client = nonReadingClient()
    const piece = get(domain).repeat(4000)
    const pieces = Math.ceil((24 * 1024 * 1024) / piece.length)
    let taken = 0
    const write = () => {
      client.socket.write(piece, (error) => {
        if (!error && ++taken < pieces) write()
      })
    }
    write()
    // The kernel buffers up to 6 MB at each end.
    assert.ok((await settled(() => taken)) < pieces / 2, `${taken} of ${pieces} pieces were accepted`)
  })

  for (const [way, atOnce] of [
    ['all at once', true],
    ['one after another', false],
  ] as const)
    test(`requests sent ${way} are not served while the client reads no responses`, async () => {
      const body = 'x'.repeat(50_000)
      const { domain, upstream } = await service((_, response) => response.end(body))
      using client = nonReadingClient()
      const { socket } = client
      const total = 600
      if (atOnce) socket.write(get(domain).repeat(total))
      else
        for (let i = 0; i < total; i++) {
          socket.write(get(domain))
          const end = Date.now() + 1000
          while (upstream.seen.length <= i && Date.now() < end)
            await new Promise((resolve) => setTimeout(resolve, 1))
          if (upstream.seen.length <= i) break
        }
      const served = await settled(() => upstream.seen.length)
      // node:http reads them all at once, and such a connection is closed.
      assert.ok((served > 0 || socket.destroyed) && served < total, `${served} were served`)
    })

  for (const [lane, more] of [
    ['the fast lane', ''],
    ['node:http', 'TE: trailers\r\n'],
  ] as const)
    test(`by ${lane}, a half-closed client connection aborts the upstream response, even if the client does not read`, async () => {
      const left = Promise.withResolvers<void>()
      const piece = Buffer.alloc(256 * 1024, 'x')
      const { domain } = await service((_, response) => {
        response.on('close', () => left.resolve())
        const write = () => {
          while (!response.destroyed && response.write(piece));
          response.once('drain', write)
        }
        write()
      })
      using client = nonReadingClient()
      client.socket.write(get(domain).replace('Host', `${more}Host`))
      await new Promise((resolve) => setTimeout(resolve, 300))
      client.socket.end()
      await left.promise
    })
})
