import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { openForm, postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { ask, signIn } from '../support/http.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const host = 'localhost'
const fromUs = ['Sec-Fetch-Site', 'same-origin']

describe('what comes too late', () => {
  let stage: Stage
  let smtp: TestSmtp
  before(async () => {
    stage = await startStage()
    smtp = await startSmtp()
    await useServer(stage.daemon, smtp)
  })
  after(async () => {
    await stage.close()
    await smtp[Symbol.asyncDispose]()
  })

  const post = (path: string, fields: Record<string, string>, ...headers: string[]) =>
    postForm(stage.daemon, host, path, fields, headers)
  const hidden = (body: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1]
  const login = { login: 'bob', password: goodPassword, return_to: '/auth/login?service=x#part' }

  test('a sign-in form older than its cookie comes back with the name and the destination', async () => {
    const { token } = await openForm(stage.daemon, host)
    for (const [cause, headers] of [
      ['no cookie', fromUs],
      ['another cookie', [...fromUs, 'Cookie', (await openForm(stage.daemon, host)).cookie]],
      ['no Sec-Fetch-Site, our Origin', ['Origin', `http://${host}`]],
    ] as const) {
      const {
        status,
        body,
        headers: got,
      } = await post('/auth/login', { ...login, form_token: token }, ...headers)
      assert.equal(status, 403, cause)
      assert.match(body, /name="login" value="bob"/, cause)
      assert.equal(hidden(body, 'return_to'), '/auth/login?service=x#part', cause)
      assert.ok(!body.includes(goodPassword), cause)
      assert.match(body, /open for too long/)
      assert.ok(!got['set-cookie']?.join().includes('session'), cause)
    }
  })

  test('the form that came back signs in', async () => {
    const late = await post('/auth/login', { ...login, return_to: '/auth/me' }, ...fromUs)
    const cookie = late.headers['set-cookie']!.find((line) => line.includes('form'))!.split(';')[0]!
    const fields = { login: 'bob', password: goodPassword, form_token: hidden(late.body, 'form_token')! }
    assert.equal((await post('/auth/login', fields, ...fromUs, 'Cookie', cookie)).status, 303)
  })

  test('posts that the browser does not call ours get the plain page', async () => {
    const { token } = await openForm(stage.daemon, host)
    for (const headers of [
      [],
      ['Origin', 'null'],
      ['Sec-Fetch-Site', 'same-site'],
      ['Sec-Fetch-Site', 'cross-site'],
      ['Sec-Fetch-Site', 'none'],
      ['Sec-Fetch-Site', 'same-origin', 'Origin', 'http://evil.test'],
      ['Origin', `http://${host}`, 'Origin', 'http://evil.test'],
    ]) {
      const { status, body } = await post('/auth/login', { ...login, form_token: token }, ...headers)
      assert.equal(status, 403)
      assert.ok(!body.includes('bob') && !body.includes('<form'), headers.join())
    }
  })

  test('any other form comes back with its fields, but for passwords and codes, and nothing is done', async () => {
    const fields = { username: 'eve', email: 'eve@example.org', password: goodPassword, token: '"><b>' }
    const setup = await post('/auth/setup?x=1', fields, ...fromUs)
    assert.equal(setup.status, 403)
    assert.match(setup.body, /action="\/auth\/setup\?x=1"/)
    assert.match(setup.body, /id="username" name="username" type="text" value="eve"/)
    assert.match(setup.body, /name="password" type="password" value=""/)
    assert.match(setup.body, /type="hidden" name="token" value="&quot;&gt;&lt;b&gt;"/)
    const name = { display_name: 'Other', form_token: 'A'.repeat(43) }
    const account = await post('/auth/account/profile', name, ...fromUs, 'Cookie', stage.ada)
    assert.equal(account.status, 403)
    assert.match(account.body, /name="display_name" type="text" value="Other"/)
    assert.equal((await stage.daemon.hero.users.get({ username: 'ada' })).display_name, 'ada')
  })

  test('a form of another person does not come back, even if its cookie is gone', async () => {
    const { page } = await openForm(stage.daemon, host, '/auth/logout', ['Cookie', stage.ada])
    const form_token = hidden(page.body, 'form_token')!
    const { status, body } = await post('/auth/logout', { form_token }, ...fromUs, 'Cookie', stage.bob)
    assert.equal(status, 409)
    assert.match(body, /made for ada/)
  })

  test('a post after the end of the session: 401 with a link to sign in and continue', async () => {
    const session = await signIn(stage.daemon, host, 'bob', goodPassword)
    const { page, cookie } = await openForm(stage.daemon, host, '/auth/logout', ['Cookie', session])
    const form_token = hidden(page.body, 'form_token')!
    await stage.daemon.hero.sessions.revoke_all({ user: 'bob' })
    for (const headers of [fromUs, [...fromUs, 'Cookie', `${cookie}; ${session}`]]) {
      const fields = { form_token, display_name: 'Other', return_to: '/auth/me?x=1' }
      const { status, body } = await post('/auth/account/profile', fields, ...headers)
      assert.equal(status, 401)
      assert.match(body, /href="\/auth\/login\?return_to=%2Fauth%2Fme%3Fx%3D1">Sign in and continue/)
    }
    // To sign out, or to sign in, nobody has to be signed in.
    const out = await post('/auth/logout', { form_token }, ...fromUs, 'Cookie', `${cookie}; ${session}`)
    assert.equal(out.status, 303)
  })

  test('a dead mailed link says so at once, and looking at a living one does not use it up', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'zoe', email: 'zoe@example.org', password: goodPassword })
    await hero.settings.set({ key: 'magic_links', value: true })
    await hero.settings.set({ key: 'registration_mode', value: 'invite' })
    const look = (path: string) => ask(stage.daemon, host, path, { headers: ['Accept', 'text/html'] })
    for (const path of ['verify?token=x', 'reset?token=x', 'magic?token=x', 'register?invite=x', 'verify']) {
      const { status, body } = await look(`/auth/${path}`)
      assert.equal(status, 410, path)
      assert.match(body, /This link no longer works/)
      assert.doesNotMatch(body, /<form/)
    }
    assert.match((await look('/auth/reset?token=x')).body, /href="\/auth\/reset">Ask for a new link/)

    await hero.auth.request_password_reset({ email: 'zoe@example.org' })
    const link = new URL(linkIn(await smtp.mailTo('zoe@example.org', /password/i)))
    const path = link.pathname + link.search
    for (let i = 0; i < 3; i++) assert.equal((await look(path)).status, 200)
    assert.equal((await look(path.replace('/auth/reset', '/auth/magic'))).status, 410, 'for its purpose only')
    const token = link.searchParams.get('token')!
    await hero.auth.reset_password({ token, password: 'velvet-harbor-93-comet' })
    assert.equal((await look(path)).status, 410)
  })

  test('going back to a finished callback continues for a person who is signed in', async () => {
    const back = (path: string, ...headers: string[]) =>
      ask(stage.daemon, host, path, { headers: ['Accept', 'text/html', ...headers] })
    const path = '/oauth/callback/x?state=finished&code=x'
    const { status, headers } = await back(path, 'Cookie', stage.ada)
    assert.deepEqual([status, headers.location], [302, '/'])
    assert.equal((await back(path)).status, 400)
  })
})
