import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { startUpstream, valuesOf } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('cookies and tokens in forwarded requests (D09, D10, D23)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'app.localhost', auth_mode: 'optional' })
    await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
    await stage.route({ domain: 'inner.localhost', auth_mode: 'local' })
  })
  after(() => stage.close())

  const forwarded = async (host: string, ...headers: string[]) =>
    got(await ask(stage.daemon, host, '/', { headers })).rawHeaders

  for (const host of ['app.localhost', 'open.localhost', 'inner.localhost']) {
    test(`${host}: the session cookie is removed, and other cookies are unchanged`, async () => {
      const before = ['Cookie', `theme=dark; ${stage.ada}; quoted="a b"; empty=; odd==x; =nameless`]
      const after = ['theme=dark; quoted="a b"; empty=; odd==x; =nameless']
      if (host !== 'inner.localhost') {
        assert.deepEqual(valuesOf(await forwarded(host, ...before), 'cookie'), after)
      }
      const alone = host === 'inner.localhost' ? ['Cookie', stage.ada] : ['Cookie', `${stage.ada};`]
      assert.deepEqual(valuesOf(await forwarded(host, ...alone), 'cookie'), [])
    })
  }

  test('a Cookie header without the session cookie is forwarded byte for byte', async () => {
    const odd = 'a=1;b=2;  c="x;y"; $Version=1; d'
    assert.deepEqual(valuesOf(await forwarded('app.localhost', 'Cookie', odd), 'cookie'), [odd])
  })

  test('cookies whose names lenient parsers fold to the session cookie are removed', async () => {
    const value = stage.ada.split('=')[1]!
    const twins = [
      '__host-hero_proxy_session',
      '__HOST-HERO_PROXY_SESSION',
      'hero_proxy_session',
      '\xa0__Host-hero_proxy_session',
      ' =__Host-hero_proxy_session',
      '__Host-hero.proxy.session',
      '__Secure-hero_proxy_session',
      '\t__Host-hero_proxy_form',
    ]
    for (const name of twins) {
      const answer = await ask(stage.daemon, 'app.localhost', '/', {
        headers: ['Cookie', `a=1; ${name}=${value}; b=2`],
      })
      const { rawHeaders } = got(answer)
      assert.deepEqual(valuesOf(rawHeaders, 'cookie'), ['a=1; b=2'], name)
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), [], `${name} authenticates nobody`)
    }
  })

  test('a cookie name that only resembles the session cookie does not open a protected route', async () => {
    const value = stage.ada.split('=')[1]!
    const lenientNames = [
      '\xa0__Host-hero_proxy_session',
      '\x85__Host-hero_proxy_session',
      '__host-hero_proxy_session',
      'hero_proxy_session',
      '"__Host-hero_proxy_session"',
      '$__Host-hero_proxy_session',
    ]
    for (const name of lenientNames) {
      const { status } = await ask(stage.daemon, 'inner.localhost', '/', {
        headers: ['Cookie', `${name}=${value}`],
      })
      assert.equal(status, 401, JSON.stringify(name))
    }
    for (const cookie of [
      `=${stage.ada}`,
      `x; =${stage.ada}`,
      stage.ada.replace('=', ''),
      stage.ada.replace('=', '=='),
    ]) {
      assert.equal(
        (await ask(stage.daemon, 'inner.localhost', '/', { headers: ['Cookie', cookie] })).status,
        401,
        cookie,
      )
    }
  })

  test('two session cookies authenticate nobody, in one header or in two', async () => {
    const { ada, bob } = stage
    for (const headers of [
      ['Cookie', `${ada}; ${ada}`],
      ['Cookie', `${bob}; ${ada}`],
      ['Cookie', ada, 'Cookie', bob],
      ['Cookie', `${ada}; __Host-hero_proxy_session=`],
    ]) {
      assert.equal((await ask(stage.daemon, 'inner.localhost', '/', { headers })).status, 401)
      const rawHeaders = await forwarded('app.localhost', ...headers)
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), [])
      assert.deepEqual(valuesOf(rawHeaders, 'cookie'), [])
    }
  })

  test('an access token is removed, and another Authorization header is forwarded', async () => {
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const bearer = `Bearer ${access_token}`
    const rawHeaders = await forwarded('app.localhost', 'Authorization', bearer, 'Cookie', stage.bob)
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-auth-method'), ['bearer'])
    assert.deepEqual(valuesOf(rawHeaders, 'authorization'), [])
    const spaced = await forwarded('app.localhost', 'Authorization', `bEARER   ${access_token}`)
    assert.deepEqual(valuesOf(spaced, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(spaced, 'authorization'), [])
    for (const other of ['Basic YTpi', 'Bearer of-somebody-else', `Digest ${access_token}`]) {
      const passed = await forwarded('app.localhost', 'Authorization', other)
      assert.deepEqual(valuesOf(passed, 'authorization'), [other])
      assert.deepEqual(valuesOf(passed, 'x-hero-user'), [])
    }
    assert.equal(
      (await ask(stage.daemon, 'inner.localhost', '/', { headers: ['Authorization', bearer] })).status,
      401,
    )
    const asCookie = `__Host-hero_proxy_session=${access_token}`
    assert.equal(
      (await ask(stage.daemon, 'inner.localhost', '/', { headers: ['Cookie', asCookie] })).status,
      401,
      'a token is not accepted as a cookie',
    )
    const asToken = ['Authorization', `Bearer ${stage.ada.split('=')[1]}`]
    assert.deepEqual(
      valuesOf(await forwarded('app.localhost', ...asToken), 'x-hero-user'),
      [],
      'a cookie is not accepted as a token',
    )
    for (const other of [bearer, 'Bearer x'])
      for (const host of ['app.localhost', 'open.localhost']) {
        const twice = await forwarded(host, 'Authorization', bearer, 'Authorization', other)
        assert.deepEqual(valuesOf(twice, 'x-hero-user'), [])
        assert.deepEqual(
          valuesOf(twice, 'authorization'),
          [],
          'neither of two Authorization headers is forwarded',
        )
      }
  })

  test('an upstream can set no hero_proxy cookie and no identity header', async () => {
    await using hostile = await startUpstream((_, response) => {
      response.writeHead(200, [
        'Set-Cookie',
        '__Host-hero_proxy_session=evil; Path=/; Secure',
        'Set-Cookie',
        'hero_proxy_session=evil',
        'SET-COOKIE',
        '  __HOST-hero_proxy_form=evil',
        'Set-Cookie',
        '=hero_proxy_session=evil',
        'Set-Cookie',
        ' = __Host-hero_proxy_session=evil',
        'Set-Cookie',
        'app=kept; Path=/',
        'X-Hero-User',
        'evil',
        'x_hero_claims',
        'evil',
        'X-Kept',
        'yes',
        'Connection',
        'X-Hop',
        'X-Hop',
        'evil',
        'Trailer',
        'X-Hero-User',
        'Transfer-Encoding',
        'chunked',
      ])
      response.addTrailers([
        ['X-Hero-User', 'evil'],
        ['Set-Cookie', 'hero_proxy_session=evil'],
        ['X-Sum', '1'],
      ])
      response.end('body')
    })
    await stage.route({ domain: 'evil.localhost', auth_mode: 'optional', target: hostile.target })
    const answer = await ask(stage.daemon, 'evil.localhost', '/')
    assert.deepEqual(answer.headers['set-cookie'], ['app=kept; Path=/'])
    assert.equal(answer.headers['x-kept'], 'yes')
    assert.ok(!answer.rawHeaders.join().includes('evil'), answer.rawHeaders.join())
  })

  test('an invalid session cookie is cleared on optional routes and never forwarded', async () => {
    const invalid = `__Host-hero_proxy_session=${'A'.repeat(43)}`
    const answer = await ask(stage.daemon, 'app.localhost', '/', { headers: ['Cookie', `${invalid}; a=1`] })
    assert.deepEqual(valuesOf(got(answer).rawHeaders, 'cookie'), ['a=1'])
    assert.match(answer.headers['set-cookie']!.join(), /^__Host-hero_proxy_session=; .*Max-Age=0; Secure$/)
    assert.equal(
      answer.headers['cache-control'],
      'no-store',
      'otherwise a shared cache would sign everybody out',
    )
  })
})
