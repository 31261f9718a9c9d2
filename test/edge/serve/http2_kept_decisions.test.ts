import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'
import { ask } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { askOver, openSession, type H2Answer } from '../../support/http2.ts'
import { browser, times } from './http2_browser.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

const userOf = (answer: H2Answer): string => valuesOf(got(answer).rawHeaders, 'x-hero-user').join()

describe('kept decisions of an HTTP/2 connection', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let session: ClientHttp2Session
  before(async () => {
    const secured = tlsSettings(authority.issue('lanes.localhost'))
    stage = await startStage({ ...secured, trusted_proxies: '127.0.0.0/8' })
    await stage.route({ domain: 'lanes.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'other.localhost', auth_mode: 'local', required_claims: ['app.use'] })
  })
  after(async () => {
    await stage.close()
    authority[Symbol.dispose]()
  })

  /** What a service received, without what differs in each request. */
  const received = ({ body }: { readonly body: string }) => {
    const { method, url, rawHeaders } = got({ body })
    const list = rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
    const pairs = times(list.length / 2, (i) => `${list[i * 2]}: ${list[i * 2 + 1]}`)
    return [method, url, pairs.filter((pair) => !/^x-request-id:|^connection:/.test(pair)).toSorted()]
  }

  test('a service receives the same in every lane as over HTTP/1.1', async () => {
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
      // With another method, the request is read by way of node:http2 messages.
      const full = await askOver(session, 'lanes.localhost', '/', { ...whole, ':method': 'REPORT' })
      const [, ...there] = received(full)
      assert.deepEqual(there, expected.slice(1), `${name}, as messages`)
    }
    session.destroy()
  })

  test('each stream of a connection has the identity of its own cookies', async () => {
    session = await openSession(stage.daemon, 'lanes.localhost')
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        times(60, (i) => {
          const own = i % 2 ? stage.bob : stage.ada
          // Each cookie text is a key of its own: there are more keys than decisions a connection keeps.
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

  test('each host on the same connection is decided by its own rule', async () => {
    session = await openSession(stage.daemon, 'lanes.localhost')
    const [ada, bob] = [browser(0, stage.ada), browser(0, stage.bob)]
    const statuses: number[] = []
    for (const [headers, host] of [
      [bob, 'lanes.localhost'],
      [bob, 'lanes.localhost'],
      [bob, 'other.localhost'],
      [ada, 'other.localhost'],
      [bob, 'other.localhost'],
      [bob, 'nobody.localhost'],
      [bob, 'lanes.localhost'],
    ] as const)
      statuses.push((await askOver(session, host, '/', headers)).status)
    assert.deepEqual(statuses, [200, 200, 403, 200, 403, 421, 200])
    session.destroy()
  })

  test('a revoked permission is gone for the next stream of the same connection', async () => {
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
})
