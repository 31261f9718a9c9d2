import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { byHand } from '../../support/people.ts'
import { ask, askRaw } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

const navigation = ['Accept', 'text/html,application/xhtml+xml']
/** Where people sign in to the route of `local.localhost`. */
const wayIn = 'http://local.localhost:9997/.hero_proxy/sign_in'
const handshake = (host: string, headers = '', path = '/') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n${headers}\r\n`

describe('access by auth mode', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
    await stage.route({
      domain: 'claim.localhost',
      auth_mode: 'local',
      required_claims: ['app.*', 'other.x'],
    })
    await stage.route({ domain: 'maybe.localhost', auth_mode: 'optional', required_claims: ['app.use'] })
  })
  after(() => stage.close())
  const at = (host: string, headers: string[] = [], path = '/', method = 'GET') =>
    ask(stage.daemon, host, path, { headers, method })

  test('a browser without a session is redirected to the sign-in page, with the way back', async () => {
    const answer = await at('local.localhost', navigation, '/a/b?c=d&e=%2F')
    assert.equal(answer.status, 302)
    assert.equal(answer.headers.location, `${wayIn}?return_to=${encodeURIComponent('/a/b?c=d&e=%2F')}`)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const fetched = await at('local.localhost', ['Sec-Fetch-Mode', 'navigate'])
    assert.equal(fetched.status, 302)
  })

  test('a program without a session gets 401 as JSON, whatever it resembles', async () => {
    const programs = [
      [],
      ['Accept', '*/*'],
      ['Accept', 'application/json'],
      [...navigation, 'X-Requested-With', 'XMLHttpRequest'],
      [...navigation, 'Sec-Fetch-Mode', 'cors'],
      [...navigation, 'Upgrade', 'websocket'],
      ['User-Agent', 'kube-probe/1.30'],
    ]
    for (const headers of programs) {
      const answer = await at('local.localhost', headers)
      assert.equal(answer.status, 401, headers.join())
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(answer.headers['www-authenticate'], `HeroSession realm="hero_proxy", login="${wayIn}"`)
      const { title, ...members } = JSON.parse(answer.body) as Record<string, unknown>
      assert.equal(typeof title, 'string')
      assert.partialDeepStrictEqual(members, {
        type: 'about:blank',
        status: 401,
        code: 'unauthenticated',
        sign_in: wayIn,
      })
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'QUERY']) {
      assert.equal((await at('local.localhost', navigation, '/', method)).status, 401, method)
    }
    const head = await at('local.localhost', [], '/', 'HEAD')
    assert.deepEqual([head.status, head.body], [401, ''])
  })

  test('a WebSocket without a session gets 401 and reaches no upstream', async () => {
    const before = stage.upstream.seen.length
    for (const host of ['local.localhost', 'claim.localhost', 'maybe.localhost']) {
      assert.match(await askRaw(stage.daemon, handshake(host)), /^HTTP\/1\.1 401 [^]*unauthenticated/)
      assert.match(
        await askRaw(stage.daemon, handshake(host, `Cookie: ${stage.ada}x\r\n`)),
        /^HTTP\/1\.1 401 /,
      )
    }
    assert.match(
      await askRaw(stage.daemon, handshake('claim.localhost', `Cookie: ${stage.bob}\r\n`)),
      /^HTTP\/1\.1 403 /,
    )
    assert.match(
      await askRaw(stage.daemon, handshake('local.localhost', `Cookie: ${stage.ada}\r\n`, '/auth/me')),
      /^HTTP\/1\.1 404 /,
    )
    assert.match(
      await askRaw(stage.daemon, handshake('nobody.localhost', `Cookie: ${stage.ada}\r\n`)),
      /^HTTP\/1\.1 404 /,
    )
    assert.equal(stage.upstream.seen.length, before)
  })

  test('a missing claim gets 403, with a page for browsers and problem details for programs, never a redirect', async () => {
    const before = stage.upstream.seen.length
    for (const host of ['claim.localhost', 'maybe.localhost']) {
      const page = await at(host, [...navigation, 'Cookie', stage.bob])
      assert.equal(page.status, 403)
      assert.match(String(page.headers['content-type']), /^text\/html/)
      assert.match(page.body, /You are signed in as bob/)
      assert.doesNotMatch(page.body, /app\./)
      assert.equal(page.headers.location, undefined)
      const program = await at(host, ['Cookie', stage.bob])
      assert.equal(program.status, 403)
      assert.equal((JSON.parse(program.body) as { code: string }).code, 'claim_required')
    }
    assert.equal(stage.upstream.seen.length, before)
    for (const host of ['claim.localhost', 'maybe.localhost']) {
      const { rawHeaders } = got(await at(host, ['Cookie', stage.ada]))
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    }
  })

  test('a guest on an optional route with required_claims is asked to sign in', async () => {
    assert.equal((await at('maybe.localhost', navigation)).status, 302)
    assert.equal((await at('maybe.localhost')).status, 401)
  })

  test('invalid credentials authenticate nobody, cause no 500 and reach no upstream (D24)', async () => {
    const before = stage.upstream.seen.length
    const cookies = [
      '',
      ';',
      '=',
      '__Host-hero_proxy_session',
      '__Host-hero_proxy_session=',
      '__Host-hero_proxy_session=;',
      `__Host-hero_proxy_session=${'A'.repeat(8000)}`,
      `${stage.ada}x`,
      stage.ada.slice(0, -1),
      stage.ada.toUpperCase(),
      '__Host-hero_proxy_session=%41%00',
      '__Host-hero_proxy_session="x"',
      '\xff\xfe=\x80',
      `__Host-hero_proxy_session=${"' or 1=1--".padEnd(43)}`,
      '__proto__=x; constructor=y',
    ]
    const authorizations = [
      '',
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Basic',
      'bEaReR x',
      'Basic !!!',
      `Bearer ${'A'.repeat(8000)}`,
      'Bearer \xff',
      'Bearer null',
      `Bearer ${'A'.repeat(43)}`,
      '\t',
      'Negotiate x',
    ]
    for (const headers of [
      ...cookies.map((value) => ['Cookie', value]),
      ...authorizations.map((value) => ['Authorization', value]),
      ['Authorization', 'Bearer a', 'Authorization', 'Bearer b'],
      ['__proto__', 'x', 'constructor', 'y'],
    ]) {
      const answer = await at('local.localhost', headers)
      assert.equal(answer.status, 401, headers.join().slice(0, 80))
      assert.ok(!answer.body.includes('rawHeaders'))
      assert.equal((await at('enter.localhost', headers)).status, 200, headers.join().slice(0, 80))
      assert.ok(
        [200, 302].includes((await at('enter.localhost', [...headers, ...navigation], '/auth/login')).status),
      )
      const me = await at('enter.localhost', [...headers, ...navigation], '/auth/me')
      assert.equal(me.status, 302)
    }
    assert.ok(
      stage.upstream.seen
        .slice(before)
        .every(({ rawHeaders }) => valuesOf(rawHeaders, 'host')[0] === 'enter.localhost'),
    )
    assert.match(
      await askRaw(stage.daemon, 'GET / HTTP/1.1\r\nHost: local.localhost\r\nCookie: a=\0\r\n\r\n'),
      /^HTTP\/1\.1 400 /,
    )
    assert.match(
      await askRaw(
        stage.daemon,
        'GET / HTTP/1.1\r\nHost: local.localhost\r\nAuthorization: Bearer \0\r\n\r\n',
      ),
      /^HTTP\/1\.1 400 /,
    )
  })

  test('a route with an unknown auth mode is closed, and so are its paths', async () => {
    for (const auth_mode of ['basic', '', 'NONE', 'Bearer', 'bearer ', 'toString', '__proto__']) {
      const domain = `m${Math.random().toString(36).slice(2)}.localhost`
      await stage.route({ domain, auth_mode: 'optional' })
      const { id } = await stage.route({ domain, path_prefix: '/inner', auth_mode: 'local' })
      await byHand(stage.daemon, async (database) => {
        await database.query.updateTable('routes').set({ auth_mode }).where('id', '=', id).execute()
        database.changed('routes')
      })
      assert.equal((await at(domain)).status, 200)
      const before = stage.upstream.seen.length
      for (const path of ['/inner', '/inner/x', '/inner/?q']) {
        for (const headers of [[], ['Cookie', stage.ada], navigation]) {
          assert.equal((await at(domain, headers, path)).status, 404, `${auth_mode} ${path}`)
        }
      }
      assert.equal((await at(domain, [], '/%69nner')).status, 400)
      assert.match(
        await askRaw(stage.daemon, handshake(domain, `Cookie: ${stage.ada}\r\n`, '/inner')),
        /^HTTP\/1\.1 404 /,
      )
      assert.equal(stage.upstream.seen.length, before)
    }
  })

  test('required_claims written to the database close a route with auth_mode none', async () => {
    const { id } = await stage.route({ domain: 'odd.localhost', auth_mode: 'none' })
    await byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('routes')
        .set({ required_claims: '["app.use"]' })
        .where('id', '=', id)
        .execute()
      database.changed('routes')
    })
    assert.equal((await at('odd.localhost')).status, 401)
  })
})
