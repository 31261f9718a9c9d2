import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { ask, signIn } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { KeptDecisions, type KeptDecision } from '../../../src/edge/decide/kept_decisions.ts'
import type { RoutePlan } from '../../../src/routes/route_table.ts'
import { KeptClient } from '../serve/kept_client.ts'
import { got, signInAtAll, startStage, type Stage } from '../../support/edge_stage.ts'

const on = process.env.TEST_FAST_LANE !== 'off'
const soon = () => Math.floor(Date.now() / 1000) + 100

describe('a kept decision', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ trusted_proxies: '127.0.0.0/8' })
    await stage.route({ domain: 'end.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'claimed.localhost', auth_mode: 'local', required_claims: ['app.use'] })
    await stage.route({ domain: 'maybe.localhost', auth_mode: 'optional' })
    await stage.route({ domain: 'far.example', auth_mode: 'optional' })
  })
  after(() => stage.close())

  /** A connection that sends requests to a host; `more` are header lines. */
  const visitor = (host: string, cookie: string) => {
    const client = new KeptClient(stage.daemon.edge.port)
    return async (more = '') => {
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n${more}Cookie: ${cookie}\r\n\r\n`)
      const { status, head, body } = await client.receive()
      const { lane, address } = stage.daemon.logged.findLast(({ msg }) => msg === 'request')!
      const headers = status === 200 ? got({ body }).rawHeaders : []
      const header = (name: string) => valuesOf(headers, name).join()
      return { status, head, header, user: header('x-hero-user'), kept: lane === 'kept', address }
    }
  }
  type Visit = ReturnType<typeof visitor>
  /** Sends requests until the decision is kept: the first is decided from the database, the second from memory. */
  const keep = async (visit: Visit) => {
    await visit()
    await visit()
    assert.partialDeepStrictEqual(await visit(), { status: 200, kept: on })
  }
  const ahead = (t: TestContext, seconds: number) => {
    const clock = Date.now.bind(Date)
    return t.mock.method(Date, 'now', () => clock() + seconds * 1000).mock
  }

  test('ends when a group membership expires', async (t) => {
    const { hero } = stage.daemon
    await hero.groups.add_member({ group: 'team', user: 'bob', expires_at: soon() })
    const visit = visitor('claimed.localhost', stage.bob)
    await keep(visit)
    const clock = ahead(t, 101)
    assert.equal((await visit()).status, 403)
    clock.restore()
    await hero.groups.remove_member({ group: 'team', user: 'bob' })
  })

  test('ends with the session, even one in use, and then each response clears the cookie', async (t) => {
    const { settings } = stage.daemon.hero
    await settings.set({ key: 'session_lifetime', value: 300 })
    const cookie = await signIn(stage.daemon, 'maybe.localhost', 'bob', goodPassword)
    await settings.set({ key: 'session_lifetime', value: 86_400 })
    const visit = visitor('maybe.localhost', cookie)
    await keep(visit)
    const clock = ahead(t, 200)
    assert.equal((await visit()).user, 'bob')
    clock.restore()
    const later = ahead(t, 301)
    for (let i = 0; i < 3; i++) {
      const { user, head, kept } = await visit()
      assert.deepEqual([user, kept], ['', false])
      assert.match(head, /Set-Cookie: __Host-hero_proxy_session=;/i)
    }
    later.restore()
  })

  test('ends after session_idle without use of the session', async (t) => {
    const { settings } = stage.daemon.hero
    await settings.set({ key: 'session_idle', value: 3600 })
    const visit = visitor('end.localhost', await signIn(stage.daemon, 'end.localhost', 'bob', goodPassword))
    await keep(visit)
    const clock = ahead(t, 3601)
    assert.equal((await visit()).status, 401)
    clock.restore()
  })

  test('does not end while the session is in use, and the use is recorded', async (t) => {
    const visit = visitor('end.localhost', await signIn(stage.daemon, 'end.localhost', 'bob', goodPassword))
    await keep(visit)
    for (const seconds of [200, 400, 600]) {
      const clock = ahead(t, seconds)
      assert.partialDeepStrictEqual(await visit(), { status: 200, user: 'bob', kept: on }, String(seconds))
      clock.restore()
    }
  })

  test('ends when an administrator impersonates a user, and none is kept meanwhile', async (t) => {
    const { hero } = stage.daemon
    await hero.users.add({
      username: 'root',
      email: 'root@example.org',
      password: goodPassword,
      is_admin: true,
    })
    const cookie = await signInAtAll(stage.daemon, ['end.localhost'], 'root')
    const visit = visitor('end.localhost', cookie)
    await keep(visit)
    const began = await ask(stage.daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Origin', 'http://localhost', 'Cookie', cookie],
      body: '{"jsonrpc":"2.0","id":1,"method":"auth.impersonate","params":{"user":"ada"}}',
    })
    assert.match(began.body, /"result"/)
    for (let i = 0; i < 3; i++) {
      const { user, header, kept } = await visit()
      assert.deepEqual([user, header('x-hero-impersonator'), kept], ['ada', 'root', false])
    }
    const clock = ahead(t, 30 * 86_400)
    const later = await visit()
    assert.ok(later.status === 401 || later.user === 'root', later.user)
    clock.restore()
  })

  test('does not apply to another scheme, so a cookie valid over HTTPS only is ignored over HTTP', async () => {
    const visit = visitor('far.example', stage.ada)
    const secure = 'X-Forwarded-Proto: https\r\n'
    const both = `X-Forwarded-Proto: http\r\n${secure}`
    for (const more of [secure, secure, '', secure, both, '', '']) {
      const { user, header } = await visit(more)
      assert.deepEqual(
        [user, header('x-forwarded-proto')],
        more === secure ? ['ada', 'https'] : ['', 'http'],
        more,
      )
    }
  })

  test('is not made for an invalid session cookie, which each response clears', async () => {
    const visit = visitor('maybe.localhost', `${stage.ada.slice(0, -4)}AAAA`)
    for (let i = 0; i < 3; i++) {
      const { status, head, kept } = await visit()
      assert.deepEqual([status, kept], [200, false])
      assert.match(head, /Set-Cookie: __Host-hero_proxy_session=;/i)
    }
  })

  test('is not made for a user known by an address, because the next request may come from another', async () => {
    const { hero } = stage.daemon
    await hero.users.networks.add({ user: 'ada', network: '192.0.2.1' })
    await hero.settings.set({ key: 'network_login', value: true })
    const visit = visitor('maybe.localhost', 'theme=dark')
    for (const [last, user] of [
      [1, 'ada'],
      [1, 'ada'],
      [2, ''],
      [1, 'ada'],
    ] as const)
      assert.partialDeepStrictEqual(await visit(`X-Forwarded-For: 192.0.2.${last}\r\n`), {
        user,
        kept: false,
      })
    await hero.settings.set({ key: 'network_login', value: false })
  })

  test('is not made from one of two Cookie headers', async () => {
    const visit = visitor('end.localhost', 'theme=dark')
    for (let i = 0; i < 3; i++)
      assert.partialDeepStrictEqual(await visit(`Cookie: ${stage.ada}\r\n`), { user: 'ada', kept: false })
    assert.equal((await visit()).status, 401)
  })

  test('does not include the forwarding headers of a trusted proxy, which each request has of its own', async () => {
    const visit = visitor('end.localhost', stage.ada)
    await keep(visit)
    for (let i = 0; i < 3; i++) {
      const { header, kept, address } = await visit(
        `X-Forwarded-For: 192.0.2.${i}\r\nX-Request-Id: request-${i}\r\n`,
      )
      assert.equal(kept, on)
      assert.deepEqual(
        [header('x-forwarded-for'), header('x-request-id'), address],
        [`192.0.2.${i}, 127.0.0.1`, `request-${i}`, `192.0.2.${i}`],
      )
    }
    const twice = await visit('X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 198.51.100.1\r\n')
    assert.equal(twice.header('x-forwarded-for'), '192.0.2.1, 198.51.100.1, 127.0.0.1')
    assert.deepEqual([twice.address, twice.kept], ['198.51.100.1', on])
    assert.equal((await visit()).header('x-forwarded-for'), '127.0.0.1')
  })
})

test('headers of an untrusted peer are ignored, with a kept decision too', async () => {
  await using stage = await startStage({ trusted_proxies: '192.0.2.0/24' })
  await stage.route({ domain: 'far.localhost', auth_mode: 'local' })
  const client = new KeptClient(stage.daemon.edge.port)
  const spoofed = 'X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n'
  for (let i = 0; i < 4; i++) {
    client.send(
      `GET / HTTP/1.1\r\nHost: far.localhost\r\n${i < 2 ? '' : spoofed}Cookie: ${stage.ada}\r\n\r\n`,
    )
    const { rawHeaders } = got(await client.receive())
    const values = ['x-forwarded-for', 'x-forwarded-proto'].map((name) => valuesOf(rawHeaders, name).join())
    assert.deepEqual(values, ['127.0.0.1', 'http'])
    assert.notEqual(valuesOf(rawHeaders, 'x-request-id').join(), 'mine')
    const { address, lane } = stage.daemon.logged.findLast(({ msg }) => msg === 'request')!
    assert.equal(address, '127.0.0.1')
    if (i > 1) assert.equal(lane === 'kept', on)
  }
  client.end()
})

describe('the table of kept decisions', () => {
  const decision = (cookie: string, plan: object, stamp = 1) =>
    ({ host: 'a', cookie, secure: true, plan, stamp }) as KeptDecision
  const plan = {} as RoutePlan

  test('is bounded by cookies: the least recently used give way', () => {
    const kept = new KeptDecisions()
    const has = (i: number) => kept.find('a', `n=${i}`, true, plan, 1) !== undefined
    for (let i = 0; i < 10_000; i++) {
      kept.keep(decision(`n=${i}`, plan))
      assert.ok(has(0), 'one in use stays')
    }
    assert.ok(has(9_999))
    const count = Array.from({ length: 10_000 }, (_, i) => has(i)).filter(Boolean).length
    assert.ok(count <= 4000, `${count} were kept`)
  })

  test('is bounded by rules: the ninth for one cookie displaces the oldest, and outdated ones go first', () => {
    const kept = new KeptDecisions()
    const plans = Array.from({ length: 9 }, () => ({}) as RoutePlan)
    for (const one of plans) kept.keep(decision('n=1', one))
    const found = () => plans.map((one) => kept.find('a', 'n=1', true, one, 1) !== undefined)
    assert.deepEqual(found(), [false, ...Array.from({ length: 8 }, () => true)])
    kept.keep(decision('n=1', plan, 2))
    assert.deepEqual(found(), [false, false, ...Array.from({ length: 7 }, () => true)])
    assert.ok(kept.find('a', 'n=1', true, plan, 2))
  })
})
