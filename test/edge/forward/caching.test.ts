import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { askOver, openSession } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'
import { KeptClient } from '../serve/kept_client.ts'

const html = 'Content-Type: text/html; charset=utf-8'
const css = 'Content-Type: text/css'

/** What the service says, and the Cache-Control of the response for a known person, without and with `no_store`. */
const said: readonly (readonly [lines: readonly string[], kept: string, never?: string])[] = [
  [[css], 'private'],
  [[html], 'private, no-cache'],
  [[], 'private, no-cache'],
  [['Content-Type:'], 'private, no-cache'],
  [['Content-Type: TEXT/HTML'], 'private, no-cache'],
  [['Content-Type: application/xhtml+xml'], 'private, no-cache'],
  [['Content-Type: image/png', html], 'private, no-cache'],
  [[css, 'Cache-Control: public, max-age=600'], 'private, max-age=600'],
  [[css, 'cache-control: PUBLIC', 'CACHE-CONTROL: S-MaxAge = 60 ,max-age=5'], 'private, max-age=5'],
  [[css, 'Cache-Control: public,s-maxage=600,immutable'], 'private, immutable'],
  [[css, 'Cache-Control: private="set-cookie, x", max-age=5'], 'private, max-age=5'],
  [[css, 'Cache-Control: ext="a, public, s-maxage=9, b", must-revalidate'], 'private, must-revalidate'],
  [[css, 'Cache-Control: no-cache'], 'private, no-cache'],
  [[css, 'Cache-Control:'], 'private'],
  [[html, 'Cache-Control: public, max-age=600'], 'private, no-cache, max-age=600'],
  [[html, 'Cache-Control: no-cache="set-cookie"'], 'private, no-cache'],
  [[html, 'Cache-Control: no-store'], 'private, no-cache, no-store'],
  [
    [html, 'Cache-Control: no-transform, public'],
    'private, no-cache, no-transform',
    'no-store, no-transform',
  ],
]

/** Headers by their names in lower case; values of the same name are joined. */
type Headers = ReadonlyMap<string, string>

/** A way through the edge. */
interface Lane {
  readonly name: string
  readonly secure?: true
  /** Asks for the response with this path. */
  readonly ask: (host: string, path: string, cookie: string | undefined) => Promise<Headers>
}

const joined = (pairs: readonly (readonly [string, string])[]): Headers => {
  const map = new Map<string, string>()
  for (const [name, value] of pairs) {
    const earlier = map.get(name.toLowerCase())
    map.set(name.toLowerCase(), earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return map
}

describe('which caches may keep a response', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let secure: Stage
  let session: ClientHttp2Session
  let service: Server
  const responses: string[] = []

  before(async () => {
    stage = await startStage({ trusted_proxies: '127.0.0.0/8' })
    secure = await startStage(tlsSettings(authority.issue('open.localhost')))
    service = createServer((socket) => {
      socket.setNoDelay()
      socket.on('error', () => {})
      let text = ''
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const [, method, which, pieces] = /^([A-Z]+) \/(\d+)\/(whole|pieces)/.exec(text)!
        text = ''
        const all = responses[Number(which)]!
        const response = method === 'HEAD' ? all.slice(0, all.indexOf('\r\n\r\n') + 4) : all
        if (pieces === 'whole') return void socket.write(response, 'latin1')
        socket.write(response.slice(0, 5), 'latin1')
        setTimeout(() => socket.write(response.slice(5), 'latin1'), 10)
      })
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
    for (const each of [stage, secure]) {
      const { hero } = each.daemon
      await hero.users.networks.add({ user: 'ada', network: '192.0.2.7' })
      const at = { target, enabled: true } as const
      await each.route({ ...at, domain: 'open.localhost', auth_mode: 'none' })
      await each.route({ ...at, domain: 'maybe.localhost', auth_mode: 'optional' })
      await each.route({ ...at, domain: 'local.localhost', auth_mode: 'local' })
      await each.route({ ...at, domain: 'never.localhost', auth_mode: 'none', no_store: true })
      await each.route({ ...at, domain: 'token.localhost', auth_mode: 'bearer', bearer_token: token })
    }
    session = await openSession(secure.daemon, 'open.localhost')
  })
  after(async () => {
    session.destroy()
    await Promise.all([stage.close(), secure.close()])
    authority[Symbol.dispose]()
    service.close()
  })
  const token = 'x'.repeat(40)

  const lastLane = ({ daemon }: Stage) => daemon.logged.findLast(({ msg }) => msg === 'request')!.lane

  /** Asks by HTTP/1.1 with these lines beside Host and Cookie. */
  const plain = async (
    host: string,
    path: string,
    cookie: string | undefined,
    lines = '',
    method = 'GET',
  ): Promise<Headers> => {
    const client = new KeptClient(stage.daemon.edge.port)
    const cookieLine = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
    client.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}${cookieLine}\r\n`)
    const { head } = await client.receive(method === 'HEAD')
    client.end()
    const fields = head.split('\r\n').slice(1, -2)
    return joined(
      fields.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    )
  }
  const h2 = async (host: string, path: string, more: OutgoingHttpHeaders) => {
    const { headers } = await askOver(session, host, path, more)
    return joined(
      Object.entries(headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((one): [string, string] => [name, one]),
      ),
    )
  }
  const on = process.env.TEST_FAST_LANE !== 'off'
  const lanes: readonly Lane[] = [
    { name: 'in one piece', ask: (host, path, cookie) => plain(host, `${path}/whole`, cookie) },
    { name: 'in pieces', ask: (host, path, cookie) => plain(host, `${path}/pieces`, cookie) },
    {
      name: 'by a kept decision',
      ask: async (host, path, cookie) => {
        for (let i = 0; i < 2; i++) await plain(host, `${path}/whole`, cookie)
        const headers = await plain(host, `${path}/whole`, cookie)
        assert.equal(lastLane(stage), on ? 'kept' : 'full')
        return headers
      },
    },
    {
      name: 'through node:http',
      ask: async (host, path, cookie) => {
        const headers = await plain(host, `${path}/whole`, cookie, 'X-Odd:value\r\n')
        assert.equal(lastLane(stage), 'full')
        return headers
      },
    },
    {
      name: 'by HTTP/2',
      secure: true,
      ask: (host, path, cookie) => h2(host, `${path}/whole`, cookie === undefined ? {} : { cookie }),
    },
    {
      name: 'by HTTP/2 in pieces',
      secure: true,
      ask: (host, path, cookie) => h2(host, `${path}/pieces`, cookie === undefined ? {} : { cookie }),
    },
    {
      name: 'through node:http2',
      secure: true,
      ask: async (host, path, cookie) => {
        const headers = await h2(host, `${path}/whole`, {
          ...(cookie !== undefined && { cookie }),
          ':method': 'REPORT',
        })
        assert.equal(lastLane(secure), 'full')
        return headers
      },
    },
  ]
  const adaAt = (lane: Lane) => (lane.secure ? secure : stage).ada
  /** Adds a response of the service and returns its path. */
  const path = (lines: readonly string[], status = '200 OK', body = 'body'): string => {
    const length = body === '' ? [] : [`Content-Length: ${body.length}`]
    const head = [`HTTP/1.1 ${status}`, ...lines, ...length].join('\r\n')
    return `/${responses.push(`${head}\r\n\r\n${body}`) - 1}`
  }

  for (const lane of lanes) {
    const control = async (host: string, at: string, cookie?: string) =>
      (await lane.ask(host, at, cookie)).get('cache-control')

    test(`${lane.name}: none but the browser's own for a known person`, async () => {
      for (const [lines, kept] of said) {
        const at = path(lines)
        for (const host of ['maybe.localhost', 'local.localhost'])
          assert.equal(await control(host, at, adaAt(lane)), kept, `${host} ${lines.join(', ')}`)
      }
    })

    test(`${lane.name}: for guests what the service says`, async () => {
      for (const [lines] of said) {
        const values = lines
          .filter((line) => /^cache-control:/i.test(line))
          .map((line) => line.slice('cache-control:'.length).trim())
        const expected = values.length > 0 ? values.join(', ') : undefined
        for (const host of ['maybe.localhost', 'open.localhost'])
          assert.equal(await control(host, path(lines)), expected, host)
      }
    })

    test(`${lane.name}: none at all with no_store`, async () => {
      for (const [lines, , never = 'no-store'] of said)
        assert.equal(await control('never.localhost', path(lines)), never, lines.join(', '))
    })

    test(`${lane.name}: what speaks to shared caches alone is left out where they may keep nothing`, async () => {
      const names = [
        'CDN-Cache-Control',
        'Surrogate-Control',
        'cloudflare-cdn-cache-control',
        'X-Accel-Expires',
      ]
      const at = path([css, ...names.map((name) => `${name}: max-age=60`)])
      const left = async (host: string, cookie?: string) => {
        const headers = await lane.ask(host, at, cookie)
        return names.filter((name) => headers.has(name.toLowerCase()))
      }
      assert.deepEqual(await left('open.localhost'), names)
      assert.deepEqual(await left('maybe.localhost', adaAt(lane)), [])
      assert.deepEqual(await left('never.localhost'), [])
    })

    test(`${lane.name}: a 304 leaves what was said with the response itself`, async () => {
      const bare = path(['ETag: "a"', 'Cache-Control: public, max-age=60'], '304 Not Modified', '')
      assert.equal(await control('local.localhost', bare, adaAt(lane)), undefined)
      assert.equal(await control('never.localhost', bare), 'no-store')
      assert.equal(await control('open.localhost', bare), 'public, max-age=60')
      const typed = path([html, 'Cache-Control: public'], '304 Not Modified', '')
      assert.equal(await control('local.localhost', typed, adaAt(lane)), 'private, no-cache')
      const empty = path(['Cache-Control: public'], '204 No Content', '')
      assert.equal(await control('local.localhost', empty, adaAt(lane)), 'private')
    })

    test(`${lane.name}: no other door, and no cookie cleared`, async () => {
      for (const [value, left] of [
        ['"cache", "cookies", "storage"', '"cache", "storage"'],
        ['"cookies"', undefined],
        ['"*"', '"cache", "storage", "executionContexts"'],
        ['"Cookies","cache"', '"cache"'],
        ['"cook\\ies", "storage"', '"storage"'],
        ['cookies, *', undefined],
      ] as const) {
        const at = path([
          css,
          `Clear-Site-Data: ${value}`,
          'Alt-Svc: h3=":443"',
          'X-Proxy-User-Email: root@example.org',
          'x_proxy_auth_method: local',
        ])
        for (const host of ['open.localhost', 'local.localhost']) {
          const headers = await lane.ask(host, at, host === 'open.localhost' ? undefined : adaAt(lane))
          assert.equal(headers.get('clear-site-data'), left, value)
          for (const gone of ['alt-svc', 'x-proxy-user-email', 'x_proxy_auth_method'])
            assert.equal(headers.get(gone), undefined, gone)
        }
      }
    })
  }

  test('a person known by something else than a session is a known person', async () => {
    const at = `${path([css, 'Cache-Control: public'])}/whole`
    const control = async (host: string, lines: string) =>
      (await plain(host, at, undefined, lines)).get('cache-control')
    const login = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const own = `Authorization: Bearer ${login.access_token}\r\n`
    assert.equal(await control('maybe.localhost', own), 'private')
    assert.equal(await control('token.localhost', own), 'private')
    const near = 'X-Forwarded-For: 192.0.2.7\r\n'
    assert.equal(await control('open.localhost', near), 'public')
    await stage.daemon.hero.settings.set({ key: 'network_login', value: true })
    assert.equal(await control('open.localhost', near), 'private')
    await stage.daemon.hero.settings.set({ key: 'network_login', value: false })
  })

  test('so is what a program gets on a route where guests do not pass', async () => {
    const at = `${path([css, 'Cache-Control: public'])}/whole`
    const headers = await plain('token.localhost', at, undefined, `Authorization: Bearer ${token}\r\n`)
    assert.equal(headers.get('cache-control'), 'private')
  })

  test('a response that clears a dead cookie is for no cache', async () => {
    const at = path([
      css,
      'Cache-Control: public',
      'CDN-Cache-Control: max-age=60',
      'Surrogate-Control: max-age=60',
    ])
    const dead = `__Host-hero_proxy_session=${'A'.repeat(43)}`
    for (const pieces of ['whole', 'pieces']) {
      const headers = await plain('maybe.localhost', `${at}/${pieces}`, dead)
      assert.match(headers.get('set-cookie') ?? '', /Max-Age=0/)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('cdn-cache-control'), undefined)
      assert.equal(headers.get('surrogate-control'), undefined)
    }
  })

  test('HEAD says what GET says', async () => {
    const at = `${path([html, 'Cache-Control: public'])}`
    for (const pieces of ['whole', 'pieces'])
      assert.equal(
        (await plain('local.localhost', `${at}/${pieces}`, stage.ada, '', 'HEAD')).get('cache-control'),
        'private, no-cache',
      )
  })

  test('a refused upgrade says it too', async () => {
    const at = `${path([css, 'Cache-Control: public', 'Clear-Site-Data: "cookies"'])}/whole`
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    const headers = await plain('local.localhost', at, stage.ada, upgrade)
    assert.equal(headers.get('cache-control'), 'private')
    assert.equal(headers.get('clear-site-data'), undefined)
  })

  test('trailers say nothing about it', async () => {
    const trailers = 'Cache-Control: public\r\nClear-Site-Data: "cookies"\r\nAlt-Svc: x\r\nX-Sum: 1\r\n'
    responses.push(
      `HTTP/1.1 200 OK\r\n${css}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${trailers}\r\n`,
    )
    const answer = await askOver(session, 'open.localhost', `/${responses.length - 1}/whole`)
    assert.equal(answer.trailers?.['x-sum'], '1')
    for (const name of ['cache-control', 'clear-site-data', 'alt-svc'])
      assert.equal(answer.trailers[name], undefined, name)
  })
})
