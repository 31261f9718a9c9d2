import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon } from '../../support/daemon.ts'
import { ask, signIn, type Answer } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { valuesOf } from '../../support/upstream.ts'
import { got, openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'

const host = 'localhost'
const navigation = ['Accept', 'text/html']
/** What differs between two answers with the same page. */
const changing = /name="(form_token|login)" value="[^"]*"|&quot;challenge&quot;:&quot;[\w-]+&quot;/g
const ourScripts = /<script type="module" src="\/auth\/(?:passkeys|sign_in)\.js\?v=\w+"><\/script>/g

describe('signing in and out at the edge (D20 to D24)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'inner.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'maybe.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  const login = async (fields: Record<string, string>, cookies = '', at = host) => {
    const { cookie, token } = await openForm(stage.daemon, at)
    return postForm(stage.daemon, at, '/auth/login', { form_token: token, ...fields }, [
      'Cookie',
      cookies === '' ? cookie : `${cookie}; ${cookies}`,
    ])
  }
  const sessionOf = ({ headers }: Answer) => headers['set-cookie']?.find((line) => line.includes('_session='))
  const inside = async (cookie: string) =>
    (await ask(stage.daemon, host, '/auth/me', { headers: ['Cookie', cookie] })).status

  test('the cookies have the __Host- prefix and the attributes of RFC 6265bis', async () => {
    const answer = await login({ login: 'ada', password: goodPassword, return_to: '/x?y' })
    assert.deepEqual(
      [answer.status, answer.headers.location, answer.headers['cache-control']],
      [303, '/x?y', 'no-store'],
    )
    const line = sessionOf(answer)!
    assert.match(
      line,
      /^__Host-hero_proxy_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    )
    assert.ok(!/domain/i.test(line))
    const { page } = await openForm(stage.daemon, host)
    assert.match(
      page.headers['set-cookie']!.join(),
      /^__Host-hero_proxy_form=[A-Za-z0-9_-]{22}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure$/,
    )
  })

  test('only the hash of a session cookie is in the database', async () => {
    const token = stage.ada.split('=')[1]!
    await byHand(stage.daemon, async ({ query }) => {
      const rows = await query.selectFrom('sessions').selectAll().execute()
      assert.ok(rows.length > 0)
      assert.ok(!JSON.stringify(rows).includes(token))
    })
    assert.ok(!JSON.stringify(stage.daemon.logged).includes(token))
    assert.ok(!JSON.stringify(stage.daemon.logged).includes(goodPassword))
  })

  test('each sign-in issues a new cookie and ends the session before', async () => {
    const first = sessionOf(await login({ login: 'ada', password: goodPassword }))!.split(';')[0]!
    const second = sessionOf(await login({ login: 'ada', password: goodPassword }, first))!.split(';')[0]!
    assert.notEqual(first, second)
    assert.deepEqual([await inside(first), await inside(second)], [401, 200])
    const other = await login({ login: 'bob', password: goodPassword }, second)
    assert.equal(
      sessionOf(other),
      undefined,
      'one browser, one person: the page asks before it replaces them',
    )
    assert.deepEqual([other.status, await inside(second)], [200, 200])
  })

  test('a session cookie planted by somebody else is never adopted', async () => {
    const planted = `__Host-hero_proxy_session=${'P'.repeat(43)}`
    const answer = await login({ login: 'ada', password: goodPassword }, planted)
    assert.notEqual(sessionOf(answer)!.split(';')[0], planted)
    assert.equal(await inside(planted), 401)
    const asField = await login({
      login: 'ada',
      password: goodPassword,
      session: 'P'.repeat(43),
      access_token: 'P'.repeat(43),
    })
    assert.ok(!sessionOf(asField)!.includes('PPP'))
    assert.equal(await inside(planted), 401)
  })

  test('a failed sign-in leaves the current session unchanged', async () => {
    const cookie = await signIn(stage.daemon, host, 'bob', goodPassword)
    assert.equal((await login({ login: 'ada', password: 'wrong' }, cookie)).status, 401)
    assert.equal(await inside(cookie), 200)
  })

  test('signing out ends the session on every host and clears the cookie', async () => {
    const cookie = await signIn(stage.daemon, host, 'bob', goodPassword)
    const form = await openForm(stage.daemon, host, '/auth/logout', ['Cookie', cookie])
    const answer = await postForm(stage.daemon, host, '/auth/logout', { form_token: form.token }, [
      'Cookie',
      `${form.cookie}; ${cookie}`,
    ])
    assert.deepEqual([answer.status, answer.headers.location], [303, '/auth/login'])
    assert.match(sessionOf(answer)!, /^__Host-hero_proxy_session=; .*Max-Age=0; Secure$/)
    assert.equal(await inside(cookie), 401)
    const guest = await ask(stage.daemon, 'maybe.localhost', '/', { headers: ['Cookie', cookie] })
    assert.deepEqual(valuesOf(got(guest).rawHeaders, 'x-hero-user'), [])
    const again = await postForm(stage.daemon, host, '/auth/logout', { form_token: form.token }, [
      'Cookie',
      `${form.cookie}; ${cookie}`,
    ])
    assert.equal(again.status, 303, 'signing out twice does no harm')
  })

  test('unknown users, wrong passwords and inactive users get the same response', async () => {
    await stage.daemon.hero.users.add({ username: 'gone', email: 'gone@example.org', password: goodPassword })
    await stage.daemon.hero.users.update({ username: 'gone', is_active: false })
    const answers: Record<string, unknown>[] = []
    for (const [name, password] of [
      ['ada', 'wrong-password'],
      ['nobody', goodPassword],
      ['nobody@example.org', goodPassword],
      ['ada@example.org', 'x'],
      ['gone', goodPassword],
      ["' or 1=1--", 'x'],
    ] as const) {
      const { status, headers, body } = await login({ login: name, password })
      const { date: _, 'content-length': __, ...kept } = headers
      answers.push({ status, kept, body: body.replaceAll(changing, '') })
    }
    assert.equal(answers[0]!.status, 401)
    assert.match(String(answers[0]!.body), /Wrong username, email or password/)
    for (const answer of answers) assert.deepEqual(answer, answers[0])
  })

  test('markup in a submitted name is escaped', async () => {
    const { body } = await login({
      login: '"><script>alert(1)</script>',
      password: 'x',
      return_to: '/"><img src=x>',
    })
    assert.ok(!body.replaceAll(ourScripts, '').includes('<script') && !body.includes('<img'))
    const { page } = await openForm(
      stage.daemon,
      host,
      `/auth/login?return_to=${encodeURIComponent('/"><svg onload=1>')}`,
    )
    assert.ok(!page.body.includes('<svg onload'))
  })

  test('every own page has the headers of D20', async () => {
    const pages: [string, string, string[]][] = [
      [host, '/auth/login', navigation],
      [host, '/auth/setup', navigation],
      [host, '/auth/logout', [...navigation, 'Cookie', stage.ada]],
      [host, '/auth/me', [...navigation, 'Cookie', stage.ada]],
      [host, '/auth/me', ['Cookie', stage.ada]],
      [host, '/auth/me', []],
      [host, '/auth/me', navigation],
      [host, '/login', navigation],
      [host, '/logout', navigation],
      [host, '/auth/nothing', navigation],
      [host, '/openrpc.json', []],
      ['unknown.test', '/health', []],
      [host, '/rpc', []],
      ['unknown.test', '/', navigation],
      ['inner.localhost', '/', []],
      ['inner.localhost', '/', navigation],
    ]
    for (const [at, path, why] of [
      ['inner.localhost', '/.hero_proxy/signed_out', 'home shows it'],
      [host, '/.well-known/jwks.json', 'scripts of applications read it'],
    ] as const) {
      const { headers } = await ask(stage.daemon, at, path)
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', why)
    }
    for (const [at, path, headers] of pages) {
      const answer = await ask(stage.daemon, at, path, { headers })
      const policy = String(answer.headers['content-security-policy'])
      for (const part of [
        "default-src 'none'",
        "frame-ancestors 'none'",
        at === 'unknown.test' && path === '/' ? "form-action 'none'" : "form-action 'self'",
        "base-uri 'none'",
      ])
        assert.ok(policy.includes(part), path)
      assert.ok(!/unsafe|\*|http/.test(policy))
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', path)
      assert.equal(answer.headers['referrer-policy'], 'no-referrer', path)
      assert.equal(answer.headers['cross-origin-opener-policy'], 'same-origin', path)
      assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin', path)
      assert.match(
        String(answer.headers['cache-control']),
        path === '/openrpc.json' ? /no-cache/ : /no-store/,
        path,
      )
      const isPage = answer.headers['content-type']?.startsWith('text/html')
      assert.equal(answer.headers.vary, isPage ? 'Cookie, Accept-Language' : 'Cookie', path)
      assert.equal(answer.headers.server, undefined)
      assert.equal(answer.headers['x-powered-by'], undefined)
      assert.ok(!/<script|style=|onclick/i.test(answer.body.replaceAll(ourScripts, '')), path)
    }
  })

  test('over plain HTTP off localhost nobody signs in, unless the setting says so', async () => {
    const home = 'plain.test'
    await using daemon = await startTestDaemon({ public_url: `http://${home}` })
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
    const setup = new URL(daemon.setupLink!)
    for (const path of ['/auth/login', setup.pathname + setup.search]) {
      const page = await ask(daemon, home, path, { headers: navigation })
      assert.equal(page.status, 403)
      assert.match(page.body, /HTTPS/)
      assert.ok(!page.body.includes('<form') && page.headers['set-cookie'] === undefined)
    }
    const fields = { login: 'ada', password: goodPassword }
    const posted = await postForm(daemon, home, '/auth/login', fields, [])
    assert.deepEqual([posted.status, posted.headers['set-cookie']], [403, undefined])
    for (const twin of ['localhost.evil.test', '127.0.0.1.evil.test', 'xlocalhost', '0.0.0.0']) {
      await using other = await startTestDaemon({ public_url: `http://${twin}` })
      assert.equal((await ask(other, twin, '/auth/login', { headers: navigation })).status, 403, twin)
    }

    await daemon.hero.settings.set({ key: 'insecure_cookies', value: true })
    const { cookie: form, token } = await openForm(daemon, home)
    const answer = await postForm(daemon, home, '/auth/login', { form_token: token, ...fields }, [
      'Cookie',
      form,
    ])
    assert.equal(answer.status, 303)
    assert.match(sessionOf(answer)!, /^hero_proxy_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    const cookie = sessionOf(answer)!.split(';')[0]!
    const me = async (shown: string) =>
      (await ask(daemon, home, '/auth/me', { headers: ['Cookie', shown] })).status
    assert.equal(await me(cookie), 200)
    assert.equal(await me(`__Host-${cookie}`), 401, 'each name counts only where it is set')
    await daemon.hero.settings.set({ key: 'insecure_cookies', value: false })
    assert.equal(await me(cookie), 401)
  })
})
