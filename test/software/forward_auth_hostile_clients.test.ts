import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { paths } from '../edge/hostile_paths.ts'
import { folded, got } from '../support/edge_stage.ts'
import { ask, askRaw } from '../support/http.ts'
import { startUpstream } from '../support/upstream.ts'
import { kinds, missing, startFront } from './front.ts'
import { startFrontStage, type FrontStage } from './front_stage.ts'

/** Headers by which a client might pretend to be a user. */
const forged = [
  'X-Hero-User x-hero-user X_Hero_User X-Hero_User x_hero-user X.Hero.User X-Hero-Context X-Hero-Claims',
  'X_HERO_CLAIMS X-Hero-Impersonator X-Hero-Assertion X-Proxy-User-Email X_Proxy_User_Email',
  'X-Proxy-User-Pubkey X-Proxy-Provider-Token X-Proxy-Auth-Method',
].flatMap((names) => names.split(' ').flatMap((name) => [name, 'forged']))

/** Headers by which a client might have another request decided. */
const otherRequest = Object.entries({
  'X-Forwarded-Uri': '/open',
  'X-Original-URI': '/open',
  'X-Rewrite-URL': '/open',
  X_Forwarded_Uri: '/open',
  'X-Original-URL': 'http://wiki.localhost/open',
  'X-Forwarded-Host': 'other.localhost',
  'X-Forwarded-Method': 'OPTIONS',
  'X-Original-Method': 'OPTIONS',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-For': '10.9.9.9',
  Forwarded: 'for=10.9.9.9;host=other.localhost',
  'X-Real-IP': '10.9.9.9',
}).flat()

for (const kind of kinds) {
  describe(`${kind} against hostile clients`, { skip: missing(kind) }, () => {
    let all: FrontStage
    before(async () => {
      all = await startFrontStage(kind)
    })
    after(() => all[Symbol.asyncDispose]())

    test('identity headers of a client never arrive, in any spelling (D01 to D05)', async () => {
      const { stage, at } = all
      for (const [path, cookie, user] of [
        ['/open', 'a=b', undefined],
        ['/open', stage.ada, ['ada']],
        ['/page', stage.bob, ['bob']],
      ] as const) {
        for (const more of [
          [],
          forged,
          ['Connection', 'close, X-Hero-User, X-Hero-Claims, X-Forwarded-For'],
        ]) {
          const answer = await at(path, [...forged, 'Cookie', cookie, ...more])
          assert.equal(answer.status, 200, answer.body)
          const { rawHeaders } = got(answer)
          assert.doesNotMatch(rawHeaders.join('\n'), /forged/)
          const headers = folded(rawHeaders)
          assert.deepEqual(headers.get('X_HERO_USER'), user as string[] | undefined)
          assert.equal(headers.has('X_HERO_CLAIMS'), user !== undefined)
          assert.deepEqual(headers.get('COOKIE'), user ? undefined : ['a=b'])
          assert.equal(headers.get('X_FORWARDED_FOR')?.length, 1)
          assert.doesNotMatch(headers.get('CONNECTION')?.join() ?? '', /hero|forwarded/i)
        }
      }
    })

    test("headers of a client about the request's target and origin change nothing (D08)", async () => {
      const { stage, at, reached } = all
      const count = await reached(async () => {
        for (let i = 0; i < otherRequest.length; i += 2)
          assert.equal((await at('/page', otherRequest.slice(i, i + 2))).status, 401, otherRequest[i])
        assert.equal((await at('/page', otherRequest)).status, 401)
        for (const from of ['/page', '/team']) {
          const listed = [
            'Connection',
            'close, X-Forwarded-Uri, X-Forwarded-Host, X-Forwarded-Method, Cookie',
          ]
          assert.notEqual((await at(from, [...otherRequest, ...listed])).status, 200)
        }
      })
      assert.equal(count, 0)
      const answer = await at('/page', [...otherRequest, 'Cookie', stage.ada])
      assert.equal(answer.status, 200)
      assert.doesNotMatch(got(answer).rawHeaders.join('\n'), /10\.9\.9\.9|other\.localhost|\/open/)
    })

    test('a client cannot reach the forward-auth endpoint through the front proxy', async () => {
      const { stage, at } = all
      for (const path of [
        '/auth/forward',
        '/auth/forward?redirect=off',
        '/auth/forward/page',
        '/auth//forward',
        '/auth/%66orward',
        '/hero_auth',
      ]) {
        const answer = await at(path, [...otherRequest, 'Cookie', stage.ada])
        if (answer.status === 200) assert.equal(got(answer).url, path, 'a page of the service')
        assert.doesNotMatch(answer.rawHeaders.join('\n'), /x-hero-|x-proxy-/i)
      }
    })

    test('no path and no request form reaches the service by another rule (D11, D13)', async () => {
      const { stage, front, service } = all
      const head = `Host: ${front.host}\r\nConnection: close\r\n\r\n`
      const before = service.seen.length
      for (const path of paths) {
        await askRaw(front, `GET ${path.replaceAll('desk', 'page')} HTTP/1.1\r\n${head}`, 1000)
        await askRaw(front, `GET /open${path.replaceAll('desk', 'page')} HTTP/1.1\r\n${head}`, 1000)
      }
      for (const [authority, host] of [
        [front.host, 'paths.localhost'],
        ['paths.localhost', front.host],
        [front.host, front.host],
      ])
        await askRaw(
          front,
          `GET http://${authority}/${authority === host ? 'open' : 'page'} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
          1000,
        )
      const seen = service.seen.slice(before)
      assert.ok(seen.length > 0)
      for (const { url } of seen) {
        // A guest may request the same of the daemon directly: 502 is its target, where nothing listens.
        const direct = await askRaw(
          stage.daemon,
          `GET ${url} HTTP/1.1\r\nHost: wiki.localhost\r\nConnection: close\r\n\r\n`,
        )
        assert.match(direct, /^HTTP\/1\.1 502 /, url)
      }
    })

    // auth_request of nginx checks only the status.
    if (kind !== 'nginx')
      test('a 200 from another server lets no request pass', async () => {
        const { servicePort, reached } = all
        await using other = await startUpstream((_, response) => response.end('welcome'))
        const hero = Number(new URL(other.target).port)
        await using wrong = await startFront(kind, { hero, service: servicePort })
        const count = await reached(async () => {
          const answer = await ask(wrong, wrong.host, '/open')
          assert.ok([502, 503].includes(answer.status), `${answer.status}`)
        })
        assert.equal(count, 0)
      })

    test('no request passes while the daemon is unreachable', async () => {
      const { stage, servicePort, reached } = all
      await using alone = await startFront(kind, { hero: 9, service: servicePort })
      const count = await reached(async () => {
        const answer = await ask(alone, alone.host, '/open', { headers: ['Cookie', stage.ada] })
        assert.ok([500, 502, 503].includes(answer.status), `${answer.status}`)
      })
      assert.equal(count, 0)
    })
  })
}
