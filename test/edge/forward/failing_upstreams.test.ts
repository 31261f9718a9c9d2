import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream } from '../../support/upstream.ts'
import { startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

describe('upstreams that are down, slow or broken (R19)', () => {
  let stage: Stage
  let count = 0
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  const lead = async (target: string, more: { response_timeout?: number } = {}) => {
    const domain = `f${++count}.localhost`
    await stage.route({ domain, auth_mode: 'optional', target, ...more })
    return domain
  }
  const alive = async () =>
    assert.equal((await ask(stage.daemon, 'enter.localhost', '/')).status, 200, 'the daemon still runs')

  test('an unreachable upstream gets 502, with a page for browsers and JSON for programs, over TCP and Unix sockets', async () => {
    const gone = await startUpstream()
    await gone.close()
    for (const target of [
      gone.target,
      `unix:${join(stage.daemon.dir, 'nobody.sock')}`,
      `unix:${stage.daemon.dir}`,
    ]) {
      const domain = await lead(target)
      const program = await ask(stage.daemon, domain, '/', { method: 'POST', body: 'x' })
      assert.equal(program.status, 502)
      assert.equal((JSON.parse(program.body) as { code: string }).code, 'upstream_unreachable')
      const page = await ask(stage.daemon, domain, '/', { headers: ['Accept', 'text/html'] })
      assert.deepEqual([page.status, page.headers['content-type']], [502, 'text/html; charset=utf-8'])
      assert.ok(
        !/ECONN|ENOENT|127\.0\.0\.1|sock/.test(page.body + program.body),
        'the response reveals no internal address',
      )
      const upgrade = await askRaw(
        stage.daemon,
        `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        2000,
      )
      assert.match(upgrade, /^HTTP\/1\.1 502 /)
    }
  })

  test('an upstream that times out gets 504, also for an upgrade, and its connection is closed', async () => {
    const released = Promise.withResolvers<void>()
    await using slow = await startRaw((socket) => void socket.on('close', () => released.resolve()))
    const domain = await lead(slow.target, { response_timeout: 1 })
    const [plain, upgrade] = await Promise.all([
      ask(stage.daemon, domain, '/'),
      askRaw(
        stage.daemon,
        `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        4000,
      ),
    ])
    assert.equal(plain.status, 504)
    assert.equal((JSON.parse(plain.body) as { code: string }).code, 'upstream_timeout')
    assert.match(upgrade, /^HTTP\/1\.1 504 /)
    await released.promise
  })

  const broken: Record<string, string> = {
    nothing: '',
    'no HTTP': 'SSH-2.0-OpenSSH_9.2\r\n',
    'a status of 99': 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok',
    'a status of 0': 'HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok',
    'a status of 1000': 'HTTP/1.1 1000 X\r\nContent-Length: 2\r\n\r\nok',
    'a 101 without an upgrade': 'HTTP/1.1 101 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'an unsolicited upgrade': 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes',
    'two Content-Length headers': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk',
    'Content-Length and chunked':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a header with a control character': 'HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 2\r\n\r\nok',
    'a head of 200 KB': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}\r\n\r\n`,
    'endless 103 responses': `${'HTTP/1.1 103 E\r\nLink: x\r\n\r\n'.repeat(2000)}`,
  }
  for (const [title, bytes] of Object.entries(broken)) {
    test(`${title}: the client gets 502, and the daemon still runs`, async () => {
      await using upstream = await startRaw(bytes)
      const domain = await lead(upstream.target)
      assert.equal((await ask(stage.daemon, domain, '/')).status, 502)
      const upgrade = await askRaw(
        stage.daemon,
        `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
        1000,
      )
      if (title !== 'an unsolicited upgrade') assert.match(upgrade, /^HTTP\/1\.1 502 /)
      await alive()
    })
  }

  test('control characters are removed from a reason phrase', async () => {
    await using upstream = await startRaw('HTTP/1.1 200 O\x01\x7fK\r\nContent-Length: 2\r\n\r\nok')
    const answer = await ask(stage.daemon, await lead(upstream.target), '/')
    assert.deepEqual([answer.status, answer.body], [200, 'ok'])
    await alive()
  })

  const cut: Record<string, string> = {
    'before its Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf',
    'before the last chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    'inside a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf',
    'with an invalid chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n',
  }
  for (const [title, bytes] of Object.entries(cut)) {
    test(`a body that ends ${title} is an incomplete response for the client`, async () => {
      for (const reset of [false, true]) {
        await using upstream = await startRaw((socket) => {
          socket.write(bytes)
          setTimeout(() => (reset ? socket.resetAndDestroy() : socket.end()), 50)
        })
        const domain = await lead(upstream.target)
        // If no byte has been forwarded yet, the client gets 502; otherwise its connection is cut.
        const outcome = await ask(stage.daemon, domain, '/').then(
          ({ status }) => String(status),
          (error: Error) => error.message,
        )
        assert.match(outcome, /^502$|aborted|ECONNRESET|hang up/)
        const upgrade = await askRaw(
          stage.daemon,
          `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
          2000,
        )
        assert.equal(upgrade.match(/HTTP\/1\.1/g)?.length, 1, 'no second response inside the first')
        await alive()
      }
    })
  }

  test('an invalid response does not affect the next request on the same connection', async () => {
    let times = 0
    await using upstream = await startRaw((socket) => {
      if (times++ % 2 === 0) socket.end('garbage\r\n\r\n')
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
    })
    const domain = await lead(upstream.target)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const next = async (method: string) => {
      const onward = request({
        host: '127.0.0.1',
        port: stage.daemon.edge.port,
        agent,
        method,
        headers: { host: domain },
      })
      onward.end(method === 'POST' ? 'x'.repeat(100_000) : undefined)
      const [answer] = (await once(onward, 'response')) as [IncomingMessage]
      let body = ''
      for await (const chunk of answer) body += String(chunk)
      return [answer.statusCode, body.includes('good'), onward.reusedSocket]
    }
    assert.deepEqual(await next('POST'), [502, false, false])
    assert.deepEqual(await next('POST'), [200, true, true])
    assert.deepEqual(await next('GET'), [502, false, true])
    assert.deepEqual(await next('GET'), [200, true, true])
    agent.destroy()
  })

  test('no request fails because the upstream closed an idle connection', async () => {
    const upstream = await startUpstream((_, response) => response.end('ok'))
    const domain = await lead(upstream.target)
    for (let i = 0; i < 5; i++) {
      assert.equal((await ask(stage.daemon, domain, '/')).body, 'ok')
      upstream.server.closeAllConnections()
    }
    await upstream.close()
  })
})
