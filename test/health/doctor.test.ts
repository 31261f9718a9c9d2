import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'

const target = 'http://127.0.0.1:9'

describe('the checks of an installation', () => {
  const levels = async (settings: Record<string, string>, domains: readonly string[] = []) => {
    await using daemon = await startTestDaemon(settings)
    for (const domain of domains)
      await daemon.hero.proxy.routes.add({
        shares_home: domain === 'localhost',
        domain,
        target,
        auth_mode: 'none',
        enabled: !domain.startsWith('off.'),
      })
    const { checks } = await daemon.hero.doctor.checks()
    for (const { level, advice, text } of checks) assert.equal(advice === null, level === 'ok', text)
    return Object.fromEntries(checks.map(({ check, level }) => [check, level]))
  }
  const fine = {
    ready: 'ok',
    home_resolves: 'ok',
    home_name: 'ok',
    home_secure: 'ok',
    routes_at_home: 'ok',
    previous_names: 'ok',
    clients: 'ok',
    ask_groups: 'ok',
    first_factor: 'ok',
    registrations: 'ok',
    another_device: 'ok',
    forward_auth: 'ok',
  }

  test('a plain installation is well', async () => {
    assert.deepEqual(
      await levels({ public_url: 'http://localhost:9997' }, ['wiki.localhost', 'off.localhost']),
      fine,
    )
  })

  test('what is wrong with names, routes and proxies', async () => {
    assert.deepEqual(await levels({ public_url: 'https://no.such.invalid' }), {
      ...fine,
      home_resolves: 'fail',
      another_device: 'warn',
    })
    assert.deepEqual(await levels({ public_url: 'https://no.such.invalid', trusted_proxies: '10.0.0.1' }), {
      ...fine,
      home_resolves: 'fail',
      forward_auth: 'warn',
    })
    assert.deepEqual(await levels({ public_url: 'http://127.0.0.1:9997' }), { ...fine, home_name: 'warn' })
    const shared = { ...fine, home_name: 'warn', routes_at_home: 'warn' }
    assert.deepEqual(await levels({ public_url: 'http://localhost:9997' }, ['localhost']), shared)
    assert.deepEqual(await levels({ public_url: 'http://id.localhost:9997' }, ['*.localhost']), {
      ...fine,
      home_resolves: (await levels({ public_url: 'http://id.localhost:9997' })).home_resolves,
    })
    assert.deepEqual(await levels({ trusted_proxies: '10.0.0.1' }), { ...fine, forward_auth: 'warn' })
    assert.deepEqual(await levels({ trusted_proxies: '10.0.0.1', forward_auth_from: '10.0.0.1' }), fine)
  })

  test('plain HTTP to another machine', async () => {
    const secured = async (public_url: string) => (await levels({ public_url })).home_secure
    for (const url of ['http://id.example.org', 'http://192.0.2.7:9997', 'http://localhost.example.org'])
      assert.equal(await secured(url), 'warn', url)
    for (const url of [
      'https://id.example.org',
      'http://localhost:9997',
      'http://id.localhost',
      'http://[::1]:9997',
    ])
      assert.equal(await secured(url), 'ok', url)
  })

  test('the start logs what is not well', async () => {
    await using daemon = await startTestDaemon({
      public_url: 'http://127.0.0.1:9997',
      trusted_proxies: '10.0.0.1',
    })
    await daemon.hero.doctor.checks()
    for (let i = 0; i < 100 && !daemon.logged.some(({ check }) => check === 'forward_auth'); i++)
      await new Promise((resolve) => setTimeout(resolve, 50))
    const warned = daemon.logged.filter(({ check }) => check !== undefined)
    assert.deepEqual(
      warned.map(({ check, finding }) => [check, finding]),
      [
        ['home_name', 'warn'],
        ['forward_auth', 'warn'],
      ],
    )
  })
})

test('with listen alone, public_url follows it and the set-up link opens as printed', async () => {
  const port = await (async () => {
    await using free = await startTestDaemon()
    return free.edge.port
  })()
  await using daemon = await startTestDaemon({ listen: `127.0.0.1:${port}` })
  const link = new URL(daemon.setupLink!)
  assert.equal(link.origin, `http://localhost:${port}`)
  const page = await ask(daemon, link.host, link.pathname + link.search, { headers: ['Accept', 'text/html'] })
  assert.equal(page.status, 200)
  assert.match(page.body, /<form/)
})
