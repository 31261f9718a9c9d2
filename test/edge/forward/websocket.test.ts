import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { goodPassword } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { signInAtAll, startRaw, startStage, type Stage } from '../../support/edge_stage.ts'

const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'
const handshake = (host: string, headers = '') =>
  `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}${headers}\r\n`

describe('WebSocket and other upgrades (D14)', () => {
  let stage: Stage
  const upstreams: Upstream[] = []
  const servers: WebSocketServer[] = []

  /** Sends the headers of the handshake, then echoes; refuses /refuse with 403. */
  const echoing = async (socketPath?: string) => {
    const upstream = await startUpstream(undefined, socketPath)
    const server = new WebSocketServer({ noServer: true })
    upstream.server.on('upgrade', (request, socket, head) => {
      if (request.url === '/refuse')
        return void socket.end(
          'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: full\r\nX-Hero-User: evil\r\n\r\nno',
        )
      server.handleUpgrade(request, socket, head, (peer) => {
        peer.send(JSON.stringify(request.rawHeaders))
        peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
      })
    })
    upstreams.push(upstream)
    servers.push(server)
    return upstream.target
  }

  before(async () => {
    stage = await startStage()
    const tcp = await echoing()
    const unix = await echoing(join(stage.daemon.dir, 'ws.sock'))
    for (const auth_mode of ['none', 'optional', 'local'] as const) {
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode, target: tcp })
      await stage.route({ domain: `${auth_mode}-unix.localhost`, auth_mode, target: unix })
    }
  })
  after(async () => {
    for (const server of servers) for (const peer of server.clients) peer.terminate()
    for (const upstream of upstreams) await upstream.close()
    await stage.close()
  })

  const open = async (host: string, headers: Record<string, string> = {}, path = '/chat') => {
    const socket = new WebSocket(`ws://127.0.0.1:${stage.daemon.edge.port}${path}`, {
      headers: { host, ...headers },
    })
    const [greeting] = (await once(socket, 'message')) as [Buffer]
    return { socket, rawHeaders: JSON.parse(String(greeting)) as string[] }
  }
  const spoofed = {
    'X-Hero-User': 'root',
    x_hero_claims: 'admin',
    'X-Forwarded-For': '10.9.9.9',
    'X-Proxy-Auth-Method': 'local',
  }

  for (const [host, signedIn, user, method] of [
    ['none.localhost', true, [], 'none'],
    ['optional.localhost', false, [], 'none'],
    ['optional.localhost', true, ['ada'], 'local'],
    ['local.localhost', true, ['ada'], 'local'],
    ['local-unix.localhost', true, ['ada'], 'local'],
    ['optional-unix.localhost', false, [], 'none'],
  ] as const) {
    test(`${host}, ${signedIn ? 'signed in' : 'guest'}: echoes in both directions, with the same identity headers as a plain request`, async () => {
      const cookie = signedIn ? `${stage.ada}; theme=dark` : 'theme=dark'
      const { socket, rawHeaders } = await open(host, { ...spoofed, cookie, origin: `http://${host}` })
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), user)
      assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-auth-method'), [method])
      assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['127.0.0.1'])
      assert.deepEqual(valuesOf(rawHeaders, 'cookie'), ['theme=dark'])
      assert.ok(!/root|admin|10\.9/.test(rawHeaders.join()))
      for (const message of ['hello', 'x'.repeat(200_000), Buffer.alloc(100_000, 7)]) {
        socket.send(message)
        const [data] = (await once(socket, 'message')) as [Buffer]
        assert.ok(Buffer.from(message).equals(data))
      }
      socket.close(4001, 'done')
      const [code] = (await once(socket, 'close')) as [number]
      assert.equal(code, 4001)
    })
  }

  test('a foreign Origin with a session cookie is refused and reaches no upstream', async () => {
    const clients = servers[0]!.clients.size
    for (const origin of [
      'http://evil.test',
      'null',
      'https://local.localhost',
      'http://local.localhost:81',
      'http://local.localhost.evil.test',
      'http://LOCAL.localhost',
      '',
    ]) {
      for (const host of ['local.localhost', 'optional.localhost']) {
        const answer = await askRaw(
          stage.daemon,
          handshake(host, `Cookie: ${stage.ada}\r\nOrigin: ${origin}\r\n`),
          2000,
        )
        assert.match(answer, /^HTTP\/1\.1 403 [^]*cross_origin/, origin)
      }
    }
    const twice = `Cookie: ${stage.ada}\r\nOrigin: http://local.localhost\r\nOrigin: http://evil.test\r\n`
    const answer = await askRaw(stage.daemon, handshake('local.localhost', twice), 500)
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.equal(servers[0]!.clients.size, clients)
  })

  test('without a session cookie a foreign Origin is left to the service', async () => {
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    for (const headers of [
      { origin: 'http://evil.test' },
      { origin: 'http://evil.test', authorization: `Bearer ${access_token}` },
    ]) {
      const { socket, rawHeaders } = await open('optional.localhost', { ...headers } as Record<
        string,
        string
      >)
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), 'authorization' in headers ? ['ada'] : [])
      assert.deepEqual(valuesOf(rawHeaders, 'authorization'), [])
      socket.terminate()
    }
  })

  test('Upgrade without Connection: Upgrade is decided as a plain request', async () => {
    const plain = handshake(
      'local.localhost',
      `Cookie: ${stage.ada}\r\nOrigin: http://evil.test\r\n`,
    ).replace('Connection: Upgrade', 'Connection: close')
    assert.match(await askRaw(stage.daemon, plain, 2000), /^HTTP\/1\.1 403 /)
    const guest = handshake('local.localhost').replace('Connection: Upgrade', 'Connection: close')
    assert.match(await askRaw(stage.daemon, guest, 2000), /^HTTP\/1\.1 401 /)
  })

  test('a refusal by the service is forwarded without identity headers', async () => {
    const answer = await askRaw(
      stage.daemon,
      handshake('local.localhost', `Cookie: ${stage.ada}\r\n`).replace('/chat', '/refuse'),
      2000,
    )
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*X-Why: full[^]*\r\n\r\nno$/)
    assert.ok(!answer.includes('evil'))
  })

  test('an upgrade of an ambiguous path or an own path is refused', async () => {
    const reserved = ['/.hero_proxy/me', '/.hero_proxy/x', '/%2ehero_proxy/x', '/;/.hero_proxy/x']
    for (const [host, paths] of [
      ['optional.localhost', ['/../chat', '/%2e%2e/chat', '/auth/login', '/chat%00', ...reserved]],
      ['localhost', ['/rpc', '/auth/login', '/auth/x', '/admin', '/.well-known/x', ...reserved]],
    ] as const)
      for (const path of paths) {
        const answer = await askRaw(stage.daemon, handshake(host).replace('/chat', path), 2000)
        assert.match(answer, /^HTTP\/1\.1 40[04] /, `${host}${path}`)
      }
  })

  test('an upgrade to another protocol works, and bytes pass unchanged', async () => {
    await using other = await startRaw((socket, head) => {
      assert.match(head, /Upgrade: tunnel\/1/i)
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tunnel/1\r\nX-Hero-User: evil\r\nSet-Cookie: hero_proxy_session=evil\r\n\r\n\x00first',
      )
      socket.on('data', (bytes) => socket.end(`got ${String(bytes)}`))
    })
    await stage.route({ domain: 'tunnel.localhost', auth_mode: 'none', target: other.target })
    const answer = await askRaw(
      stage.daemon,
      'GET / HTTP/1.1\r\nHost: tunnel.localhost\r\nConnection: Upgrade\r\nUpgrade: tunnel/1\r\n\r\nearly',
      2000,
    )
    assert.match(answer, /^HTTP\/1\.1 101 [^]*\r\n\r\n\0firstgot early$/)
    assert.ok(!answer.includes('evil'))
  })

  test('closing either side closes the other', async () => {
    const { socket } = await open('none.localhost')
    const [peer] = [...servers[0]!.clients].slice(-1)
    socket.terminate()
    await once(peer!, 'close')
    const again = await open('none.localhost')
    ;[...servers[0]!.clients].at(-1)!.terminate()
    await once(again.socket, 'close')
  })

  test('an open connection ends when its session is revoked or its route changes', async () => {
    const { hero } = stage.daemon
    const cookie = await signInAtAll(stage.daemon, ['local.localhost', 'optional.localhost'], 'bob')
    const { id } = await stage.route({
      domain: 'going.localhost',
      auth_mode: 'none',
      target: upstreams[0]!.target,
    })
    const sockets = await Promise.all([
      open('local.localhost', { cookie }),
      open('optional.localhost', { cookie }),
      open('going.localhost'),
    ])
    const kept = await open('local.localhost', { cookie: stage.ada })
    const closed = Promise.all(sockets.map(({ socket }) => once(socket, 'close')))
    await hero.sessions.revoke_all({ user: 'bob' })
    await hero.proxy.routes.update({ id, auth_mode: 'local' })
    await closed
    assert.equal(kept.socket.readyState, WebSocket.OPEN)
    kept.socket.terminate()
    assert.equal(
      (await ask(stage.daemon, 'local.localhost', '/', { headers: ['Cookie', stage.ada] })).status,
      200,
    )
  })
})
