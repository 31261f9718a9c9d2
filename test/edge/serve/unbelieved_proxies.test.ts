import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestDaemon } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'

const navigation = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate']
const viaTls = [...navigation, 'X-Forwarded-Proto', 'https', 'X-Forwarded-For', '192.0.2.1']

const warnings = (logged: readonly Record<string, unknown>[]) =>
  logged.filter(({ code }) => code === 'proxy_not_trusted').map(({ peer, msg }) => [peer, msg])

test('behind a TLS proxy that is not trusted, page and log name the cause; the log once', async () => {
  await using daemon = await startTestDaemon({
    public_url: 'https://id.example.org',
    trusted_proxies: '10.0.0.1',
  })
  for (let i = 0; i < 3; i++) {
    const page = await ask(daemon, 'id.example.org', '/auth/login', { headers: viaTls })
    assert.equal(page.status, 403)
    assert.match(page.body, /proxy_not_trusted/)
    assert.match(page.body, /docs\/operating\/behind-a-proxy\.md/)
    assert.doesNotMatch(page.body, /insecure_cookies|127\.0\.0\.1/)
    assert.equal(page.headers['set-cookie'], undefined)
  }
  assert.deepEqual(warnings(daemon.logged), [
    [
      '127.0.0.1',
      'public_url is https, the request came in plain, and X-Forwarded-Proto from 127.0.0.1 was not believed: list it in trusted_proxies',
    ],
  ])
  const plain = await ask(daemon, 'id.example.org', '/auth/login', { headers: navigation })
  assert.match(plain.body, /HTTPS is required/)
})

test('nothing is said where the header counts, or public_url is not https', async () => {
  for (const settings of [
    { public_url: 'https://id.example.org', trusted_proxies: '127.0.0.1' },
    { public_url: 'http://id.example.org' },
  ] as Record<string, string>[]) {
    await using daemon = await startTestDaemon(settings)
    const { body } = await ask(daemon, 'id.example.org', '/auth/login', { headers: viaTls })
    assert.doesNotMatch(body, /proxy_not_trusted/)
    assert.deepEqual(warnings(daemon.logged), [])
    // A believed proxy that says http speaks of the real thing.
    const said = await ask(daemon, 'id.example.org', '/auth/login', {
      headers: [...navigation, 'X-Forwarded-Proto', 'http'],
    })
    assert.match(said.body, /HTTPS is required/)
  }
})
