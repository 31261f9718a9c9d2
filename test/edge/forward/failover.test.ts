import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf } from '../../support/upstream.ts'
import { got, startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

/** Responds with the number of bytes in the body. */
const counting: Parameters<typeof startUpstream>[0] = (incoming, response) => {
  let length = 0
  incoming.on('data', (chunk: Buffer) => (length += chunk.length))
  incoming.on('end', () => response.end(String(length)))
}

/** The address of an upstream that has stopped listening. */
const unusedTarget = async (): Promise<string> => {
  const upstream = await startUpstream()
  await upstream.close()
  return upstream.target
}

/** A server that accepts no connections: its backlog is full. */
const startUnresponsive = async () => {
  const code =
    'net.createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () { console.log(this.address().port) })'
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(String(line))
  child.kill('SIGSTOP')
  const sockets: Socket[] = []
  for (let stuck = false; !stuck;) {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    stuck = await Promise.race([once(socket, 'connect').then(() => false), wait(300).then(() => true)])
    assert.ok(sockets.length < 50)
  }
  return {
    target: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe('several upstreams', () => {
  let stage: Stage
  let count = 0
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  const lead = async (
    targets: readonly string[],
    more: { connect_timeout?: number; preserve_host?: boolean } = {},
  ) => {
    const domain = `several${++count}.localhost`
    const [target, ...more_targets] = targets
    await stage.route({ domain, auth_mode: 'optional', target: target!, more_targets, ...more })
    return domain
  }
  const post = (domain: string, size: number, chunked: boolean) =>
    new Promise<string>((resolve, reject) => {
      const framing = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(size) }
      const sent = request({
        port: stage.daemon.edge.port,
        host: '127.0.0.1',
        method: 'POST',
        agent: false,
        headers: { host: domain, ...framing },
      })
      sent.on('error', reject)
      sent.on('response', (response) => {
        let text = String(response.statusCode)
        response.on('data', (chunk: Buffer) => (text += ` ${chunk.toString()}`))
        response.on('end', () => resolve(text))
      })
      sent.end(Buffer.alloc(size, 'x'))
    })

  test('upstreams take turns', async () => {
    await using one = await startUpstream((_, response) => response.end('one'))
    await using other = await startUpstream(
      (_, response) => response.end('other'),
      join(stage.daemon.dir, 'o.sock'),
    )
    const domain = await lead([one.target, other.target])
    for (let i = 0; i < 10; i++) assert.equal((await ask(stage.daemon, domain, '/')).status, 200)
    assert.deepEqual([one.seen.length, other.seen.length], [5, 5])
  })

  test('an unreachable upstream is skipped for every method, because nothing was sent to it', async () => {
    await using living = await startUpstream(counting)
    const sockets = [
      await unusedTarget(),
      await unusedTarget(),
      `unix:${join(stage.daemon.dir, 'none.sock')}`,
    ]
    const domain = await lead([sockets[0]!, living.target, ...sockets.slice(1)])
    for (const size of [0, 10, 300_000, 3_000_000]) {
      for (const chunked of [false, true]) {
        assert.equal(await post(domain, size, chunked), `200 ${size}`)
      }
    }
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']) {
      const { status } = await ask(stage.daemon, domain, '/', { method })
      assert.equal(status, 200, method)
    }
    assert.equal(living.seen.length, 13, 'each request arrived once')
  })

  test('a body in flight arrives complete at the second upstream when the first is unreachable', async () => {
    // Every route is new, so the first upstream is not yet known to be down.
    await using living = await startUpstream(counting)
    for (let i = 0; i < 6; i++) {
      const domain = await lead([await unusedTarget(), living.target])
      assert.equal(await post(domain, 500_000, i % 2 === 0), '200 500000')
    }
  })

  test('502 when all upstreams are down, and the next request succeeds when one is back', async () => {
    const path = join(stage.daemon.dir, 'later.sock')
    const domain = await lead([`unix:${path}`, await unusedTarget()])
    for (let i = 0; i < 4; i++)
      assert.equal((await ask(stage.daemon, domain, '/', { method: 'POST', body: 'x' })).status, 502)
    await using _ = await startUpstream((_, response) => response.end('back'), path)
    for (let i = 0; i < 4; i++) assert.equal((await ask(stage.daemon, domain, '/')).body, 'back')
  })

  test('an upstream that does not accept within connect_timeout is given up, and the next one is tried', async () => {
    await using unresponsive = await startUnresponsive()
    await using living = await startUpstream(counting)
    const domain = await lead([unresponsive.target, living.target], { connect_timeout: 1 })
    const sent = Array.from({ length: 6 }, (_, i) => post(domain, 1000 * i, i % 2 === 0))
    assert.deepEqual(
      await Promise.all(sent),
      Array.from({ length: 6 }, (_, i) => `200 ${1000 * i}`),
    )
    const alone = await lead([unresponsive.target], { connect_timeout: 1 })
    assert.equal((await ask(stage.daemon, alone, '/')).status, 504)
    const handshake = `GET / HTTP/1.1\r\nHost: ${alone}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    assert.match(await askRaw(stage.daemon, handshake, 3000), /^HTTP\/1\.1 504 /)
  })

  test('a request already sent is retried only if it is a GET or HEAD without a body', async () => {
    const heads: string[] = []
    await using breaking = await startRaw((socket, head) => {
      heads.push(head)
      socket.resetAndDestroy()
    })
    await using living = await startUpstream(counting)
    const domain = await lead([breaking.target, living.target])
    const statuses = async (method: string, body?: string) => {
      const all = []
      for (let i = 0; i < 4; i++) {
        const asked = await ask(stage.daemon, domain, '/', { method, ...(body !== undefined && { body }) })
        all.push(asked.status)
      }
      return all.toSorted()
    }
    assert.deepEqual(await statuses('POST', 'x'), [200, 200, 502, 502])
    assert.deepEqual(await statuses('DELETE'), [200, 200, 502, 502])
    assert.deepEqual(await statuses('GET', 'x'), [200, 200, 502, 502])
    assert.equal(living.seen.length, 6, 'none of these was sent twice')
    assert.deepEqual(await statuses('GET'), [200, 200, 200, 200])
    assert.deepEqual(await statuses('HEAD'), [200, 200, 200, 200])
    assert.equal(heads.length, 10, 'a reachable upstream keeps its turn')
  })

  test('an error status is passed on and does not take the upstream out of rotation', async () => {
    await using failing = await startUpstream((_, response) => response.writeHead(503).end())
    await using living = await startUpstream()
    const domain = await lead([failing.target, living.target])
    const statuses = []
    for (let i = 0; i < 10; i++) statuses.push((await ask(stage.daemon, domain, '/')).status)
    assert.deepEqual(statuses.toSorted(), [...Array(5).fill(200), ...Array(5).fill(503)])
  })

  test('an upgrade fails over to a reachable upstream too', async () => {
    await using living = await startRaw('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello')
    for (let i = 0; i < 4; i++) {
      const domain = await lead([await unusedTarget(), living.target, await unusedTarget()])
      const handshake = `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`
      assert.match(await askRaw(stage.daemon, handshake), /^HTTP\/1\.1 101 [^]*hello$/)
    }
  })

  test('without preserve_host, Host names the upstream that gets the request', async () => {
    await using one = await startUpstream()
    await using other = await startUpstream()
    const domain = await lead([await unusedTarget(), one.target, other.target], { preserve_host: false })
    for (let i = 0; i < 6; i++) got(await ask(stage.daemon, domain, '/'))
    for (const { seen, target } of [one, other]) {
      assert.ok(seen.length > 0)
      for (const { rawHeaders } of seen)
        assert.deepEqual(valuesOf(rawHeaders, 'host'), [new URL(target).host])
    }
  })
})
