import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { testWithLaneOff } from '../../support/lane_off.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'
import { askOver, openSession } from '../../support/http2.ts'
import { browser, times } from './http2_browser.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

describe(
  'the lane of HTTP/2 requests',
  { skip: process.env.TEST_FAST_LANE === 'off' && 'the fast lane is off' },
  () => {
    const authority = new TestAuthority()
    let stage: Stage
    let session: ClientHttp2Session
    before(async () => {
      stage = await startStage(tlsSettings(authority.issue('lanes.localhost')))
      await stage.route({ domain: 'lanes.localhost', auth_mode: 'local' })
    })
    after(async () => {
      await stage.close()
      authority[Symbol.dispose]()
    })

    type Asked = readonly [headers: OutgoingHttpHeaders, body?: string]
    const askAll = async (asked: readonly Asked[]) => {
      for (const [headers, body] of asked) await askOver(session, 'lanes.localhost', '/', headers, body)
    }
    /** Sends the requests in turn over a new connection and returns the lane of each. */
    const taken = async (...asked: readonly Asked[]): Promise<string[]> => {
      session = await openSession(stage.daemon, 'lanes.localhost')
      const from = stage.daemon.logged.length
      await askAll(asked)
      session.destroy()
      return stage.daemon.logged
        .slice(from)
        .filter(({ msg }) => msg === 'request')
        .map(({ lane }) => String(lane))
    }
    /** The same with warm caches: the first round reads what is known of each user, the second decides from memory. */
    const lanes = async (...asked: readonly Asked[]): Promise<string[]> => {
      await taken(...asked)
      await taken(...asked)
      return taken(...asked)
    }

    test('requests of a browser pass by a kept decision', async () => {
      const all = await lanes(...times(30, (i): Asked => [browser(i, 'theme=dark', stage.ada)]))
      assert.deepEqual(
        all,
        times(30, () => 'kept'),
      )
    })

    test('HEAD and bodies of known length pass by a kept decision', async () => {
      const sized = (method: string): Asked => [
        { ...browser(1, stage.ada), ':method': method, 'content-length': '3' },
        'abc',
      ]
      const all = await lanes(
        [browser(0, stage.ada)],
        [{ ...browser(1, stage.ada), ':method': 'HEAD' }],
        [{ ...browser(1, stage.ada), ':method': 'DELETE' }],
        ...['POST', 'PUT', 'PATCH', 'DELETE'].map(sized),
      )
      assert.deepEqual(
        all,
        times(7, () => 'kept'),
      )
    })

    test('cookies count as one header, however the client split them', async () => {
      await lanes([browser(0, 'a=1', stage.ada, 'b=2')])
      const others = await taken(
        [browser(1, `a=1; ${stage.ada}`, 'b=2')],
        [browser(2, `a=1; ${stage.ada}; b=2`)],
        [browser(3, 'b=2', stage.ada, 'a=1')],
      )
      assert.deepEqual(others, ['kept', 'kept', 'fast'])
    })

    test('a request whose other headers affect the decision is decided each time', async () => {
      const token = { ...browser(0, stage.ada), authorization: 'Bearer nobody' }
      const via = { ...browser(0, stage.ada), via: '1.1 other' }
      for (const headers of [token, via])
        assert.deepEqual(await lanes([headers], [headers], [headers]), ['fast', 'fast', 'fast'])
    })

    test('a request that is more than a head and a body of known length goes through node:http2 messages', async () => {
      const usual = browser(0, stage.ada)
      const odd: readonly Asked[] = [
        [{ ...usual, expect: '100-continue', 'content-length': '3' }, 'abc'],
        [usual, 'a body of unknown length'],
        [{ ...usual, ':method': 'GET', 'content-length': '3' }, 'abc'],
        [{ ...usual, 'content-length': '0' }, ''],
        [{ ...usual, ':method': 'REPORT' }],
        [{ ...usual, host: 'other.localhost' }],
        [Object.fromEntries(times(150, (i) => [`x-${i}`, 'v']))],
      ]
      for (const [i, one] of odd.entries()) assert.deepEqual(await lanes(one), ['full'], String(i))
    })

    test('a request for an own page is authenticated again where the page is shown', async () => {
      const page = { ...browser(0, stage.ada), ':path': '/auth/me' }
      assert.deepEqual(await lanes([page]), ['fast', 'full'])
    })
  },
)

describe('with the fast lane off', () => {
  const authority = new TestAuthority()
  const sessions: ClientHttp2Session[] = []
  let on: Stage
  let off: Stage
  before(async () => {
    const settings = tlsSettings(authority.issue('lanes.localhost'))
    ;[on, off] = await Promise.all([startStage(settings), startStage({ ...settings, fast_lane: 'off' })])
    for (const { daemon, route } of [on, off]) {
      await route({ domain: 'lanes.localhost', auth_mode: 'local' })
      sessions.push(await openSession(daemon, 'lanes.localhost'))
    }
  })
  after(async () => {
    for (const session of sessions) session.destroy()
    await Promise.all([on.close(), off.close()])
    authority[Symbol.dispose]()
  })

  const receive = async (stage: Stage, make: (cookie: string) => OutgoingHttpHeaders, body?: string) => {
    const session = sessions[stage === on ? 0 : 1]!
    const answer = await askOver(session, 'lanes.localhost', '/', make(stage.ada), body)
    const { status, headers, code } = answer
    const { 'content-length': _, date, ...stable } = headers
    assert.ok(date !== undefined)
    const { method, url, rawHeaders } = status === 200 && answer.body !== '' ? got(answer) : {}
    if (rawHeaders === undefined) return [status, stable, code, answer.body]
    const unlike = /^(x-request-id|via)$/i
    return [stable, method, url, rawHeaders.filter((_, i) => !unlike.test(rawHeaders[i - (i % 2)]!))]
  }

  test('every request goes through node:http2 messages', async () => {
    const from = off.daemon.logged.length
    for (let i = 0; i < 3; i++) await receive(off, (cookie) => browser(i, cookie))
    const taken = off.daemon.logged.slice(from).filter(({ msg }) => msg === 'request')
    assert.deepEqual(
      taken.map(({ lane }) => lane),
      ['full', 'full', 'full'],
    )
  })

  const requests: Record<string, readonly [more: OutgoingHttpHeaders, body?: string]> = {
    usual: [{}],
    HEAD: [{ ':method': 'HEAD' }],
    POST: [{ ':method': 'POST', 'content-length': '3' }, 'abc'],
    'a body of unknown length': [{ ':method': 'POST' }, 'abc'],
    'an invalid token': [{ authorization: 'Bearer nobody' }],
    'no cookie': [{ cookie: [] }],
    'identity headers': [{ 'x-hero-user': 'root', x_hero_claims: 'admin', 'x-real-ip': '1.2.3.4' }],
    'a foreign origin': [{ ':method': 'POST', origin: 'https://foreign.example' }, 'abc'],
    'another host': [{ host: 'other.localhost' }],
    'a dot segment': [{ ':path': '/a/%2e%2e/b' }],
    'an own page': [{ ':path': '/.hero_proxy/me' }],
    'an own path without a page': [{ ':path': '/.hero_proxy/nothing' }],
    'a path that is ours at home only': [{ ':path': '/auth/nothing' }],
    'Content_Length with an underscore': [
      { ':method': 'POST', 'content-length': '3', content_length: '0' },
      'abc',
    ],
  }
  for (const [name, [more, body]] of Object.entries(requests))
    test(`the response and the forwarded request are the same: ${name}`, async () => {
      const make = (cookie: string) => ({ ...browser(0, cookie), ...more })
      for (let i = 0; i < 2; i++)
        assert.deepEqual(await receive(off, make, body), await receive(on, make, body))
    })
})

/** Each of these files tests the contents of HTTP/2 requests and responses. */
testWithLaneOff(import.meta.dirname, ['http2_answers', 'http2_bodies', 'http2_limits', 'http2_requests'], 50)
