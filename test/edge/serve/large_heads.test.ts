import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../../support/free_port.ts'
import { browserMissing, onComplaint, startBrowser } from '../../support/browser.ts'
import { ask, askRaw } from '../../support/http.ts'
import { askOver } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

const limit = 16_384
const readable = 128 * 1024
const host = 'a.localhost'

/** A service that reads larger heads than node:http does by itself. */
const startService = async () => {
  const seen: string[] = []
  const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    seen.push(request.url!)
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A Cookie header of about so many bytes. */
const cookies = (bytes: number, count = 60): string =>
  Array.from({ length: count }, (_, i) => `c${i}=${'x'.repeat(Math.floor(bytes / count) - 6)}`).join('; ')

const page = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document']

/** A request whose head has exactly so many bytes. */
const exact = (bytes: number, path = '/'): string => {
  const text = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nX: \r\n\r\n`
  return text.replace('X: ', `X: ${'x'.repeat(bytes - text.length)}`)
}

const lanes: Readonly<Record<string, Record<string, string>>> = {
  'the fast lane': {},
  'node:http': { fast_lane: 'off' },
}

for (const [lane, settings] of Object.entries(lanes))
  describe(`large heads, by ${lane}`, () => {
    let stage: Stage
    let service: Awaited<ReturnType<typeof startService>>
    before(async () => {
      stage = await startStage(settings)
      service = await startService()
      await stage.route({ domain: host, auth_mode: 'none', target: service.target })
    })
    after(async () => {
      await service[Symbol.asyncDispose]()
      await stage.close()
    })
    const seen = () => service.seen.splice(0).length

    test('heads are forwarded up to the setting, refused up to 128 KiB, and beyond that the connection ends', async () => {
      for (const [bytes, status] of [
        [limit - 1, 200],
        [limit, 200],
        [limit + 1, 431],
        [60_000, 431],
        [70_000, 431],
        [readable - 1000, 431],
      ] as const) {
        const answer = await askRaw(stage.daemon, exact(bytes), 2000)
        assert.equal(answer.slice(9, 12), String(status), String(bytes))
        if (status === 431) assert.match(answer, /"code":"head_too_large"/)
        assert.equal(seen(), status === 200 ? 1 : 0, String(bytes))
      }
      for (const bytes of [readable + 2000, 200_000, 1_000_000]) {
        const answer = await askRaw(stage.daemon, exact(bytes), 2000)
        assert.match(answer, /^HTTP\/1\.1 431 [^]*Connection: close\r\n[^]*clear the cookies/)
      }
      assert.equal(seen(), 0)
    })

    test('the page names cookies and says how many; its buttons clear ours, or all', async () => {
      const mine = 'hero_proxy_flow_abc=1; __Host-hero_proxy_way=x'
      const shown = await ask(stage.daemon, host, '/some/page?q=1', {
        headers: [...page, 'Cookie', `${cookies(20_000)}; ${mine}`],
      })
      assert.deepEqual([shown.status, shown.headers['content-type']], [431, 'text/html; charset=utf-8'])
      assert.match(shown.body, /Too many cookies[^]* 62 cookies [^]*16384 bytes/)
      assert.match(shown.body, /action="\/\.hero_proxy\/cookies"[^]*value="\/some\/page\?q=1"/)
      assert.doesNotMatch(shown.body, /<link|src=/, 'it loads nothing')
      const press = async (which: string, more: readonly string[], method = 'POST') => {
        const body = `which=${which}&path=%2Fsome%2Fpage%3Fq%3D1&names=deep+hero_proxy_deep`
        const headers = ['Host', host, 'Cookie', `${cookies(100_000)}; ${mine}`, 'Connection', 'close']
        headers.push(
          'Content-Type',
          'application/x-www-form-urlencoded',
          'Content-Length',
          String(body.length),
        )
        headers.push(...more)
        const lines = headers.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
        const text = await askRaw(
          stage.daemon,
          `${method} /.hero_proxy/cookies HTTP/1.1\r\n${lines}\r\n${body}`,
          2000,
        )
        const cleared = [...text.matchAll(/\r\nset-cookie: ([^=]*)=; [^\r]*Max-Age=0/gi)].map(
          ([, name]) => name!,
        )
        return {
          status: Number(text.slice(9, 12)),
          location: /\r\nlocation: ([^\r]*)/i.exec(text)?.[1],
          cleared: new Set(cleared),
        }
      }
      const own = ['Origin', `http://${host}`]
      for (const foreign of [
        [],
        ['Origin', 'http://evil.test'],
        ['Origin', 'null'],
        ['Origin', 'http://localhost'],
        [...own, 'Sec-Fetch-Site', 'same-site'],
        [...own, 'Sec-Fetch-Site', 'cross-site'],
        ['Sec-Fetch-Site', 'none'],
      ]) {
        const refused = await press('all', foreign)
        assert.deepEqual([refused.status, refused.cleared.size], [403, 0], foreign.join())
      }
      const ours = await press('ours', own)
      assert.deepEqual([ours.status, ours.location], [303, 'http://a.localhost:9997/some/page?q=1'])
      assert.deepEqual(
        ours.cleared,
        new Set(['hero_proxy_flow_abc', '__Host-hero_proxy_way', 'hero_proxy_deep']),
      )
      const all = await press('all', ['Sec-Fetch-Site', 'same-origin'])
      assert.equal(all.cleared.size, 60 + 2 + 2)
      assert.equal((await press('ours', own, 'GET')).status, 405)
      assert.equal(seen(), 0, 'nothing reaches the service')
    })

    test('at home the session ends with its cookie, and everything that it opened', async () => {
      const { daemon, bob } = stage
      await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
      const at = async (name: string) =>
        (await ask(daemon, name, '/auth/me', { headers: ['Cookie', bob] })).status
      assert.equal(await at('localhost'), 200)
      assert.equal((await ask(daemon, 'local.localhost', '/', { headers: ['Cookie', bob] })).status, 200)
      const form = {
        method: 'POST',
        headers: ['Cookie', bob, 'Content-Type', 'application/x-www-form-urlencoded'],
        body: 'which=ours&path=//evil.test',
      }
      assert.equal((await ask(daemon, 'localhost', '/.hero_proxy/cookies', form)).status, 403)
      assert.equal(await at('localhost'), 200)
      form.headers.push('Origin', 'http://localhost')
      const pressed = await ask(daemon, 'localhost', '/.hero_proxy/cookies', form)
      assert.deepEqual([pressed.status, pressed.headers.location], [303, 'http://localhost:9997/'])
      assert.equal(await at('localhost'), 401)
      assert.equal((await ask(daemon, 'local.localhost', '/', { headers: ['Cookie', bob] })).status, 401)
    })

    test('without cookies the page does not blame them; unknown hosts get no button; upgrades and own paths count', async () => {
      const long = ['X', 'x'.repeat(20_000)]
      const plain = await ask(stage.daemon, host, '/', { headers: [...page, ...long] })
      assert.equal(plain.status, 431)
      assert.doesNotMatch(plain.body, /cookie/i)
      const unknown = await ask(stage.daemon, 'unknown.test', '/', {
        headers: [...page, 'Cookie', cookies(20_000)],
      })
      assert.equal(unknown.status, 431)
      assert.doesNotMatch(unknown.body, /<form/)
      for (const path of [
        '/auth/login',
        '/auth/forward',
        '/rpc',
        '/health',
        '/.hero_proxy/style.css',
        '/.hero_proxy/cookies/x',
      ])
        assert.equal((await ask(stage.daemon, 'localhost', path, { headers: long })).status, 431, path)
      const upgrade = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: ${long[1]}\r\n\r\n`
      assert.match(await askRaw(stage.daemon, upgrade, 2000), /^HTTP\/1\.1 431 /)
      assert.equal(seen(), 0)
    })
  })

describe('large heads over HTTP/2 and with another limit', () => {
  const authority = new TestAuthority()
  after(() => authority[Symbol.dispose]())

  test('HTTP/2 has the same limit; beyond 128 KiB it resets the stream', async () => {
    await using stage = await startStage(tlsSettings(authority.issue(host)))
    await using service = await startService()
    await stage.route({ domain: host, auth_mode: 'none', target: service.target })
    const session = connect(`https://127.0.0.1:${stage.daemon.edge.port}`, {
      servername: host,
      maxSendHeaderBlockLength: 1024 * 1024,
      rejectUnauthorized: false,
    })
    const at = (headers: Record<string, string | string[]>) => askOver(session, host, '/', headers)
    const crumbs = (bytes: number, count = 180) => cookies(bytes, count).split('; ')
    assert.equal((await at({ cookie: crumbs(14_000) })).status, 200)
    const shown = await at({ cookie: crumbs(40_000), accept: 'text/html', 'sec-fetch-mode': 'navigate' })
    assert.equal(shown.status, 431)
    assert.match(shown.body, /Too many cookies[^]* 180 cookies /)
    assert.equal((await at({ x: 'x'.repeat(16_000) })).status, 200)
    assert.equal((await at({ x: 'x'.repeat(16_384) })).status, 431)
    assert.equal((await at({ cookie: crumbs(125_000) })).status, 431)
    const reset = await at({ cookie: crumbs(135_000) })
    assert.deepEqual([reset.status, reset.code > 0], [0, true])
    assert.equal((await at({ x: 'y' })).status, 200, 'the connection goes on')
    assert.equal(service.seen.length, 3)
    session.destroy()
  })

  test('max_head_bytes raises the limit of both lanes', async () => {
    for (const more of Object.values(lanes)) {
      await using stage = await startStage({ max_head_bytes: '100000', ...more })
      await using service = await startService()
      await stage.route({ domain: host, auth_mode: 'none', target: service.target })
      for (const bytes of [40_000, 99_999, 100_000])
        assert.match(await askRaw(stage.daemon, exact(bytes), 3000), /^HTTP\/1\.1 200 /, String(bytes))
      assert.match(await askRaw(stage.daemon, exact(100_001), 3000), /^HTTP\/1\.1 431 /)
    }
  })
})

describe('a browser with too many cookies', { skip: browserMissing() }, () => {
  test('sees the page, presses a button, and comes in', async () => {
    const port = await freePort()
    await using stage = await startStage({
      listen: `127.0.0.1:${port}`,
      public_url: `http://localhost:${port}`,
    })
    await stage.route({ domain: host, auth_mode: 'none' })
    const browser = await startBrowser()
    try {
      for (const [name, path, title, which] of [
        ['localhost', '/auth/login', /Sign in/, 'ours'],
        [host, '/deep/page', undefined, 'all'],
      ] as const) {
        const context = await browser.newContext()
        const url = `http://${name}:${port}/`
        const prefix = which === 'ours' ? 'hero_proxy_flow_' : 'app'
        await context.addCookies(
          Array.from({ length: 180 }, (_, i) => ({ name: `${prefix}${i}`, value: 'x'.repeat(150), url })),
        )
        const tab = await context.newPage()
        const complaints: string[] = []
        onComplaint(tab, (text) => complaints.push(text))
        assert.equal((await tab.goto(url + path.slice(1)))!.status(), 431)
        assert.match(await tab.textContent('h1').then(String), /Too many cookies/)
        assert.match(await tab.textContent('main').then(String), /180 cookies/)
        const [answer] = await Promise.all([tab.waitForNavigation(), tab.click(`button[value=${which}]`)])
        assert.deepEqual([answer!.status(), tab.url()], [200, url + path.slice(1)])
        if (title) assert.match(await tab.title(), title)
        const left = (await context.cookies()).filter((cookie) => cookie.name.startsWith(prefix))
        assert.deepEqual([left.length, complaints], [0, []])
        await context.close()
      }
    } finally {
      await browser.close()
    }
  })
})
