import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { startRaw, startStage, type RawUpstream, type Stage } from '../../support/edge_stage.ts'
import { openSession } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

const authority = new TestAuthority()
after(() => authority[Symbol.dispose]())

const upgrade = 'Connection: Upgrade\r\nUpgrade: x\r\n'
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nnew'

/** What the service does with a request, and what the client has received before anybody leaves. */
interface State {
  readonly request: (host: string) => string
  readonly responds: string
  readonly hears: RegExp | undefined
}

const get =
  (more: string, method = 'GET') =>
  (host: string) =>
    `${method} / HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`

/** Every state of a request before and after a switch of protocols. The service never closes by itself. */
const states: Readonly<Record<string, State>> = {
  'a request waits': { request: get(''), responds: '', hears: undefined },
  'a request that node:http reads waits': {
    request: get('TE: trailers\r\n'),
    responds: '',
    hears: undefined,
  },
  'an upload is under way': {
    request: get('Content-Length: 1000\r\n', 'POST'),
    responds: '',
    hears: undefined,
  },
  'a response is under way': {
    request: get(''),
    responds: 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf',
    hears: /half/,
  },
  'an upgrade waits': { request: get(upgrade), responds: '', hears: undefined },
  'an upgrade by HEAD waits': { request: get(upgrade, 'HEAD'), responds: '', hears: undefined },
  'an upgrade waits, and the client has sent early bytes': {
    request: (host) => `${get(upgrade)(host)}early`,
    responds: '',
    hears: undefined,
  },
  'an upgrade got half of a response': {
    request: get(upgrade),
    responds: 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf',
    hears: /half/,
  },
  'an upgrade got half of a chunked response': {
    request: get(upgrade),
    responds: 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    hears: /half/,
  },
  'the protocol has been switched': { request: get(upgrade), responds: switched, hears: /new/ },
}

/** Upgrades that are answered by something else than a switch: nobody has to leave. */
const answered: Readonly<Record<string, State>> = {
  'HEAD with a length': {
    request: get(upgrade, 'HEAD'),
    responds: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    hears: /^HTTP\/1\.1 200/,
  },
  'HEAD with chunked': {
    request: get(upgrade, 'HEAD'),
    responds: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    hears: /^HTTP\/1\.1 200/,
  },
  '204': { request: get(upgrade), responds: 'HTTP/1.1 204 No Content\r\n\r\n', hears: /^HTTP\/1\.1 204/ },
  '304 with a length': {
    request: get(upgrade),
    responds: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    hears: /^HTTP\/1\.1 304/,
  },
  '200 with its body': {
    request: get(upgrade),
    responds: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole',
    hears: /whole$/,
  },
}

/** How many sockets this process holds: those of the edge, the client and the service. */
const countSockets = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length

const settled = async (expected: number, title: string): Promise<void> => {
  for (let i = 0; i < 60 && countSockets() > expected; i++) await delay(50)
  assert.ok(countSockets() <= expected, `${title}: ${countSockets()} sockets instead of ${expected}`)
}

const doors = {
  'the fast lane': {},
  'node:http': { fast_lane: 'off' },
  TLS: tlsSettings(authority.issue('a.localhost')),
}
const each = 8

for (const [door, settings] of Object.entries(doors))
  describe(`who leaves frees what was held, by ${door}`, () => {
    let stage: Stage
    let service: RawUpstream
    let responds = ''
    /** Whether the service ends by itself, and not because its client has. */
    let finishes = false
    const served: Socket[] = []
    before(async () => {
      stage = await startStage(settings)
      service = await startRaw((socket) => {
        served.push(socket)
        socket.resume()
        socket.on('end', () => {
          if (!finishes) socket.end()
        })
        if (responds !== '') socket.write(responds)
      })
      service.server.on('connection', (socket) => (socket.allowHalfOpen = true))
      await stage.route({ domain: 'a.localhost', auth_mode: 'none', target: service.target })
    })
    after(async () => {
      await service[Symbol.asyncDispose]()
      await stage.close()
    })

    const open = (): Socket => {
      const { port } = stage.daemon.edge
      if (!('tls_cert' in settings)) return connect(port, '127.0.0.1')
      return connectTls({ port, host: '127.0.0.1', servername: 'a.localhost', rejectUnauthorized: false })
    }

    /** Brings some connections into a state. */
    const bring = async ({ request, responds: bytes, hears }: State) => {
      responds = bytes
      served.length = 0
      const clients = await Promise.all(
        Array.from({ length: each }, async () => {
          const socket = open()
          socket.on('error', () => {})
          let text = ''
          const heard = new Promise<void>((resolve) => {
            if (hears === undefined) resolve()
            socket.on('data', (part: Buffer) => {
              text += part.toString('latin1')
              if (hears?.test(text)) resolve()
            })
          })
          socket.write(request('a.localhost'))
          await heard
          return socket
        }),
      )
      for (let i = 0; i < 60 && served.length < each; i++) await delay(20)
      assert.equal(served.length, each)
      return clients
    }

    /** Returns once neither clients nor services hold anything. */
    const freed = async (clients: readonly Socket[], baseline: number, title: string) => {
      try {
        await settled(baseline, title)
      } finally {
        for (const socket of [...clients, ...served]) socket.destroy()
        await settled(baseline, title)
      }
    }

    for (const [title, state] of Object.entries(states)) {
      test(`${title}: the client leaves`, async () => {
        for (const how of ['end', 'reset'] as const) {
          const baseline = countSockets()
          const clients = await bring(state)
          for (const client of clients) {
            if (how === 'end') client.end()
            else if ('encrypted' in client) client.destroy()
            else client.resetAndDestroy()
          }
          await freed(clients, baseline, `${title}, ${how}`)
        }
      })

      test(`${title}: the service leaves`, async () => {
        for (const how of ['end', 'reset'] as const) {
          const baseline = countSockets()
          const clients = await bring(state)
          for (const socket of served) {
            if (how === 'end') socket.end()
            else socket.resetAndDestroy()
          }
          // A client whose connection stays open after a refusal ends it.
          await delay(200)
          for (const client of clients) client.end()
          await freed(clients, baseline, `${title}, ${how}`)
        }
      })
    }

    for (const [title, state] of Object.entries(answered))
      test(`an upgrade is answered ${title}: nobody waits for the service`, async () => {
        const baseline = countSockets()
        const clients = await bring(state)
        await freed(clients, baseline, title)
      })

    test('after a switch, one side that ends lets the other finish', async () => {
      finishes = true
      const clients = await bring(states['the protocol has been switched']!)
      const [client] = clients
      const [socket] = served
      let text = ''
      client!.on('data', (part: Buffer) => (text += part.toString()))
      client!.end('last words')
      await once(socket!, 'end')
      await delay(300)
      socket!.end(' and still an answer')
      await once(client!, 'close')
      assert.match(text, / and still an answer$/)
      finishes = false
      for (const socket of [...clients, ...served]) socket.destroy()
    })

    test('after a switch, the other side has 60 seconds to finish, whichever ends first', async (t) => {
      finishes = true
      for (const first of ['client', 'service'] as const) {
        const clients = await bring(states['the protocol has been switched']!)
        const [ending, other] = first === 'client' ? [clients, [...served]] : [[...served], clients]
        for (const socket of other) socket.allowHalfOpen = true
        t.mock.timers.enable({ apis: ['setTimeout'] })
        try {
          const heard = other.map((socket) => once(socket, 'end'))
          const closed = ending.map((socket) => once(socket, 'close'))
          for (const socket of ending) socket.end('last words')
          await Promise.all(heard)
          t.mock.timers.tick(59_999)
          const spoken = Promise.race(['data', 'close'].map((event) => once(ending[0]!, event)))
          other[0]!.write('still here')
          assert.equal(String((await spoken)[0]), 'still here')
          assert.ok(ending.every((socket) => !socket.destroyed))
          t.mock.timers.tick(1)
          await Promise.all(closed)
        } finally {
          t.mock.timers.reset()
          for (const socket of [...clients, ...served]) socket.destroy()
        }
      }
      finishes = false
    })

    test('an upgrade with Connection: close, upgrade switches as any other', async () => {
      const request = get('Connection: close, Upgrade\r\nUpgrade: x\r\n')
      const clients = await bring({ ...states['the protocol has been switched']!, request })
      const heard = served.map((socket) => once(socket, 'data'))
      for (const client of clients) client.write('in the new protocol')
      for (const [bytes] of await Promise.all(heard)) assert.equal(String(bytes), 'in the new protocol')
      for (const socket of [...clients, ...served]) socket.destroy()
    })

    test('after a switch, TCP asks on both sides after 60 seconds of silence', async () => {
      const clients = await bring(states['the protocol has been switched']!)
      await delay(100)
      const ports = [stage.daemon.edge.port, Number(new URL(service.target).port)]
      const [edge, upstream] = ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0'))
      const rows = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === '01')
      /** The timer of a connection: 02 is keepalive; the time is in hundredths of a second. */
      const timers = (local: RegExp, remote: RegExp) =>
        rows
          .filter(([, at = '', to = '']) => local.test(at) && remote.test(to))
          .map(([, , , , , timer = '']) => timer.split(':'))
          .filter(([kind]) => kind === '02')
          .map(([, when]) => Number.parseInt(when!, 16) / 100)
      const any = /./
      for (const found of [timers(new RegExp(`:${edge}$`), any), timers(any, new RegExp(`:${upstream}$`))]) {
        assert.ok(found.length >= each, `${found.length} timers`)
        assert.ok(found.filter((seconds) => seconds > 45 && seconds <= 61).length >= each, found.join())
      }
      for (const socket of [...clients, ...served]) socket.destroy()
    })
  })

describe('who leaves frees what was held, by HTTP/2', () => {
  let stage: Stage
  let service: RawUpstream
  let session: ClientHttp2Session
  let responds = ''
  const served: Socket[] = []
  before(async () => {
    stage = await startStage(tlsSettings(authority.issue('a.localhost')))
    service = await startRaw((socket) => {
      served.push(socket)
      socket.resume()
      socket.on('end', () => socket.end())
      if (responds !== '') socket.write(responds)
    })
    service.server.on('connection', (socket) => (socket.allowHalfOpen = true))
    await stage.route({ domain: 'a.localhost', auth_mode: 'none', target: service.target })
    session = await openSession(stage.daemon, 'a.localhost')
  })
  after(async () => {
    session.destroy()
    await service[Symbol.asyncDispose]()
    await stage.close()
  })

  const plain = { ':authority': 'a.localhost', ':path': '/' }
  const tunnel = { ...plain, ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https' }
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf'
  const inStates: Readonly<Record<string, readonly [headers: OutgoingHttpHeaders, responds: string]>> = {
    'a request waits': [plain, ''],
    'a response is under way': [plain, half],
    'a tunnel waits': [tunnel, ''],
    'a tunnel got half of a response': [tunnel, half],
    'a tunnel is open': [tunnel, switched],
  }
  const open = async (title: string): Promise<ClientHttp2Stream[]> => {
    const [headers, bytes] = inStates[title]!
    responds = bytes
    served.length = 0
    const streams = await Promise.all(
      Array.from({ length: each }, async () => {
        const stream = session.request(headers, { endStream: headers === plain })
        stream.on('error', () => {}).on('data', () => {})
        if (bytes !== '') await once(stream, 'response')
        return stream
      }),
    )
    for (let i = 0; i < 60 && served.length < each; i++) await delay(20)
    assert.equal(served.length, each)
    return streams
  }

  for (const title of Object.keys(inStates)) {
    test(`${title}: the client leaves`, async () => {
      for (const how of ['reset', 'end'] as const) {
        if (how === 'end' && inStates[title]![0] === plain) continue
        const baseline = countSockets()
        for (const stream of await open(title)) {
          if (how === 'end') stream.end()
          else stream.close(constants.NGHTTP2_CANCEL)
        }
        await settled(baseline, `${title}, ${how}`)
      }
    })

    test(`${title}: the service leaves`, async () => {
      for (const how of ['end', 'reset'] as const) {
        const baseline = countSockets()
        const streams = await open(title)
        for (const socket of served) {
          if (how === 'end') socket.end()
          else socket.resetAndDestroy()
        }
        await delay(100)
        for (const stream of streams) stream.end()
        await settled(baseline, `${title}, ${how}`)
        await Promise.all(streams.map((stream) => stream.closed || once(stream, 'close')))
      }
    })
  }

  test('the connection of a tunnel is asked by TCP after 60 seconds of silence', async () => {
    const streams = await open('a tunnel is open')
    await delay(100)
    const at = `:${stage.daemon.edge.port.toString(16).toUpperCase().padStart(4, '0')}`
    const rows = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    const own = rows.filter(([, local = '', , state]) => local.endsWith(at) && state === '01')
    assert.ok(
      own.some(([, , , , , timer = '']) => timer.startsWith('02:')),
      JSON.stringify(own),
    )
    for (const stream of streams) stream.close()
  })
})
