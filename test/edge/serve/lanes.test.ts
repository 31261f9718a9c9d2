import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { KeptClient } from './kept_client.ts'
import { testWithLaneOff } from '../../support/lane_off.ts'
import { comparable, requests, routeKept } from './lane_requests.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

/** What Chromium sends for an image; the request id changes each time. */
const browser = (cookie: string, i: number, { method = 'GET', more = '', body = '' } = {}) =>
  `${method} /pictures/${i}.png?v=${i} HTTP/1.1\r\nHost: lanes.localhost\r\nConnection: keep-alive\r\n` +
  `sec-ch-ua: "Chromium";v="156"\r\nsec-ch-ua-mobile: ?0\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n` +
  `Accept: image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nReferer: http://lanes.localhost/${i}\r\n` +
  `Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n${more}Cookie: ${cookie}\r\n\r\n${body}`

describe(
  'the lane of requests',
  { skip: process.env.TEST_FAST_LANE === 'off' && 'the fast lane is off' },
  () => {
    let stage: Stage
    before(async () => {
      stage = await startStage({ trusted_proxies: '127.0.0.0/8' })
      await stage.route({ domain: 'lanes.localhost', auth_mode: 'local' })
      await stage.route({ domain: 'lanes.lan', auth_mode: 'local' })
      await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
      await stage.route({ domain: 'signed.localhost', auth_mode: 'local', audience: 'wiki' })
    })
    after(() => stage.close())

    const send = async (requests: readonly string[]) => {
      const client = new KeptClient(stage.daemon.edge.port)
      for (const request of requests) {
        client.send(request)
        await client.receive(request.includes('HEAD /'))
      }
      client.end()
    }
    /** Sends the requests over one connection and returns the lane of each, with warm caches. */
    const lanes = async (...requests: readonly string[]): Promise<string[]> => {
      const { logged } = stage.daemon
      // The first round reads what is known of each user, the second decides from memory.
      await send(requests)
      await send(requests)
      const from = logged.length
      await send(requests)
      return logged
        .slice(from)
        .filter(({ msg }) => msg === 'request')
        .map(({ lane }) => String(lane))
    }
    const times = <T>(count: number, make: (i: number) => T): T[] =>
      Array.from({ length: count }, (_, i) => make(i))

    test('requests of a browser pass by a kept decision', async () => {
      const taken = await lanes(...times(50, (i) => browser(stage.ada, i)))
      assert.deepEqual(
        taken,
        times(50, () => 'kept'),
      )
    })

    test('HEAD and bodies of known length pass by a kept decision', async () => {
      const more = 'Content-Length: 3\r\n'
      const taken = await lanes(
        browser(stage.ada, 0),
        browser(stage.ada, 1, { method: 'HEAD' }),
        ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
          browser(stage.ada, 1, { method, more, body: 'abc' }),
        ),
      )
      assert.deepEqual(
        taken,
        times(6, () => 'kept'),
      )
    })

    test('users over plain HTTP on a local network pass by a kept decision once insecure_cookies is on', async () => {
      const plain = browser(stage.ada.replace('__Host-', ''), 0).replaceAll('lanes.localhost', 'lanes.lan')
      assert.deepEqual(await lanes(plain), ['fast'])
      await stage.daemon.hero.settings.set({ key: 'insecure_cookies', value: true })
      assert.deepEqual(await lanes(plain), ['kept'])
      await stage.daemon.hero.settings.set({ key: 'insecure_cookies', value: false })
      assert.deepEqual(await lanes(plain), ['fast'])
    })

    test('guests pass by a kept decision unless network_login is on', async () => {
      const guest = 'GET / HTTP/1.1\r\nHost: open.localhost\r\n\r\n'
      assert.deepEqual(await lanes(guest, guest), ['kept', 'kept'])
      await stage.daemon.hero.settings.set({ key: 'network_login', value: true })
      assert.deepEqual(await lanes(guest, guest), ['fast', 'fast'])
      await stage.daemon.hero.settings.set({ key: 'network_login', value: false })
    })

    test('requests of fifty users that a proxy mixes on one connection pass by kept decisions', async () => {
      const people = times(50, (i) => `n=${i}; ${i % 2 ? stage.ada : stage.bob}`)
      const round = people.map((cookie, i) =>
        browser(cookie, i, { more: `X-Forwarded-For: 192.0.2.${i}\r\nX-Forwarded-Proto: https\r\n` }),
      )
      const taken = await lanes(...round)
      assert.deepEqual(
        taken,
        times(50, () => 'kept'),
      )
    })

    test('a request whose other headers affect the decision is decided each time', async () => {
      const signed = browser(stage.ada, 0).replaceAll('lanes.localhost', 'signed.localhost')
      for (const more of [
        'Authorization: Bearer nobody\r\n',
        'X-Signature: a\r\n',
        'Via: 1.1 other\r\n',
        'Close: 1\r\n',
        'Cookie: a=b\r\n',
        'Origin: http://lanes.localhost\r\nOrigin: http://lanes.localhost\r\n',
        'Connection: x-secret\r\n',
      ])
        assert.deepEqual(
          await lanes(...times(3, (i) => browser(stage.ada, i, { more }))),
          times(3, () => 'fast'),
          more,
        )
      assert.deepEqual(
        await lanes(signed, signed, signed),
        times(3, () => 'fast'),
      )
    })

    test('a request that is more than a head and a body of known length goes through node:http', async () => {
      for (const more of [
        'TE: trailers\r\n',
        'Trailer: X-A\r\n',
        'Upgrade: websocket\r\n',
        'X-A:  b\r\n',
        'Expect: 100-continue\r\n',
      ])
        assert.deepEqual(await lanes(browser(stage.ada, 0, { more })), ['full'], more)
    })
  },
)

describe('with the fast lane off', () => {
  let on: Stage
  let off: Stage
  before(async () => {
    ;[on, off] = await Promise.all([startStage(), startStage({ fast_lane: 'off' })])
    await Promise.all([routeKept(on), routeKept(off)])
  })
  after(() => Promise.all([on.close(), off.close()]))

  const receive = async ({ daemon, ada, bob }: Stage, name: string): Promise<unknown> => {
    const client = new KeptClient(daemon.edge.port)
    client.send(requests(ada, bob)[name]!)
    const received = comparable(await client.receive(name === 'HEAD'), name)
    client.end()
    return received
  }

  test('every request goes through node:http', async () => {
    const from = off.daemon.logged.length
    for (let i = 0; i < 3; i++) await receive(off, 'usual')
    const taken = off.daemon.logged.slice(from).filter(({ msg }) => msg === 'request')
    assert.deepEqual(
      taken.map(({ lane }) => lane),
      ['full', 'full', 'full'],
    )
  })

  for (const name of Object.keys(requests('', '')))
    test(`the response and the forwarded request are the same: ${name}`, async () => {
      // The second one may pass by a decision that was kept after the first.
      for (let i = 0; i < 2; i++) assert.deepEqual(await receive(off, name), await receive(on, name))
    })
})

/** Each of these files tests the bytes of requests and responses. */
testWithLaneOff(
  join(import.meta.dirname, '..'),
  [
    'forward/backpressure',
    'forward/cookies',
    'forward/failing_upstreams',
    'serve/framing',
    'forward/identity_headers',
    'serve/kept_connection',
    'decide/next_request',
    'serve/requests',
    'forward/streaming',
  ],
  100,
)
