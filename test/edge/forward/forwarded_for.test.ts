import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { folded, got, openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'

const lies = [
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

describe('what an untrusted peer says about the request (D08)', () => {
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

  for (const [name, value] of lies) {
    test(`${name} is ours or nobody's`, async () => {
      const answer = await ask(stage.daemon, 'app.localhost', '/x?y', { headers: [name, value, name, value] })
      const { method, url, rawHeaders } = got(answer)
      assert.deepEqual([method, url], ['GET', '/x?y'])
      assert.deepEqual(ours(rawHeaders), expected)
      assert.equal(valuesOf(rawHeaders, 'x-request-id').length, 1)
      assert.ok(!answer.body.includes('10.9.9.9'))
    })
  }

  test('all at once open no protected route and change neither cookie nor audit', async () => {
    const headers = [...lies.flat(), 'User-Agent', 'kube-probe/1.0 GoogleHC/1.0', 'Accept', 'text/html']
    const answer = await ask(stage.daemon, 'inner.localhost', '/health', { headers })
    assert.equal(answer.status, 200, 'a path of our own')
    assert.deepEqual((JSON.parse(answer.body) as { status: string }).status, 'ok')
    assert.equal((await ask(stage.daemon, 'inner.localhost', '/healthz', { headers })).status, 302)
    assert.equal((await ask(stage.daemon, 'inner.localhost', '/auth/me', { headers })).status, 302)
    const { cookie, token, page } = await openForm(
      stage.daemon,
      'inner.localhost',
      '/auth/login',
      lies.flat(),
    )
    assert.equal(page.headers['strict-transport-security'], undefined, 'nobody spoke TLS')
    await postForm(
      stage.daemon,
      'inner.localhost',
      '/auth/login',
      { form_token: token, login: 'ada', password: 'x' },
      [...lies.flat(), 'Cookie', cookie],
    )
    const { items } = await stage.daemon.hero.audit.list({ limit: 1000 })
    assert.ok(items.some((row) => row.method === 'auth.login' && row.outcome === 'unauthenticated'))
    assert.ok(!JSON.stringify(items).includes('10.9.9.9'))
  })
})

describe('what a trusted proxy says (D08)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ trusted_proxies: '127.0.0.1,10.0.0.0/8,fd00::/8' })
    await stage.route({ domain: 'app.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  let asked = 0
  /** As what the audit knows whoever tried to sign in; as somebody else each time, for guesses are counted. */
  const address = async (...forwardedFor: string[]) => {
    const { cookie, token } = await openForm(stage.daemon, 'app.localhost')
    await postForm(
      stage.daemon,
      'app.localhost',
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
      'what the client wrote in front is its story',
    )
    assert.equal(await address('192.0.2.7, 10.1.2.3'), '192.0.2.7')
    assert.equal(await address('192.0.2.7', '10.1.2.3, 10.1.2.4'), '192.0.2.7', 'two lines are one list')
    assert.equal(await address('2001:db8::1, fd00::5'), '2001:db8::1')
    assert.equal(await address('::ffff:192.0.2.7'), '192.0.2.7')
  })

  test('garbage never throws and never becomes an address', async () => {
    assert.equal(await address('evil'), '127.0.0.1')
    assert.equal(await address('192.0.2.7, unknown'), '127.0.0.1')
    assert.equal(await address('192.0.2.7, _hidden, 10.0.0.1'), '10.0.0.1')
    assert.equal(await address('fe80::1%eth0'), 'fe80::1%eth0')
    assert.equal(await address(',,, ,'), '127.0.0.1')
    assert.equal(await address('1'.repeat(4000)), '127.0.0.1')
    assert.equal(await address('010.1.1.1, 1.2.3.4:80'), '127.0.0.1')
  })

  test('the scheme counts, and the rest is still ours', async () => {
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

  test('the chain is passed on with the peer at its end', async () => {
    const headers = ['X-Forwarded-For', '192.0.2.7, 10.1.2.3']
    const { rawHeaders } = got(await ask(stage.daemon, 'app.localhost', '/', { headers }))
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['192.0.2.7, 10.1.2.3, 127.0.0.1'])
  })

  test('identity headers are not believed from a trusted proxy either', async () => {
    const headers = ['X-Hero-User', 'root', 'X-Hero-Claims', 'admin', 'X-Proxy-Auth-Method', 'local']
    const answer = await ask(stage.daemon, 'app.localhost', '/', { headers })
    assert.ok(!/root|admin|local"/.test(answer.body), answer.body)
  })
})
