import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { ask, askRaw } from '../support/http.ts'
import { valuesOf } from '../support/upstream.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'

const host = 'optional.localhost'

onSqliteFirst('users known by their network', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ database_url: newUrl(), trusted_proxies: '127.0.0.1' })
    const { hero } = stage.daemon
    await stage.route({ domain: host, auth_mode: 'optional' })
    await stage.route({ domain: 'claim.localhost', auth_mode: 'optional', required_claims: ['app.use'] })
    for (const username of ['wide', 'narrow', 'single', 'six'])
      await hero.users.add({ username, email: `${username}@example.org` })
    const networks = {
      wide: '10.0.0.0/8',
      narrow: '10.1.0.0/16',
      single: '10.1.2.3',
      six: 'fd00:7::/64',
      ada: '192.0.2.0/24',
    }
    for (const [user, network] of Object.entries(networks)) await hero.users.networks.add({ user, network })
  })
  after(() => stage.close())

  const from = (address: string) => ['X-Forwarded-For', address]
  const known = async (address: string, headers: string[] = []): Promise<string | undefined> => {
    const { rawHeaders } = got(
      await ask(stage.daemon, host, '/', { headers: [...from(address), ...headers] }),
    )
    const user = valuesOf(rawHeaders, 'x-hero-user')[0]
    const method = valuesOf(rawHeaders, 'x-proxy-auth-method')[0]
    assert.equal(method, user === undefined ? 'none' : 'network', address)
    return user
  }
  const on = (value: boolean) => stage.daemon.hero.settings.set({ key: 'network_login', value })

  test('network_login takes effect with the next request', async () => {
    assert.equal(await known('10.1.2.3'), undefined)
    await on(true)
    assert.equal(await known('10.1.2.3'), 'single')
    await on(false)
    assert.equal(await known('10.1.2.3'), undefined)
    await on(true)
  })

  test('the longest matching prefix decides, in both families and in any notation', async () => {
    const expected: [string, string | undefined][] = [
      ['10.1.2.3', 'single'],
      ['10.1.2.2', 'narrow'],
      ['10.1.255.255', 'narrow'],
      ['10.2.0.0', 'wide'],
      ['10.255.255.255', 'wide'],
      ['11.0.0.0', undefined],
      ['9.255.255.255', undefined],
      ['::ffff:10.1.2.3', 'single'],
      ['::ffff:a01:203', 'single'],
      ['fd00:7::1', 'six'],
      ['FD00:0007:0:0:ffff::', 'six'],
      ['fd00:7:0:1::', undefined],
      ['::10.1.2.3', undefined],
      ['192.0.2.77', 'ada'],
      ['garbage', undefined],
      ['10.1.2.3.4', undefined],
      ['fd00:7::1%eth0', undefined],
    ]
    for (const round of [1, 2])
      for (const [address, user] of expected) assert.equal(await known(address), user, `${address} ${round}`)
  })

  test('an address stated in front of a trusted proxy does not count (D08)', async () => {
    assert.equal(await known('10.1.2.3, 203.0.113.9'), undefined)
    assert.equal(
      await known('203.0.113.9', ['X-Real-IP', '10.1.2.3', 'Forwarded', 'for=10.1.2.3']),
      undefined,
    )
  })

  test('an address that nobody can read identifies nobody, least of all the owner of the network of the proxy', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'operator', email: 'operator@example.org' })
    await hero.users.networks.add({ user: 'operator', network: '127.0.0.0/8' })
    const by = async (headers: readonly string[]) =>
      valuesOf(got(await ask(stage.daemon, host, '/', { headers })).rawHeaders, 'x-hero-user')[0]
    assert.equal(await by([]), 'operator', 'a proxy that forwards nothing speaks for itself')
    const unreadable = [
      'junk',
      'unknown',
      '_hidden',
      '',
      ' ',
      ',',
      '"10.1.2.3"',
      'for=10.1.2.3',
      '10.1.2.3/32',
      '10.1.2.3, junk',
      '10.1.2.3, unknown',
      '10.1.2.3,',
      '10.1.2.3, ,',
      '10.1.2.3, 127.0.0.9, x, 127.0.0.1',
      'fe80::1%eth0',
      'fd00:7::1%1',
      '[fd00:7::1%1]:443',
      '127.0.0.1%lo',
      '[fd00:7::1',
      'fd00:7::1]:443',
      '10.1.2.3:',
      '10.1.2.3:x',
      '10.1.2.3:65536',
      '10.1.2.3:4711:1',
      '10.1.2.3:-1',
      '[10.1.2.3]:80',
      '[fd00:7::1]:',
      '010.1.2.3',
      '10.1.2',
      '0x0a010203',
      '167838211',
      '10.1.2.3 10.1.2.3',
      ':4711',
      '[]:80',
      'localhost',
    ]
    for (const list of unreadable) assert.equal(await by(from(list)), undefined, list)
    assert.equal(await by([...from('10.1.2.3'), ...from('junk')]), undefined, 'two lines form one list')
    for (const [name, value] of [
      ['X-Real-IP', '10.1.2.3'],
      ['Forwarded', 'for=10.1.2.3'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', host],
      ['Via', '1.1 proxy'],
    ] as const)
      assert.equal(await by([name, value]), undefined, `${name} without X-Forwarded-For`)
    const readable: [string, string | undefined][] = [
      ['10.1.2.3:4711', 'single'],
      ['junk, 10.1.2.3:4711', 'single'],
      ['10.1.2.3:1, 127.0.0.1:2', 'single'],
      ['[fd00:7::1]:443', 'six'],
      ['[::ffff:10.1.2.3]:80', 'single'],
      ['fd00:7::1:443', 'six'],
      ['fd00:7::1.2.3.4', 'six'],
      ['2001:db8:1:2::1.2.3.4', undefined],
      ['127.0.0.7', 'operator'],
    ]
    for (const [list, user] of readable) assert.equal(await known(list), user, list)
    await hero.users.update({ username: 'operator', is_active: false })
  })

  test('a change applies to the next request', async () => {
    const { hero } = stage.daemon
    await hero.users.update({ username: 'single', is_active: false })
    assert.equal(
      await known('10.1.2.3'),
      undefined,
      'the address does not fall to the owner of a wider network',
    )
    await hero.users.update({ username: 'single', is_active: true })
    assert.equal(await known('10.1.2.3'), 'single')
    const { items } = await hero.users.networks.list({ user: 'single' })
    await hero.users.networks.remove({ user: 'single', id: items[0]!.id })
    assert.equal(await known('10.1.2.3'), 'narrow')
    await hero.users.networks.add({ user: 'single', network: '10.1.2.3' })
    assert.equal(await known('10.1.2.3'), 'single')
  })

  test('required claims apply too: 403 without them, never a redirect', async () => {
    const at = (address: string, more: string[] = []) =>
      ask(stage.daemon, 'claim.localhost', '/', { headers: [...from(address), ...more] })
    assert.equal((await at('192.0.2.77')).status, 200)
    const page = await at('10.1.2.3', ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'])
    assert.deepEqual([page.status, page.headers.location], [403, undefined])
    assert.match(page.body, /href="http:\/\/claim\.localhost:9997\/\.hero_proxy\/sign_in"/)
    assert.equal((await at('203.0.113.9')).status, 401)
  })

  test('a cross-site request does not use the network', async () => {
    const foreign = ['Origin', 'http://evil.test']
    assert.equal(await known('10.1.2.3', foreign), undefined)
    assert.equal(await known('10.1.2.3', ['Origin', 'null']), undefined)
    assert.equal(await known('10.1.2.3', ['Origin', `http://${host}`]), 'single')
    await askRaw(
      stage.daemon,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 10.1.2.3\r\nOrigin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    )
    assert.deepEqual(valuesOf(stage.upstream.seen.at(-1)!.rawHeaders, 'x-hero-user'), [])
  })

  test('auth.me reports the network on the page and at /rpc, where it grants nothing', async () => {
    const me = async (headers: string[]) =>
      ask(stage.daemon, 'localhost', '/auth/me', { headers: [...from('10.1.2.3'), ...headers] })
    const reported = JSON.parse((await me([])).body) as Record<string, unknown>
    assert.deepEqual([reported.user, reported.provider, reported.kind], ['single', 'network', 'user'])
    const page = await me(['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'])
    assert.match(page.body, /We know your network\. You are not signed in\./)
    assert.doesNotMatch(page.body, /Sign out/)
    assert.equal(
      (await ask(stage.daemon, 'localhost', '/auth/me', { headers: from('203.0.113.9') })).status,
      401,
    )
    const session = JSON.parse((await me(['Cookie', stage.bob])).body) as Record<string, unknown>
    assert.deepEqual([session.user, session.provider], ['bob', 'password'])

    const call = async (method: string, params: object, headers: string[] = []) => {
      const answer = await ask(stage.daemon, 'localhost', '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', ...from('192.0.2.77'), ...headers],
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      })
      return JSON.parse(answer.body) as {
        result?: { user: string; provider: string }
        error?: { data: { code: string } }
      }
    }
    const { result } = await call('auth.me', {})
    assert.deepEqual([result!.user, result!.provider], ['ada', 'network'])
    assert.ok((await call('auth.me', {}, ['Origin', 'http://evil.test'])).error)
    for (const [method, params] of [
      ['users.get', { username: 'ada' }],
      ['users.update', { username: 'ada', display_name: 'x' }],
      ['sessions.list', {}],
      ['sessions.list', { user: 'ada' }],
      ['sessions.revoke_all', {}],
      ['auth.logout', {}],
      ['auth.set_password', { password: 'velvet-harbor-93-comet' }],
      ['auth.stop_impersonating', {}],
      ['claims.resolve', { user: 'ada' }],
    ] as const) {
      const { error } = await call(method, params)
      assert.equal(error?.data.code, 'unauthenticated', method)
    }
  })
})
