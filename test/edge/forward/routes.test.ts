import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ask } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('the route of a request', () => {
  let stage: Stage
  const upstreams: Upstream[] = []
  /** An upstream that responds with its name. */
  const named = async (name: string) => {
    const upstream = await startUpstream((_, response) => response.end(name))
    upstreams.push(upstream)
    return upstream.target
  }
  before(async () => {
    stage = await startStage()
  })
  after(async () => {
    await stage.close()
    for (const upstream of upstreams) await upstream.close()
  })
  const at = async (host: string, path = '/', ...headers: string[]) => {
    const { status, body } = await ask(stage.daemon, host, path, { headers })
    return status === 200 ? body : status
  }

  test('an exact host precedes a wildcard, which covers one label and no other domain', async () => {
    await stage.route({ domain: '*.wild.test', auth_mode: 'none', target: await named('wild') })
    await stage.route({
      domain: 'own.wild.test',
      auth_mode: 'none',
      path_prefix: '/in',
      target: await named('own'),
    })
    assert.equal(await at('a.wild.test'), 'wild')
    assert.equal(await at('A.Wild.TEST:9997'), 'wild')
    assert.equal(await at('own.wild.test', '/in'), 'own')
    assert.equal(
      await at('own.wild.test', '/out'),
      404,
      'a host with its own route never falls back to the wildcard',
    )
    for (const host of [
      'wild.test',
      'a.b.wild.test',
      'xwild.test',
      'wild.test.evil.test',
      'a.wild.test.evil',
      '127.0.0.1',
      'nobody',
    ]) {
      assert.equal(await at(host), 404, host)
      assert.equal(await at(host, '/auth/login'), 404, `${host} has no pages of ours either`)
    }
    for (const host of ['.wild.test', '*.wild.test', 'a..wild.test.', '-a .wild.test']) {
      const status = await at(host)
      assert.ok(status === 400 || status === 404, `${host}: ${status}`)
    }
  })

  test('the paths of a disabled route get 404 and fall back to no other route', async () => {
    await stage.route({ domain: '*.off.test', auth_mode: 'none', target: await named('wild') })
    await stage.route({ domain: 'x.off.test', auth_mode: 'none', target: await named('root') })
    await stage.route({ domain: 'x.off.test', auth_mode: 'local', path_prefix: '/inner', enabled: false })
    await stage.route({ domain: 'y.off.test', auth_mode: 'local', enabled: false })
    assert.deepEqual(
      [await at('x.off.test'), await at('x.off.test', '/inner/a'), await at('x.off.test', '/inner')],
      ['root', 404, 404],
    )
    assert.equal(await at('x.off.test', '/INNER'), 400)
    assert.equal(await at('y.off.test'), 404)
    assert.equal(await at('z.off.test'), 'wild')
  })

  test('the longest matching path prefix wins, by whole segments', async () => {
    const domain = 'prefix.localhost'
    for (const path_prefix of ['/', '/a', '/a/b', '/a/b/c/d', '/.hidden', '/A-z_0~1']) {
      await stage.route({ domain, path_prefix, auth_mode: 'none', target: await named(path_prefix) })
    }
    const expected: Record<string, string> = {
      '/': '/',
      '/x': '/',
      '/ab': '/',
      '/a': '/a',
      '/a/': '/a',
      '/a?x=/a/b': '/a',
      '/a/bc': '/a',
      '/a/b': '/a/b',
      '/a/b/': '/a/b',
      '/a/b/c': '/a/b',
      '/a/b/c/d': '/a/b/c/d',
      '/a/b/c/d/e/f/g': '/a/b/c/d',
      '/?/a/b': '/',
      '/x/a/b': '/',
      '/.hidden/x': '/.hidden',
      '/A-z_0~1/x': '/A-z_0~1',
      '/a/%20': '/a',
      '/x/%E2%82%AC': '/',
    }
    for (const [path, prefix] of Object.entries(expected)) assert.equal(await at(domain, path), prefix, path)
  })

  test('strip_prefix removes exactly the prefix and sends X-Forwarded-Prefix', async () => {
    await stage.route({
      domain: 'strip.localhost',
      path_prefix: '/app',
      strip_prefix: true,
      auth_mode: 'optional',
    })
    await stage.route({ domain: 'strip.localhost', path_prefix: '/raw', auth_mode: 'optional' })
    for (const [path, url] of [
      ['/app', '/'],
      ['/app/', '/'],
      ['/app/x?y', '/x?y'],
      ['/app?y=/app', '/?y=/app'],
      ['/app/app', '/app'],
      ['/app/%20', '/%20'],
    ] as const) {
      const { url: seen, rawHeaders } = got(
        await ask(stage.daemon, 'strip.localhost', path, { headers: ['X-Forwarded-Prefix', '/evil'] }),
      )
      assert.equal(seen, url, path)
      assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-prefix'), ['/app'])
    }
    const { url, rawHeaders } = got(await ask(stage.daemon, 'strip.localhost', '/raw/x'))
    assert.deepEqual([url, valuesOf(rawHeaders, 'x-forwarded-prefix')], ['/raw/x', []])
  })

  test('a path whose rest means something else without the prefix is ambiguous, also after a kept decision', async () => {
    await stage.route({
      domain: 'rest.localhost',
      path_prefix: '/open',
      strip_prefix: true,
      auth_mode: 'none',
    })
    const at = async (path: string, more: readonly string[] = []) =>
      (await ask(stage.daemon, 'rest.localhost', path, { headers: more })).status
    const ambiguous = [
      '//evil',
      '///evil',
      '//evil/x',
      '//',
      '//evil?x',
      '/%2fevil',
      '/%2F/evil',
      '/%5cevil',
      '/%255cevil',
      '/%252fevil',
      '/;x/evil',
      '/;/evil',
      '/%09/evil',
      '/%0a%2fevil',
      '/%c0%afevil',
      '/%ef%bc%8fevil',
      ';/../x',
      '/.hero_proxy',
      '/.hero_proxy/x',
      '/.hero_proxy/sign_in',
      '/.HERO_PROXY/x',
      '/%2ehero_proxy/x',
      '/.hero_proxy;a/x',
      '/.hero%5fproxy/me',
      '/.hero_proxy%2fme',
      '/.hero_proxy?x',
    ]
    for (const upgrade of [[], ['Connection', 'Upgrade', 'Upgrade', 'websocket']])
      for (const rest of ambiguous) {
        // The first one is decided anew, and its decision is kept.
        assert.equal(await at('/open/good'), 200)
        assert.equal(await at(`/open${rest}`, upgrade), 400, rest)
      }
    for (const rest of [
      '',
      '/',
      '/x//y',
      '/a;b/c',
      '/%20',
      '/x%2fy',
      '/.well-known/x',
      '/x/.hero_proxy/y',
      '/auth/forward',
      '/login',
      '?//evil',
    ])
      assert.equal(await at(`/open${rest}`), 200, rest)
    assert.ok(
      stage.upstream.seen.every(({ url }) => !/^\/[/\\]|hero_proxy/.test(url) || url.startsWith('/x/')),
    )
  })

  test('preserve_host decides whether Host is that of the client or of the target', async () => {
    await stage.route({ domain: 'kept.localhost', auth_mode: 'none' })
    await stage.route({ domain: 'dropped.localhost', auth_mode: 'none', preserve_host: false })
    const host = async (domain: string) =>
      valuesOf(got(await ask(stage.daemon, domain, '/')).rawHeaders, 'host')
    assert.deepEqual(await host('kept.localhost'), ['kept.localhost'])
    assert.deepEqual(await host('Kept.Localhost.:8080'), ['kept.localhost:8080'])
    assert.deepEqual(await host('dropped.localhost'), [new URL(stage.upstream.target).host])
  })

  test('a Unix socket can be an upstream', async () => {
    await using local = await startUpstream(undefined, join(stage.daemon.dir, 'u.sock'))
    await stage.route({ domain: 'unix.localhost', auth_mode: 'local', target: local.target })
    await stage.route({
      domain: 'unix2.localhost',
      auth_mode: 'none',
      target: local.target,
      preserve_host: false,
    })
    const answer = await ask(stage.daemon, 'unix.localhost', '/x', {
      headers: ['Cookie', stage.ada],
      method: 'POST',
      body: 'hi',
    })
    assert.deepEqual(valuesOf(got(answer).rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(got(await ask(stage.daemon, 'unix2.localhost', '/')).rawHeaders, 'host'), [
      'localhost',
    ])
  })

  test("own paths never reach a route, and similar paths get the route's protection (D15)", async () => {
    const prefixes = ['/', '/login', '/rpc', '/health', '/token', '/openrpc.json']
    for (const [domain, auth_mode] of [
      ['localhost', 'none'],
      ['own.localhost', 'none'],
      ['signs.localhost', 'optional'],
    ] as const)
      for (const path_prefix of prefixes)
        await stage.route({ domain, path_prefix, auth_mode, shares_home: domain === 'localhost' })
    const before = stage.upstream.seen.length
    const everywhere = [
      '/.hero_proxy',
      '/.hero_proxy/',
      '/.hero_proxy/sign_in',
      '/.hero_proxy/arrive?code=x',
      '/.hero_proxy/x/y',
      '/.HERO_PROXY/x',
      '/%2ehero_proxy/x',
      '/.hero%5fproxy/x',
      '//.hero_proxy/x',
      '/.hero_proxy;x/y',
      '/.hero_proxy%2fx',
      '/auth/forward',
      '/auth/forward/x',
    ]
    const atHome = [
      ...everywhere,
      '/login',
      '/logout',
      '/oauth/callback',
      '/oauth/callback/x',
      '/auth',
      '/auth/login',
      '/auth/x',
      '/auth/',
      '/rpc',
      '/openrpc.json',
      '/health',
      '/mcp',
      '/mcp/x',
      '/admin',
      '/admin/',
      '/.well-known/x',
      '/authorize',
      '/token',
      '/userinfo',
      '/auth/forward',
      '/auth/login?x',
      '/rpc?x=/..',
    ]
    const all = ['GET', 'POST', 'DELETE']
    for (const [domain, paths, methods] of [
      ['localhost', atHome, all],
      ['own.localhost', everywhere, all],
      ['signs.localhost', everywhere, all],
      ['signs.localhost', ['/login', '/logout', '/auth/login', '/auth/logout', '/auth/me'], ['GET', 'HEAD']],
    ] as const)
      for (const path of paths)
        for (const method of methods) {
          await ask(stage.daemon, domain, path, { method })
          assert.equal(stage.upstream.seen.length, before, `${method} ${domain}${path} reached a service`)
        }

    const inner = 'guarded.localhost'
    await stage.route({ domain: inner, auth_mode: 'local' })
    const similar = [
      '/LOGIN',
      '/Auth/login',
      '//login',
      '//auth/login',
      '/login%',
      '/login/',
      '/login;x',
      '/login/x',
      '/login%20',
      '/%6cogin',
      '/login/..;/',
      '/auth%2flogin',
      '/auth%5clogin',
      '/authx',
      '/rpc/',
      '/RPC',
      '/health/',
      '/health%00',
      '/.well-known',
      '/openrpc.json/',
      '/adminx',
    ]
    for (const path of similar) {
      for (const headers of [[], ['User-Agent', 'kube-probe/1.0'], ['X-Forwarded-Uri', '/health']]) {
        const { status } = await ask(stage.daemon, inner, path, { headers })
        assert.ok(status === 401 || status === 400, `${path}: ${status}`)
      }
    }
    assert.equal(stage.upstream.seen.length, before)
  })
})
