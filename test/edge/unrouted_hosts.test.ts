import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { ask, askRaw } from '../support/http.ts'

const browser = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate']

describe('a host without a route', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ public_url: 'http://localhost:9997', trusted_proxies: '10.9.9.9' })
    // The widest route there can be.
    await stage.route({ domain: '*.test', auth_mode: 'none' })
    await stage.route({ domain: 'test', auth_mode: 'none' })
  })
  after(() => stage.close())

  const raw = (head: string) => askRaw(stage.daemon, `${head}\r\n\r\n`)
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)
  const probes = ['/health', '/livez', '/readyz']

  test('answers probes by address, by an unknown name and without a name', async () => {
    for (const path of probes) {
      for (const host of ['127.0.0.1', '127.0.0.1:9997', '[::1]:9997', 'nobody', 'a.b.test']) {
        const { status, headers, body } = await ask(stage.daemon, host, path)
        assert.deepEqual([status, body], [200, '{"status":"ok"}'], `${host}${path}`)
        assert.equal(headers['cache-control'], 'no-store')
      }
      const answer = await raw(`GET ${path} HTTP/1.0`)
      assert.equal(statusOf(answer), 200, answer)
      assert.match(answer, /{"status":"ok"}$/)
    }
  })

  test('HTTP/1.0 without Host matches no route, and gets nothing else', async () => {
    const before = stage.upstream.seen.length
    for (const path of ['/', '/auth/login', '/login', '/rpc', '/health/', '/healthx', '/auth/forward']) {
      for (const method of ['GET', 'POST', 'HEAD']) {
        const status = statusOf(await raw(`${method} ${path} HTTP/1.0`))
        assert.ok(path === '/auth/forward' ? status >= 400 : status === 404, `${method} ${path}: ${status}`)
      }
    }
    const upgrade = await raw('GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket')
    assert.ok([0, 400, 404].includes(statusOf(upgrade)), upgrade)
    assert.equal(stage.upstream.seen.length, before)
  })

  test('exactly one Host stays required in HTTP/1.1, and no empty one passes in either', async () => {
    const before = stage.upstream.seen.length
    for (const path of ['/', ...probes])
      for (const head of [
        'HTTP/1.1',
        'HTTP/1.1\r\nHost:',
        'HTTP/1.1\r\nHost: test\r\nHost: test',
        'HTTP/1.1\r\nHost: test\r\nHost: nobody',
        'HTTP/1.0\r\nHost:',
        'HTTP/1.0\r\nHost: test\r\nHost: test',
      ])
        assert.equal(statusOf(await raw(`GET ${path} ${head}`)), 400, `${path} ${head}`)
    assert.equal(stage.upstream.seen.length, before)
  })

  test('shows a page that loads nothing and whose style its policy allows', async () => {
    const { status, headers, body } = await ask(stage.daemon, '127.0.0.1', '/wiki', { headers: browser })
    assert.equal(status, 404)
    const [, style] = /<style>([^]*)<\/style>/.exec(body)!
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; /)
    assert.ok(policy.includes(`style-src 'sha256-${hash('sha256', style!, 'base64')}';`), policy)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(body, /<svg|<link|<script|src=|url\(/)
    assert.equal(headers['set-cookie'], undefined)
    const german = await ask(stage.daemon, '127.0.0.1', '/', {
      headers: [...browser, 'Accept-Language', 'de'],
    })
    assert.match(german.body, /lang="de"/)
    assert.match(german.body, /Seite nicht gefunden/)
    const program = await ask(stage.daemon, '127.0.0.1', '/')
    assert.equal(program.headers['content-type'], 'application/problem+json')
    const form = await ask(stage.daemon, '127.0.0.1', '/health', {
      method: 'POST',
      headers: ['Accept', 'text/html'],
    })
    assert.deepEqual([form.status, /<svg|<link/.test(form.body)], [405, false])
  })

  test('says where home is to a local client, and to nobody else', async () => {
    const home = '<a href="http://localhost:9997">'
    const page = (host: string, ...headers: string[]) =>
      ask(stage.daemon, host, '/', { headers: [...browser, ...headers] })
    assert.ok((await page('127.0.0.1')).body.includes(home))
    assert.ok((await page('nobody')).body.includes(home))
    for (const name of ['X-Forwarded-For', 'X-Forwarded-Proto', 'X_Real_IP', 'Forwarded', 'Via', 'CF-Ray']) {
      const { status, body } = await page('127.0.0.1', name, '1.2.3.4')
      assert.equal(status, 404)
      assert.doesNotMatch(body, /localhost|9997/, name)
    }
    assert.doesNotMatch((await ask(stage.daemon, '127.0.0.1', '/')).body, /localhost|9997/)
  })
})
