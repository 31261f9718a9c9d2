import assert from 'node:assert/strict'
import { createServer as createSecure } from 'node:https'
import { Socket, type AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import tls from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import { after, afterEach, before, describe, test } from 'node:test'
import { guardedFetch, ProviderFault, type Fault } from '../../src/providers/guarded_fetch.ts'
import { addressFault, isLocal } from '../../src/wire/outgoing_addresses.ts'
import { goodPassword } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { TestAuthority } from '../support/pem.ts'
import {
  startHostileProvider,
  type Endpoint,
  type HostileProvider,
  type Ways,
} from '../support/hostile_provider.ts'
import { closeServer } from '../support/openid_peer.ts'
import { byPassword, comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

/** Fails with a message instead of waiting forever; the limit is generous for a busy machine. */
const within = <T>(answer: Promise<T>, what: string): Promise<T> =>
  Promise.race([
    answer,
    delay(20_000, undefined, { ref: false }).then(() => assert.fail(`no result after 20 seconds: ${what}`)),
  ])

/** When a provider is down, slow or wrong, its page comes within five seconds and others are unaffected (R6). */
describe('failing providers', () => {
  let stage: Stage
  let hostile: HostileProvider
  let healthy: HostileProvider
  let count = 0
  before(async () => {
    stage = await startRelying()
    hostile = await startHostileProvider()
    healthy = await startHostileProvider()
    const { hero } = stage
    await hero.providers.add({
      own_callback: true,
      provider: 'well',
      preset: 'oidc',
      issuer: healthy.issuer,
      client: 'hero',
      client_secret: 's',
    })
    await hero.users.identities.add({ user: 'grace', provider: 'well', subject: '1' })
  })
  after(async () => {
    await hostile?.close()
    await healthy?.close()
    await stage?.[Symbol.asyncDispose]()
  })
  afterEach(() => hostile.misbehave({}))

  const begin = async (issuer = hostile.issuer): Promise<string> => {
    const provider = `failing-${++count}`
    await stage.hero.providers.add({
      own_callback: true,
      provider,
      preset: 'oidc',
      issuer,
      title: 'The failing one',
      client: 'hero',
      client_secret: 's',
    })
    await stage.hero.users.identities.add({ user: 'grace', provider, subject: '1' })
    return provider
  }

  /** Sessions, passwords and another provider work while this one fails. */
  const failsWith = async (provider: string, words: RegExp, status: number): Promise<void> => {
    const session = new Person()
    await byPassword(session, stage.origin, 'ada')
    const failing = comeBy(new Person(), stage, provider, '')
    const others = (async () => {
      assert.equal(await whoIs(session, stage.origin), 'ada')
      const person = new Person()
      await comeBy(person, stage, 'well', '')
      assert.equal(await whoIs(person, stage.origin), 'grace')
      const byWord = new Person()
      await byPassword(byWord, stage.origin, 'ada')
      assert.equal(await whoIs(byWord, stage.origin), 'ada')
    })()
    const page = await within(failing, 'the error page, since a provider gets four seconds')
    assert.equal(page.status, status, page.text)
    assert.match(page.text, words)
    assert.match(page.text, /Other ways to sign in/)
    await within(others, 'people who do not use this provider')
    const { items } = await stage.hero.sessions.list({ user: 'grace' })
    assert.ok(items.every((one) => one.provider !== provider))
  }

  const silentAt = (at: Endpoint): Ways => ({ instead: (endpoint) => endpoint === at })
  const answerAt = (at: Endpoint, status: number, type: string, body: string): Ways => ({
    instead: (endpoint, _, response) => {
      if (endpoint !== at) return false
      response.writeHead(status, { 'content-type': type, location: `${healthy.issuer}/token` }).end(body)
      return true
    },
  })
  /** Sends two hundred megabytes, or as much as is read. */
  const floodAt = (at: Endpoint, sent: { bytes: number }): Ways => ({
    instead: (endpoint, _, response) => {
      if (endpoint !== at) return false
      const part = Buffer.alloc(256 * 1024, ' ')
      response.writeHead(200, { 'content-type': 'application/json' })
      const pour = () => {
        while (sent.bytes < 200e6 && !response.destroyed) {
          sent.bytes += part.length
          if (!response.write(part)) return void response.once('drain', pour)
        }
        response.end()
      }
      pour()
      return true
    },
  })

  test('a provider that is down', async () => {
    const gone = await startHostileProvider()
    const provider = await begin(gone.issuer)
    await gone.close()
    await failsWith(provider, /can’t reach .* right now/, 503)
    const { ok, steps } = await stage.hero.providers.test({ provider })
    assert.equal(ok, false)
    assert.deepEqual(
      steps.map((one) => one.ok),
      [true, false, null, null, null, null],
    )
  })

  for (const at of ['discovery', 'token', 'jwks', 'userinfo'] as const) {
    test(`no answer at ${at}`, async () => {
      hostile.misbehave(silentAt(at))
      await failsWith(await begin(), /didn’t respond in time/, 504)
    })
    test(`HTML instead of JSON at ${at}`, async () => {
      hostile.misbehave(answerAt(at, 200, 'text/html', '<!doctype html><title>Welcome</title>'))
      await failsWith(await begin(), /didn’t respond the way an identity provider does/, 502)
    })
    test(`500 at ${at}`, async () => {
      hostile.misbehave(answerAt(at, 500, 'application/json', '{}'))
      await failsWith(await begin(), /didn’t respond the way an identity provider does/, 502)
    })
    test(`a redirect at ${at} is not followed`, async () => {
      hostile.misbehave(answerAt(at, 307, 'application/json', '{}'))
      const before = healthy.asked('token')
      const provider = await begin()
      assert.match(
        (await comeBy(new Person(), stage, provider, '')).text,
        /didn’t respond the way an identity provider does/,
      )
      assert.equal(healthy.asked('token'), before)
    })
    test(`200 MB at ${at}`, async () => {
      const sent = { bytes: 0 }
      hostile.misbehave(floodAt(at, sent))
      await failsWith(await begin(), /far more than a response contains/, 502)
      assert.ok(sent.bytes < 50e6, `${sent.bytes} bytes were sent`)
    })
  }

  test('a wrong client secret is reported, with or without the challenge of RFC 6749', async () => {
    for (const challenge of [
      undefined,
      'Basic realm="peer"',
      'Bearer realm="peer", error="invalid_client"',
    ]) {
      hostile.misbehave({
        instead: (endpoint, _, response) => {
          if (endpoint !== 'token') return false
          if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
          response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
          return true
        },
      })
      await failsWith(await begin(), /rejected our client_id or secret/, 502)
    }
  })

  for (const [name, head] of Object.entries({
    'switches protocols': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n',
    'speaks another protocol': 'SSH-2.0-x\r\n',
    'sends an invalid status': 'HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}',
  }))
    test(`a provider that ${name} is reported as responding wrongly, not as unreachable`, async () => {
      const provider = await begin()
      hostile.misbehave({ instead: (_, __, response) => response.socket!.write(head) })
      await failsWith(provider, /didn’t respond the way an identity provider does/, 502)
      const { steps } = await stage.hero.providers.test({ provider })
      assert.equal(steps.find(({ ok }) => ok === false)?.step, 'reach')
    })

  test('a provider that stops during a flow leaves nothing behind', async () => {
    const short = await startHostileProvider()
    const provider = await begin(short.issuer)
    const person = new Person(({ pathname }) => pathname.startsWith('/oauth/callback/'))
    const { url } = await person.open(`${stage.origin}/login?provider=${provider}`)
    await short.close()
    const goes = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: person.cookiesAt(url) },
    })
    assert.equal(goes.status, 503)
    const page = await goes.text()
    assert.match(page, /can’t reach .* right now/)
    const again = await fetch(url, { redirect: 'manual', headers: { cookie: person.cookiesAt(url) } })
    assert.equal(again.status, 400, 'the flow is used up')
  })

  test('a provider that went down since its discovery is reported before people are sent there', async (t) => {
    const short = await startHostileProvider()
    const provider = await begin(short.issuer)
    const startSignIn = async () => {
      const stop = new Person(({ href }) => href.startsWith(short.issuer))
      return stop.open(`${stage.origin}/login?provider=${provider}`)
    }
    assert.ok((await startSignIn()).url.href.startsWith(short.issuer))
    await short.close()
    const clock = Date.now
    t.mock.method(Date, 'now', () => clock() + 31_000)
    const page = await startSignIn()
    assert.equal(page.status, 503)
    assert.match(page.text, /can’t reach .* right now/)
  })

  test('a provider with an unreadable secret is disabled, and others work (D40)', async () => {
    const { hero, daemon, origin } = stage
    const provider = await begin()
    await byHand(daemon, async (database) => {
      await database.query
        .updateTable('providers')
        .set({ secret_sealed: 'v1.AAAA' })
        .where('provider', '=', provider)
        .execute()
      database.changed('providers')
    })
    assert.equal((await new Person().open(`${origin}/login?provider=${provider}`)).status, 404)
    const page = await new Person().open(`${origin}/auth/login`)
    assert.equal(page.status, 200)
    assert.match(page.text, /name="provider" value="well"/)
    assert.ok(!page.text.includes(`value="${provider}"`))
    assert.equal((await hero.providers.get({ provider })).secret_set, false)
    await hero.providers.update({ provider, client_secret: 'anew', enabled: true })
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.equal(await whoIs(person, origin), 'grace')
  })

  test('a provider is tried again as soon as it recovers', async () => {
    hostile.misbehave(answerAt('discovery', 503, 'text/plain', 'soon'))
    const provider = await begin()
    assert.ok((await comeBy(new Person(), stage, provider, '')).status >= 500)
    hostile.misbehave({})
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.equal(await whoIs(person, stage.origin), 'grace')
  })

  test('providers.test names the failing step', async () => {
    for (const [ways, step] of [
      [answerAt('discovery', 404, 'text/html', 'no'), 'discovery'],
      [answerAt('discovery', 200, 'application/json', '[]'), 'discovery'],
      [{ discovery: ({ jwks_uri: _, ...metadata }) => metadata }, 'discovery'],
      [{ discovery: (metadata) => ({ ...metadata, issuer: 'https://other.example.org' }) }, 'issuer'],
      [answerAt('jwks', 500, 'application/json', '{}'), 'keys'],
      [{ jwks: () => ({ keys: [] }) }, 'keys'],
      [answerAt('token', 401, 'application/json', '{"error":"invalid_client"}'), 'client'],
      [
        answerAt(
          'token',
          400,
          'application/json',
          '{"error":"unauthorized_client","error_description":"invalid client secret"}',
        ),
        'client',
      ],
      [answerAt('token', 200, 'application/json', '{"error":"incorrect_client_credentials"}'), 'client'],
      [answerAt('token', 200, 'text/html', 'hello'), 'client'],
    ] as [Ways, string][]) {
      const provider = await begin()
      hostile.misbehave(ways)
      const { ok, steps } = await stage.hero.providers.test({ provider })
      assert.equal(ok, false)
      assert.equal(steps.find((one) => one.ok === false)?.step, step, JSON.stringify(steps))
      const [entry] = (await stage.hero.audit.list({ limit: 1 })).items
      assert.equal(entry!.target, `provider=${provider} ok=no,${step}`)
    }
    hostile.misbehave(
      answerAt(
        'token',
        400,
        'application/json',
        '{"error":"unauthorized_client","error_description":"client is not authorized"}',
      ),
    )
    assert.ok(
      (await stage.hero.providers.test({ provider: await begin() })).ok,
      'Forgejo refuses a code this way',
    )
  })

  test('logs and audit contain no secrets and nothing from the provider', async () => {
    const provider = await begin()
    await comeBy(new Person(), stage, provider, '')
    const logged =
      JSON.stringify(stage.daemon.logged) +
      JSON.stringify((await stage.hero.audit.list({ limit: 1000 })).items)
    for (const part of ['code_verifier', goodPassword]) assert.ok(!logged.includes(part), part)
    // Three letters alone are in the hashes of the audit chain now and then.
    assert.doesNotMatch(logged, /[ar]t-[0-9a-f]{8}-|eyJ[\w-]{10,}\.[\w-]/)
    for (const { params } of hostile.seen)
      for (const name of ['code', 'state', 'nonce'])
        if (params.get(name)) assert.ok(!logged.includes(params.get(name)!), name)
  })
})

describe('allowed provider addresses (D41)', () => {
  const local = guardedFetch(async () => true)
  const guarded = guardedFetch(async () => false)
  const faultOf = (asking: Promise<Response>): Promise<Fault | undefined> =>
    asking.then(
      () => undefined,
      (error: unknown) => (error instanceof ProviderFault ? error.fault : assert.fail(String(error))),
    )

  test('local addresses are recognised in each spelling', () => {
    for (const address of [
      '127.0.0.1',
      '127.255.255.254',
      '0.0.0.0',
      '169.254.169.254',
      '::1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b::169.254.169.254',
      '2002:7f00:1::',
      '2002:7f00::1',
      '2002:a9fe::1',
      '2002::1',
      '64:ff9b::',
      '64:ff9b::1',
      '::5',
      '::ffff:0:7f00:1',
      '::ffff:127.0.0.1%lo',
      '64:ff9b:1::7f00:1',
      '64:ff9b:1:abcd::a9fe:a9fe',
      '100.100.100.200',
      '192.0.0.192',
      'fd00:ec2::254',
      '224.0.0.1',
      'ff02::1',
    ])
      assert.ok(isLocal(address), address)
    for (const address of [
      '10.0.0.1',
      '192.168.1.1',
      '93.184.216.34',
      'fd12::1',
      '2606:4700::1',
      '::ffff:10.0.0.1',
      '2002:a00:1::1',
      '64:ff9b::5db8:d822',
      '2001:db8::1',
    ])
      assert.ok(!isLocal(address), address)
    for (const address of [
      'https://localhost/',
      'https://forge.localhost/',
      'https://forge.localhost./',
      'https://localhost./',
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::1]/',
      'https://[::ffff:7f00:1]/',
      'https://169.254.169.254/latest',
      'http://forge.example.org/',
      'ftp://forge.example.org/',
      'https://user@forge.example.org/',
    ])
      assert.ok(addressFault(address, false), address)
    assert.equal(addressFault('https://forge.example.org/', false), undefined)
    assert.ok(addressFault('http://forge.example.org/', true), 'plain HTTP is allowed for this machine alone')
    assert.equal(addressFault('http://localhost:3000/', true), undefined)
  })

  test('local addresses are refused for a new provider unless the setting allows them', async () => {
    await using stage = await startRelying()
    const { hero } = stage
    const add = (issuer: string) =>
      hero.providers.add({ own_callback: true, provider: 'p', preset: 'oidc', issuer, client: 'hero' })
    await refused(add('http://forge.example.org'), 'invalid_params')
    await hero.settings.set({ key: 'providers_may_be_local', value: false })
    for (const issuer of [
      'http://localhost:3000',
      'https://127.0.0.1',
      'https://169.254.169.254',
      'https://[::1]:8443',
    ])
      await refused(add(issuer), 'invalid_params')
    assert.equal((await hero.providers.list()).items.length, 0)
  })

  test('a hostname that resolves to a local address is refused at the connection', async () => {
    // The hostname of this machine.
    const { hostname } = await import('node:os')
    const { lookup } = await import('node:dns/promises')
    const name = hostname()
    const found = await lookup(name, { all: true }).catch(() => [])
    if (found.some(({ address }) => isLocal(address)) && found.every(({ address }) => isLocal(address)))
      assert.equal(await faultOf(guarded(`https://${name}:1/`)), 'local')
    const { guardedLookup, LocalAddress } = await import('../../src/wire/outgoing_addresses.ts')
    const looked = await new Promise<Error | null>((resolve) =>
      guardedLookup('localhost', { all: true }, (error) => resolve(error)),
    )
    assert.ok(looked instanceof LocalAddress)
    assert.equal(await faultOf(guarded('https://localhost:1/')), 'local')
  })

  test('DNS rebinding does not reach a local address', async () => {
    await using hostile = await startHostileProvider()
    const { port } = new URL(hostile.issuer)
    const { lookup } = dns
    const outside = { address: '192.0.2.1', family: 4 }
    const inside = { address: '127.0.0.1', family: 4 }
    try {
      // The name server changes its answer between lookups, and mixes both addresses.
      for (const found of [[inside], [outside, inside], [inside, { address: '::1', family: 6 }]]) {
        const turns = [[outside], found]
        dns.lookup = ((_: string, __: object, done: (error: null, all: object[]) => void) =>
          done(null, turns.length > 1 ? turns.shift()! : turns[0]!)) as never
        syncBuiltinESMExports()
        // A guard that only looks the name up first would allow it; the connection makes another lookup.
        await new Promise((resolve) => dns.lookup('rebound.example.org', { all: true }, resolve))
        const fault = await faultOf(guarded(`https://rebound.example.org:${port}/`))
        assert.ok(fault === 'local' || fault === 'slow' || fault === 'unreachable', fault)
      }
    } finally {
      dns.lookup = lookup
      syncBuiltinESMExports()
    }
    assert.equal(hostile.seen.length, 0)
  })

  test('names below localhost resolve to this machine without a resolver (RFC 6761)', async () => {
    await using hostile = await startHostileProvider()
    const { port } = new URL(hostile.issuer)
    const { lookup } = dns
    dns.lookup = ((_: string, __: object, done: (error: null, all: object[]) => void) =>
      done(null, [{ address: '192.0.2.1', family: 4 }])) as never
    syncBuiltinESMExports()
    try {
      const answer = await local(`http://house.localhost:${port}/.well-known/openid-configuration`)
      assert.equal(answer.status, 200)
    } finally {
      dns.lookup = lookup
      syncBuiltinESMExports()
    }
  })

  test('disallowing local addresses takes effect at the next request', async () => {
    await using stage = await startRelying()
    await using hostile = await startHostileProvider()
    await stage.hero.providers.add({
      own_callback: true,
      provider: 'p',
      preset: 'oidc',
      issuer: hostile.issuer,
      client: 'hero',
      title: 'P',
    })
    await stage.hero.settings.set({ key: 'providers_may_be_local', value: false })
    const page = await comeBy(new Person(), stage, 'p', '')
    assert.match(page.text, /leads to this machine or its link/)
    assert.equal(hostile.seen.length, 0)
  })

  test('a blocked event loop does not turn a slow connection into an unreachable address', async (t) => {
    await using peer = await startHostileProvider()
    // `localhost` is ::1 and 127.0.0.1, where the peer listens.
    assert.match(peer.issuer, /localhost/)
    const { connect } = Socket.prototype
    t.mock.method(Socket.prototype, 'connect', function (this: Socket, ...args: Parameters<typeof connect>) {
      const busyUntil = Date.now() + 600
      process.nextTick(() => {
        while (Date.now() < busyUntil);
      })
      return connect.apply(this, args)
    })
    assert.equal(await faultOf(local(peer.issuer)), undefined)
  })

  test('certificates that are expired, untrusted or for another name are refused', async () => {
    using authority = new TestAuthority()
    using stranger = new TestAuthority()
    const before = tls.getCACertificates('default')
    tls.setDefaultCACertificates([...before, authority.caPem])
    try {
      for (const [{ cert, key }, fault] of [
        [authority.issue('localhost'), undefined],
        [authority.issueFor(-1, 'localhost'), 'insecure'],
        [authority.issue('other.example.org'), 'insecure'],
        [stranger.issue('localhost'), 'insecure'],
      ] as const) {
        const pair = { cert: readFileSync(cert), key: readFileSync(key) }
        const server = createSecure(pair, (_, response) => response.end('{}'))
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        const { port } = server.address() as AddressInfo
        assert.equal(await faultOf(local(`https://localhost:${port}/`)), fault)
        await closeServer(server)
      }
    } finally {
      tls.setDefaultCACertificates(before)
    }
  })
})
