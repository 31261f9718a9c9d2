import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { folded, got, openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'

const spoofed = [
  ['X-Forwarded-For', '10.9.9.9'],
  ['X-Forwarded-Host', 'enter.localhost'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Port', '444'],
  ['X-Forwarded-Prefix', '/evil'],
  ['X-Forwarded-Uri', '/evil'],
  ['X-Forwarded-Method', 'DELETE'],
  ['X-Forwarded', 'for=10.9.9.9'],
  ['X_Forwarded_For', '10.9.9.9'],
  ['x.forwarded.proto', 'https'],
  ['Forwarded', 'for=10.9.9.9;host=enter.localhost;proto=https'],
  ['X-Real-IP', '10.9.9.9'],
  ['X_Real_IP', '10.9.9.9'],
  ['True-Client-IP', '10.9.9.9'],
  ['X-Client-IP', '10.9.9.9'],
  ['X-Cluster-Client-IP', '10.9.9.9'],
  ['X-Original-URL', '/evil'],
  ['X-Original-URI', '/evil'],
  ['X-Rewrite-URL', '/evil'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Request-Id', 'mine-10.9.9.9'],
] as const

const ours = (rawHeaders: readonly string[]) =>
  Object.fromEntries(
    [...folded(rawHeaders)].filter(([name]) => /FORWARDED|_IP$|_URL$|_URI$|OVERRIDE/.test(name)),
  )

describe('headers of an untrusted peer about the request (D08)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'app.localhost', auth_mode: 'optional' })
    await stage.route({ domain: 'inner.localhost', auth_mode: 'local', required_claims: ['app.use'] })
  })
  after(() => stage.close())

  const expected = {
    X_FORWARDED_FOR: ['127.0.0.1'],
    X_FORWARDED_HOST: ['app.localhost'],
    X_FORWARDED_PROTO: ['http'],
  }

  for (const [name, value] of spoofed) {
    test(`${name} of the client is replaced or removed`, async () => {
      const answer = await ask(stage.daemon, 'app.localhost', '/x?y', { headers: [name, value, name, value] })
      const { method, url, rawHeaders } = got(answer)
      assert.deepEqual([method, url], ['GET', '/x?y'])
      assert.deepEqual(ours(rawHeaders), expected)
      assert.equal(valuesOf(rawHeaders, 'x-request-id').length, 1)
      assert.ok(!answer.body.includes('10.9.9.9'))
    })
  }

  test('all of them together open no protected route and change neither cookies nor the audit', async () => {
    const headers = [...spoofed.flat(), 'User-Agent', 'kube-probe/1.0 GoogleHC/1.0', 'Accept', 'text/html']
    const answer = await ask(stage.daemon, 'localhost', '/health', { headers })
    assert.equal(answer.status, 200, 'an own path')
    assert.deepEqual((JSON.parse(answer.body) as { status: string }).status, 'ok')
    const signIn = 'http://inner.localhost:9997/.hero_proxy/sign_in?return_to='
    for (const [path, location] of [
      ['/health', `${signIn}%2Fhealth`],
      ['/healthz', `${signIn}%2Fhealthz`],
      ['/auth/me', 'http://localhost:9997/auth/me'],
    ] as const) {
      const led = await ask(stage.daemon, 'inner.localhost', path, { headers })
      assert.deepEqual([led.status, led.headers.location], [302, location])
    }
    const { cookie, token, page } = await openForm(stage.daemon, 'localhost', '/auth/login', spoofed.flat())
    assert.equal(page.headers['strict-transport-security'], undefined, 'the connection has no TLS')
    await postForm(
      stage.daemon,
      'localhost',
      '/auth/login',
      { form_token: token, login: 'ada', password: 'x' },
      [...spoofed.flat(), 'Cookie', cookie],
    )
    const { items } = await stage.daemon.hero.audit.list({ limit: 1000 })
    assert.ok(items.some((row) => row.method === 'auth.login' && row.outcome === 'unauthenticated'))
    assert.ok(!JSON.stringify(items).includes('10.9.9.9'))
  })
})

describe('headers of a trusted proxy (D08)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ trusted_proxies: '127.0.0.1,10.0.0.0/8,fd00::/8' })
    await stage.route({ domain: 'app.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  let asked = 0
  /** Returns the address that the audit records for a sign-in. The user differs each time, because failed attempts are counted. */
  const address = async (...forwardedFor: string[]) => {
    const { cookie, token } = await openForm(stage.daemon, 'localhost')
    await postForm(
      stage.daemon,
      'localhost',
      '/auth/login',
      { form_token: token, login: `nobody-${++asked}`, password: 'x' },
      [...forwardedFor.flatMap((line) => ['X-Forwarded-For', line]), 'Cookie', cookie],
    )
    const { items } = await stage.daemon.hero.audit.list({ limit: 1000 })
    const newest = items[0]!
    assert.equal(newest.method, 'auth.login')
    return newest.address
  }

  test('the last address that is not a trusted proxy counts', async () => {
    assert.equal(await address('192.0.2.7'), '192.0.2.7')
    assert.equal(
      await address('198.51.100.1, 192.0.2.7'),
      '192.0.2.7',
      'addresses that the client prepended do not count',
    )
    assert.equal(await address('192.0.2.7, 10.1.2.3'), '192.0.2.7')
    assert.equal(
      await address('192.0.2.7', '10.1.2.3, 10.1.2.4'),
      '192.0.2.7',
      'two header lines form one list',
    )
    assert.equal(await address('2001:db8::1, fd00::5'), '2001:db8::1')
    assert.equal(await address('::ffff:192.0.2.7'), '192.0.2.7')
  })

  test('an invalid address causes no error and is never recorded', async () => {
    assert.equal(await address('evil'), '127.0.0.1')
    assert.equal(await address('192.0.2.7, unknown'), '127.0.0.1')
    assert.equal(await address('192.0.2.7, _hidden, 10.0.0.1'), '127.0.0.1')
    assert.equal(await address('fe80::1%eth0'), '127.0.0.1')
    assert.equal(await address(',,, ,'), '127.0.0.1')
    assert.equal(await address('1'.repeat(4000)), '127.0.0.1')
    assert.equal(await address('1.2.3.4:80, 010.1.1.1'), '127.0.0.1')
    assert.equal(await address('192.0.2.7,, 10.0.0.1'), '127.0.0.1', 'an empty element')
  })

  test('a port behind an address changes nothing', async () => {
    assert.equal(await address('010.1.1.1, 1.2.3.4:80'), '1.2.3.4')
    assert.equal(await address('[2001:db8::1]:443, 10.1.2.3:9'), '2001:db8::1')
    assert.equal(await address('2001:db8::1:443'), '2001:db8::1:443', 'IPv6 without brackets has no port')
    assert.equal(await address('2001:db8:1:2::1.2.3.4'), '2001:db8:1:2::1.2.3.4')
  })

  test('what stands left of unreadable text is not passed on', async () => {
    const passedOn = async (list: string) => {
      const headers = ['X-Forwarded-For', list]
      const { rawHeaders } = got(await ask(stage.daemon, 'app.localhost', '/', { headers }))
      return valuesOf(rawHeaders, 'x-forwarded-for').join()
    }
    assert.equal(await passedOn('192.0.2.7, unknown'), '127.0.0.1')
    assert.equal(await passedOn('192.0.2.7, junk, 10.0.0.1'), '10.0.0.1, 127.0.0.1')
    assert.equal(await passedOn('junk, 192.0.2.7:4711, 10.0.0.1'), '192.0.2.7, 10.0.0.1, 127.0.0.1')
  })

  test('X-Forwarded-Proto counts, and the other headers are still replaced', async () => {
    const headers = [
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'evil.test',
      'X-Forwarded-Prefix',
      '/evil',
    ]
    const answer = await ask(stage.daemon, 'app.localhost', '/', {
      headers: [...headers, 'X-Request-Id', 'abc-1'],
    })
    const { rawHeaders } = got(answer)
    assert.deepEqual(ours(rawHeaders), {
      X_FORWARDED_FOR: ['127.0.0.1'],
      X_FORWARDED_HOST: ['app.localhost'],
      X_FORWARDED_PROTO: ['https'],
    })
    assert.deepEqual(valuesOf(rawHeaders, 'x-request-id'), ['abc-1'])
    const { page } = await openForm(stage.daemon, 'app.localhost', '/auth/login', headers)
    assert.match(String(page.headers['strict-transport-security']), /max-age=63072000/)
  })

  test('X-Forwarded-For is passed on with the peer appended', async () => {
    const headers = ['X-Forwarded-For', '192.0.2.7, 10.1.2.3']
    const { rawHeaders } = got(await ask(stage.daemon, 'app.localhost', '/', { headers }))
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['192.0.2.7, 10.1.2.3, 127.0.0.1'])
  })

  test('identity headers of a trusted proxy are removed too', async () => {
    const headers = ['X-Hero-User', 'root', 'X-Hero-Claims', 'admin', 'X-Proxy-Auth-Method', 'local']
    const answer = await ask(stage.daemon, 'app.localhost', '/', { headers })
    assert.ok(!/root|admin|local"/.test(answer.body), answer.body)
  })
})
