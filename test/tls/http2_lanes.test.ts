import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { got, startStage, type Stage } from '../edge/stage.ts'
import { ask } from '../helpers/http.ts'
import { valuesOf } from '../helpers/upstream.ts'
import { askOver, openSession, type H2Answer } from './h2.ts'
import { TestAuthority, tlsSettings } from './pem.ts'

/** What Firefox sends for a picture, each cookie in a field of its own; the query changes each time. */
const browser = (i: number, ...cookies: readonly string[]): OutgoingHttpHeaders => ({
  ':path': `/pictures/${i}.png?v=${i}`,
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  accept: 'image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-GB,en;q=0.7',
  'accept-encoding': 'gzip, deflate, br, zstd',
  referer: `https://lanes.localhost/${i}`,
  cookie: [...cookies],
  'sec-fetch-dest': 'image',
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-site': 'same-origin',
  te: 'trailers',
})

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

const userOf = (answer: H2Answer): string => valuesOf(got(answer).rawHeaders, 'x-hero-user').join()

describe(
  'which lane requests of HTTP/2 take',
  { skip: process.env.TEST_FAST_LANE === 'off' && 'the fast lane is off' },
  () => {
    const authority = new TestAuthority()
    let stage: Stage
    let session: ClientHttp2Session
    before(async () => {
      stage = await startStage({
        ...tlsSettings(authority.issue('lanes.localhost')),
        trusted_proxies: '127.0.0.0/8',
      })
      await stage.route({ domain: 'lanes.localhost', auth_mode: 'local' })
      await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
      await stage.route({ domain: 'other.localhost', auth_mode: 'local', required_claims: ['app.use'] })
    })
    after(async () => {
      await stage.close()
      authority[Symbol.dispose]()
    })

    type Asked = readonly [headers: OutgoingHttpHeaders, body?: string, host?: string]
    const askAll = async (asked: readonly Asked[]) => {
      const answers: H2Answer[] = []
      for (const [headers, body, host = 'lanes.localhost'] of asked)
        answers.push(await askOver(session, host, '/', headers, body))
      return answers
    }
    /** Asks one after another over a new connection and returns the lane that each took, once the caches are warm. */
    const lanes = async (...asked: readonly Asked[]): Promise<string[]> => {
      session = await openSession(stage.daemon, 'lanes.localhost')
      await askAll(asked)
      session.destroy()
      session = await openSession(stage.daemon, 'lanes.localhost')
      const from = stage.daemon.logged.length
      await askAll(asked)
      session.destroy()
      return stage.daemon.logged
        .slice(from)
        .filter(({ msg }) => msg === 'request')
        .map(({ lane }) => String(lane))
    }

    test('those of a browser pass by a kept decision from the second one on', async () => {
      const taken = await lanes(...times(30, (i): Asked => [browser(i, 'theme=dark', stage.ada)]))
      assert.deepEqual(taken, ['fast', ...times(29, () => 'kept')])
    })

    test('so do HEAD, and bodies of known length', async () => {
      const sized = (method: string): Asked => [
        { ...browser(1, stage.ada), ':method': method, 'content-length': '3' },
        'abc',
      ]
      const taken = await lanes(
        [browser(0, stage.ada)],
        [{ ...browser(1, stage.ada), ':method': 'HEAD' }],
        [{ ...browser(1, stage.ada), ':method': 'DELETE' }],
        ...['POST', 'PUT', 'PATCH', 'DELETE'].map(sized),
      )
      assert.deepEqual(taken, ['fast', ...times(6, () => 'kept')])
    })

    test('cookies are one header, however they were split', async () => {
      const taken = await lanes(
        [browser(0, 'a=1', stage.ada, 'b=2')],
        [browser(1, `a=1; ${stage.ada}`, 'b=2')],
        [browser(2, `a=1; ${stage.ada}; b=2`)],
        [browser(3, 'b=2', stage.ada, 'a=1')],
      )
      assert.deepEqual(taken, ['fast', 'kept', 'kept', 'fast'])
    })

    test('what decides beside cookies is decided about each time', async () => {
      const token = { ...browser(0, stage.ada), authorization: 'Bearer nobody' }
      const via = { ...browser(0, stage.ada), via: '1.1 other' }
      for (const headers of [token, via])
        assert.deepEqual(await lanes([headers], [headers], [headers]), ['fast', 'fast', 'fast'])
    })

    test('what is more than a head and a body of known length goes through messages of node:http2', async () => {
      const usual = browser(0, stage.ada)
      const odd: readonly Asked[] = [
        [{ ...usual, expect: '100-continue', 'content-length': '3' }, 'abc'],
        [usual, 'a body whose length is not told'],
        [{ ...usual, ':method': 'GET', 'content-length': '3' }, 'abc'],
        [{ ...usual, 'content-length': '0' }, ''],
        [{ ...usual, ':method': 'REPORT' }],
        [{ ...usual, host: 'other.localhost' }],
        [Object.fromEntries(times(150, (i) => [`x-${i}`, 'v']))],
      ]
      for (const [i, one] of odd.entries()) assert.deepEqual(await lanes(one), ['full'], String(i))
    })

    test('a page of ours is judged again where it is shown', async () => {
      const page = { ...browser(0, stage.ada), ':path': '/auth/me' }
      assert.deepEqual(await lanes([page]), ['fast', 'full'])
    })

    /** What a service received, without what differs each time. */
    const received = ({ body }: { readonly body: string }) => {
      const { method, url, rawHeaders } = got({ body })
      const list = rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
      const pairs = times(list.length / 2, (i) => `${list[i * 2]}: ${list[i * 2 + 1]}`)
      return [method, url, pairs.filter((pair) => !/^x-request-id:|^connection:/.test(pair)).toSorted()]
    }

    test('a service receives the same by every lane as over HTTP/1.1', async () => {
      session = await openSession(stage.daemon, 'lanes.localhost')
      const cookie = `theme=dark; ${stage.ada}; n=1`
      const kinds: Record<string, readonly string[]> = {
        usual: ['accept', 'text/html', 'x-own', '1', 'x-own', '2'],
        'identity of the client': [
          'x-hero-user',
          'root',
          'x_hero_claims',
          'admin',
          'x-proxy-user-email',
          'a@b',
        ],
        'a trusted proxy': [
          'x-forwarded-for',
          '192.0.2.7',
          'x-forwarded-proto',
          'https',
          'x-request-id',
          'given',
        ],
        'an origin': ['origin', 'https://foreign.example'],
        'a method override': ['x-http-method-override', 'DELETE'],
      }
      for (const [name, list] of Object.entries(kinds)) {
        const fields: Record<string, string[]> = {}
        for (let i = 0; i < list.length; i += 2) (fields[list[i]!] ??= []).push(list[i + 1]!)
        const { ':path': path = '/', ...rest }: OutgoingHttpHeaders = { ...fields, ':path': '/a?b' }
        const plain = await ask(stage.daemon, 'lanes.localhost', String(path), {
          headers: ['Cookie', cookie, ...list],
        })
        const expected = received(plain)
        const whole = { ...rest, ':path': path, cookie: cookie.split('; ') }
        for (let i = 0; i < 3; i++)
          assert.deepEqual(
            received(await askOver(session, 'lanes.localhost', '/', whole)),
            expected,
            `${name}, ${i}`,
          )
        // Of another method it is read as messages of node:http2.
        const full = await askOver(session, 'lanes.localhost', '/', { ...whole, ':method': 'REPORT' })
        const [, ...there] = received(full)
        assert.deepEqual(there, expected.slice(1), `${name}, as messages`)
      }
      session.destroy()
    })

    test('of two people on one connection each is who the cookies of the stream say', async () => {
      session = await openSession(stage.daemon, 'lanes.localhost')
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(
          times(60, (i) => {
            const own = i % 2 ? stage.bob : stage.ada
            // Each cookie text is a key of its own: more of them than a connection keeps decisions for.
            return askOver(session, 'lanes.localhost', '/', browser(i, `n=${i % 20}`, own))
          }),
        )
        assert.deepEqual(
          answers.map(userOf),
          times(60, (i) => (i % 2 ? 'bob' : 'ada')),
        )
      }
      const both = await askOver(session, 'lanes.localhost', '/', browser(0, stage.ada, stage.bob))
      assert.equal(both.status, 401)
      session.destroy()
    })

    test('another host of the same connection is decided about by its own rule', async () => {
      session = await openSession(stage.daemon, 'lanes.localhost')
      const [ada, bob] = [browser(0, stage.ada), browser(0, stage.bob)]
      const answers = await askAll([
        [bob],
        [bob],
        [bob, undefined, 'other.localhost'],
        [ada, undefined, 'other.localhost'],
        [bob, undefined, 'other.localhost'],
        [bob, undefined, 'nobody.localhost'],
        [bob],
      ])
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 403, 200, 403, 404, 200],
      )
      session.destroy()
    })

    test('a right that ends is gone for the very next stream of a connection', async () => {
      const { hero } = stage.daemon
      session = await openSession(stage.daemon, 'lanes.localhost')
      const status = async (host = 'lanes.localhost') =>
        (await askOver(session, host, '/', browser(0, 'a=1', stage.bob))).status
      assert.deepEqual([await status(), await status()], [200, 200])
      await hero.groups.add_member({ group: 'team', user: 'bob' })
      assert.deepEqual([await status('other.localhost'), await status('other.localhost')], [200, 200])
      await hero.groups.remove_member({ group: 'team', user: 'bob' })
      assert.equal(await status('other.localhost'), 403)
      assert.deepEqual([await status(), await status()], [200, 200])
      await hero.sessions.revoke_all({ user: 'bob' })
      assert.equal(await status(), 401)
      session.destroy()
    })
  },
)

/** Each of these files is about what HTTP/2 requests and responses become. */
const suites = ['http2_answers', 'http2_bodies', 'http2_limits', 'http2_requests']

test('with the fast lane off, messages of node:http2 pass the same suite', async (t) => {
  if (process.env.TEST_FAST_LANE === 'off') return t.skip('it is off')
  const files = suites.map((name) => join(import.meta.dirname, `${name}.test.ts`))
  const env: NodeJS.ProcessEnv = { ...process.env, TEST_FAST_LANE: 'off' }
  // The runner marks its children by this; a runner inside one needs to be its own.
  delete env.NODE_TEST_CONTEXT
  const runner = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files], { env })
  let output = ''
  runner.stdout.on('data', (text) => (output += String(text)))
  const [code] = await once(runner, 'exit')
  assert.equal(code, 0, output.slice(-4000))
  assert.match(output, /pass [5-9]\d/)
})
