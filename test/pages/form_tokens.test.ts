import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { ask, signIn } from '../support/http.ts'
import { openForm, postForm, startStage, type Stage } from '../support/edge_stage.ts'

const host = 'localhost'

describe('own forms are accepted only from own pages in the same browser (D27)', () => {
  let stage: Stage
  let form: Awaited<ReturnType<typeof openForm>>
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())
  beforeEach(async () => {
    form = await openForm(stage.daemon, host)
  })

  const sessions = async () =>
    (await stage.daemon.hero.sessions.list({ user: 'bob', limit: 1000 })).items.length
  const login = (fields: Record<string, string>, ...headers: string[]) =>
    postForm(stage.daemon, host, '/auth/login', { login: 'bob', password: goodPassword, ...fields }, headers)
  const origin = () => `http://${host}`

  test('a correct form signs in, with the headers that browsers send', async () => {
    for (const headers of [
      [],
      ['Origin', origin()],
      ['Origin', 'null'],
      ['Sec-Fetch-Site', 'same-origin', 'Origin', origin()],
    ]) {
      const answer = await login({ form_token: form.token }, 'Cookie', form.cookie, ...headers)
      assert.equal(answer.status, 303, headers.join())
    }
  })

  const refused: Record<
    string,
    (f: typeof form) => [Record<string, string>, string[]] | Promise<[Record<string, string>, string[]]>
  > = {
    'another site': (f) => [{ form_token: f.token }, ['Cookie', f.cookie, 'Sec-Fetch-Site', 'cross-site']],
    'a sibling domain': (f) => [{ form_token: f.token }, ['Cookie', f.cookie, 'Sec-Fetch-Site', 'same-site']],
    'a request of no page': (f) => [{ form_token: f.token }, ['Cookie', f.cookie, 'Sec-Fetch-Site', 'none']],
    'two Sec-Fetch-Site headers': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie, 'Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Site', 'cross-site'],
    ],
    'a foreign Origin': (f) => [{ form_token: f.token }, ['Cookie', f.cookie, 'Origin', 'http://evil.test']],
    'an Origin with another port': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie, 'Origin', `${origin()}:81`],
    ],
    'an Origin with another scheme': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie, 'Origin', `https://${host}`],
    ],
    'two Origins': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie, 'Origin', origin(), 'Origin', 'http://evil.test'],
    ],
    'a sandboxed frame of another site': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie, 'Origin', 'null', 'Sec-Fetch-Site', 'cross-site'],
    ],
    'no token': (f) => [{}, ['Cookie', f.cookie]],
    'an empty token': (f) => [{ form_token: '' }, ['Cookie', f.cookie]],
    'a made-up token': (f) => [{ form_token: 'A'.repeat(43) }, ['Cookie', f.cookie]],
    'no cookie': (f) => [{ form_token: f.token }, []],
    'an empty cookie': (f) => [{ form_token: f.token }, ['Cookie', '__Host-hero_proxy_form=']],
    'the cookie without its prefix': (f) => [
      { form_token: f.token },
      ['Cookie', f.cookie.replace('__Host-', '')],
    ],
    'the cookie of another browser': async (f) => [
      { form_token: f.token },
      ['Cookie', (await openForm(stage.daemon, host)).cookie],
    ],
    'a second form cookie': (f) => [{ form_token: f.token }, ['Cookie', `${f.cookie}; ${f.cookie}`]],
  }
  for (const [title, make] of Object.entries(refused)) {
    test(`${title}: 403 without effect`, async () => {
      const [fields, headers] = await make(form)
      const before = await sessions()
      const answer = await login(fields, ...headers)
      assert.equal(answer.status, 403)
      assert.ok(!answer.headers['set-cookie']?.join().includes('session'))
      assert.equal(await sessions(), before)

      const { bob } = stage
      const cookies = headers.map((value, i) => (headers[i - 1] === 'Cookie' ? `${value}; ${bob}` : value))
      const out = await postForm(
        stage.daemon,
        host,
        '/auth/logout',
        fields,
        headers.includes('Cookie') ? cookies : [...headers, 'Cookie', bob],
      )
      assert.equal(out.status, 403, 'signing out is refused too')
      assert.equal((await ask(stage.daemon, host, '/auth/me', { headers: ['Cookie', bob] })).status, 200)
      const setup = await postForm(
        stage.daemon,
        host,
        '/auth/setup',
        { ...fields, username: 'evil', email: 'e@example.org', password: goodPassword, token: 'x' },
        headers,
      )
      assert.equal(setup.status, 403)
    })
  }

  test('only the media type of forms is accepted, and CORS preflights are refused', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '']) {
      const body = new URLSearchParams({
        form_token: form.token,
        login: 'bob',
        password: goodPassword,
      }).toString()
      const { status } = await ask(stage.daemon, host, '/auth/login', {
        method: 'POST',
        headers: ['Content-Type', type, 'Cookie', form.cookie],
        body,
      })
      assert.equal(status, 415, type)
    }
    const preflight = [
      'Origin',
      'http://evil.test',
      'Access-Control-Request-Method',
      'POST',
      'Access-Control-Request-Headers',
      'content-type',
    ]
    for (const path of ['/rpc', '/auth/login', '/auth/logout']) {
      const { status, headers } = await ask(stage.daemon, host, path, {
        method: 'OPTIONS',
        headers: preflight,
      })
      assert.equal(status, 405)
      assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control')))
    }
  })

  test('a call to /rpc with a cookie requires the same Origin', async () => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"auth.logout"}'
    const call = (...headers: string[]) =>
      ask(stage.daemon, host, '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Cookie', stage.bob, ...headers],
        body,
      })
    for (const headers of [
      [],
      ['Origin', 'http://evil.test'],
      ['Origin', 'null'],
      ['Origin', origin(), 'Origin', origin()],
    ]) {
      assert.match((await call(...headers)).body, /unauthenticated/, headers.join())
    }
    assert.equal((await ask(stage.daemon, host, '/auth/me', { headers: ['Cookie', stage.bob] })).status, 200)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
      assert.equal(
        (
          await ask(stage.daemon, host, '/rpc', {
            method: 'POST',
            headers: ['Content-Type', type, 'Cookie', stage.bob, 'Origin', origin()],
            body,
          })
        ).status,
        415,
      )
    }
    assert.match((await call('Origin', origin())).body, /"result":null/)
    assert.equal((await ask(stage.daemon, host, '/auth/me', { headers: ['Cookie', stage.bob] })).status, 401)
  })

  test('a message to /rpc with its own authorization is never made as the user of the cookie', async () => {
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'bob', password: goodPassword })
    const ada = await signIn(stage.daemon, host, 'ada', goodPassword)
    const [own, other] = [`Bearer ${access_token}`, `Bearer ${'x'.repeat(43)}`]
    const me = async (authorization: string, ...headers: string[]) => {
      const answer = await ask(stage.daemon, host, '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Origin', origin(), 'Cookie', ada, ...headers],
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.me', authorization }),
      })
      const { result, error } = JSON.parse(answer.body) as {
        result?: { user: string }
        error?: { data: { code: string } }
      }
      return result?.user ?? error?.data.code
    }
    assert.equal(await me(own), 'bob')
    assert.equal(await me(own, 'Authorization', own), 'bob')
    assert.equal(await me(other), 'unauthenticated')
    assert.equal(await me(''), 'unauthenticated')
    assert.equal(await me(other, 'Authorization', own), 'unauthenticated')
    assert.equal(await me(own, 'Authorization', other), 'unauthenticated')
  })

  test('a GET changes nothing', async () => {
    const ada = await signIn(stage.daemon, host, 'ada', goodPassword)
    const query = new URLSearchParams({
      form_token: form.token,
      login: 'bob',
      password: goodPassword,
      token: 'x',
      username: 'evil',
    })
    const before = await sessions()
    for (const path of [
      '/logout',
      '/auth/logout',
      '/login',
      '/auth/login',
      '/auth/setup',
      '/auth/me',
      '/rpc',
      '/auth',
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(stage.daemon, host, `${path}?${query}`, {
          method,
          headers: ['Accept', 'text/html', 'Cookie', `${ada}; ${form.cookie}`],
        })
        assert.ok(!answer.headers['set-cookie']?.join().includes('session'), path)
      }
    }
    assert.equal(await sessions(), before)
    assert.equal((await ask(stage.daemon, host, '/auth/me', { headers: ['Cookie', ada] })).status, 200)
  })
})
