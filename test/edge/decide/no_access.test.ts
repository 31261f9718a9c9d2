import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { openAt, openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'
import { ask, signIn } from '../../support/http.ts'

const wiki = 'wiki.localhost'
const plain = 'plain.localhost'
const home = 'http://localhost:9997'

describe('the page for a person without access', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'bosses' })
    await stage.route({
      domain: wiki,
      auth_mode: 'local',
      title: 'The wiki',
      required_claims: ['groups.bosses'],
    })
    await stage.route({ domain: plain, auth_mode: 'local', required_claims: ['groups.bosses'] })
    await stage.route({
      domain: 'two.localhost',
      auth_mode: 'local',
      title: 'Two',
      required_claims: ['groups.bosses', 'secret.claim'],
    })
    await stage.route({ domain: 'mail.localhost', auth_mode: 'local', allowed_emails: ['*@example.com'] })
  })
  after(() => stage.close())

  const open = (host: string, cookie = stage.bob, ...headers: string[]) =>
    ask(stage.daemon, host, '/page?x=1', { headers: ['Accept', 'text/html', 'Cookie', cookie, ...headers] })

  test('says who is signed in, whose service it is, and that the password was right', async () => {
    const { status, body, headers } = await open(wiki)
    assert.equal(status, 403)
    assert.match(body, /<title>No access<\/title>/)
    assert.match(
      body,
      /You are signed in as bob\. The wiki is open to members of bosses\. Your password was not wrong\./,
    )
    assert.match(body, /Error 403 · <code>[\w-]+<\/code>/)
    assert.equal(headers['set-cookie'], undefined)
  })

  test('names no claim and no group of a service without a name, or of a rule with more than one claim', async () => {
    for (const host of [plain, 'two.localhost'])
      assert.doesNotMatch((await open(host)).body, /bosses|secret/, host)
    const program = await ask(stage.daemon, plain, '/', { headers: ['Cookie', stage.bob] })
    assert.equal((JSON.parse(program.body) as { code: string }).code, 'claim_required')
    assert.doesNotMatch(program.body, /bosses/)
  })

  test('names the claims to an administrator', async () => {
    await stage.daemon.hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
    const cookie = await signIn(stage.daemon, 'localhost', 'root', goodPassword)
    await openAt(stage.daemon, 'two.localhost', cookie)
    assert.match((await open('two.localhost', cookie)).body, /the claim groups\.bosses or secret\.claim/)
  })

  test('for an address that is not listed it is the same page', async () => {
    const { body } = await open('mail.localhost')
    assert.match(body, /<title>No access<\/title>[^]*Your password was not wrong/)
    assert.match(body, /Switch account/)
  })

  test('leads back to the page of this host that the person came from, and to no other', async () => {
    const back = async (referrer: string) =>
      /href="([^"]*)">Back</.exec((await open(wiki, stage.bob, 'Referer', referrer)).body)![1]
    assert.equal(await back(`http://${wiki}/before?a=1`), `http://${wiki}/before?a=1`)
    for (const other of [
      'http://evil.test/',
      `http://${wiki}:81/`,
      `http://${wiki}/page?x=1`,
      'javascript:1',
      '',
    ])
      assert.equal(await back(other), `${home}/auth/me`, other)
  })

  test('switching accounts takes a form at home, and continues at the page', async () => {
    const switchAt = /href="([^"]*)">Switch account/
      .exec((await open(wiki)).body)![1]!
      .replaceAll('&amp;', '&')
    assert.equal(
      switchAt,
      `${home}/auth/switch?service=${encodeURIComponent(`http://${wiki}:9997/page?x=1`)}`,
    )
    const path = switchAt.slice(home.length)
    const cookie = await signIn(stage.daemon, 'localhost', 'bob', goodPassword)
    const { page, token, cookie: form } = await openForm(stage.daemon, 'localhost', path, ['Cookie', cookie])
    assert.match(page.body, /You are signed in as bob/)
    const me = () => ask(stage.daemon, 'localhost', '/auth/me', { headers: ['Cookie', cookie] })
    assert.equal((await me()).status, 200, 'opening the page signs nobody out')
    const return_to = /name="return_to" value="([^"]*)"/.exec(page.body)![1]!.replaceAll('&amp;', '&')
    const fields = { form_token: token, return_to }
    const done = await postForm(stage.daemon, 'localhost', '/auth/switch', fields, [
      'Cookie',
      `${form}; ${cookie}`,
    ])
    assert.equal((await me()).status, 401)
    assert.match(
      done.body,
      /url=\/auth\/login\?service=http%3A%2F%2Fwiki\.localhost%3A9997%2Fpage%3Fx%3D1&amp;switch=1/,
    )
    const next = await ask(stage.daemon, 'localhost', return_to, { headers: ['Accept', 'text/html'] })
    assert.match(next.body, /open <strong>The wiki<\/strong>/)
    const guest = await ask(stage.daemon, 'localhost', path, { headers: ['Accept', 'text/html'] })
    assert.deepEqual([guest.status, guest.headers.location], [302, return_to])
  })

  test('after switching accounts, an identity provider asks which account to use', async () => {
    const { hero } = stage.daemon
    await hero.providers.add({
      provider: 'github',
      preset: 'github',
      client: 'hero',
      client_secret: 'secret',
    })
    await stage.route({ domain: 'chat.localhost', auth_mode: 'oauth' })
    const service = encodeURIComponent('http://chat.localhost:9997/page')
    for (const [more, prompt] of [
      ['&switch=1', 'select_account'],
      ['', null],
    ] as const) {
      const { headers } = await ask(stage.daemon, 'localhost', `/auth/login?service=${service}${more}`, {
        headers: ['Accept', 'text/html'],
      })
      const { pathname, searchParams } = new URL(headers.location!, home)
      assert.deepEqual([pathname, searchParams.get('prompt')], ['/login', prompt])
    }
  })

  test('a destination of another site is refused after switching', async () => {
    for (const query of [
      'return_to=//evil.test/',
      'return_to=https://evil.test/',
      'service=https://evil.test/',
    ]) {
      const { headers } = await ask(stage.daemon, 'localhost', `/auth/switch?${query}`, {
        headers: ['Accept', 'text/html'],
      })
      assert.ok(headers.location!.startsWith('/auth/login?'), query)
      const { status } = await ask(stage.daemon, 'localhost', headers.location!, {
        headers: ['Accept', 'text/html'],
      })
      assert.equal(status, query.startsWith('service') ? 400 : 200)
    }
  })
})
