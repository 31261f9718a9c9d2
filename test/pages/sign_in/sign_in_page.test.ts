import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'
import { ask } from '../../support/http.ts'

const host = 'localhost'

describe('the sign-in page', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    const { hero } = stage.daemon
    for (const preset of ['github', 'google', 'hero_proxy'] as const)
      await hero.providers.add({
        provider: preset.replace('_', '-'),
        preset,
        client: 'hero',
        client_secret: 'secret',
        ...(preset === 'hero_proxy' && { issuer: 'https://id.example.org' }),
      })
    await hero.settings.set({ key: 'magic_links', value: true })
    await hero.settings.set({ key: 'site_name', value: 'Ada’s house' })
  })
  after(() => stage.close())

  const open = async (path = '/auth/login', ...headers: string[]) =>
    (await ask(stage.daemon, host, path, { headers: ['Accept', 'text/html', ...headers] })).body
  const post = async (fields: Record<string, string>) => {
    const form = await openForm(stage.daemon, host)
    return postForm(stage.daemon, host, '/auth/login', { form_token: form.token, ...fields }, [
      'Cookie',
      form.cookie,
    ])
  }
  /** The ways to sign in, in the order of the page. */
  const ways = (body: string) =>
    [
      ...body.matchAll(
        /action="\/auth\/(?<form>login|passkey)"|name="provider" value="(?<provider>[\w-]+)"|href="\/auth\/(?<mail>magic)|<(?<more>details)/g,
      ),
    ].map(({ groups }) => groups!.form ?? groups!.provider ?? groups!.mail ?? groups!.more)

  test('has one order of ways, and hides those past four others', async () => {
    const body = await open()
    assert.deepEqual(ways(body), ['login', 'passkey', 'github', 'google', 'hero-proxy', 'details', 'magic'])
    assert.match(body, /<details>/)
    assert.match(body, /name="login"[^>]* autocomplete="username webauthn"/)
    assert.match(body, /<strong>Ada’s house<\/strong>/)
  })

  test('marks the way that was used last in this browser, and opens what hides it', async () => {
    const answer = await post({ login: 'ada', password: goodPassword })
    const kept = answer.headers['set-cookie']!.find((line) => line.includes('_way='))!
    assert.match(
      kept,
      /^__Host-hero_proxy_way=password; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
    )
    const markedIn = (body: string) => /<div class="way">[^]*?(?=<div class="way">|$)/g[Symbol.match](body)!
    for (const [way, part] of [
      ['password', '<button aria-describedby="last-used">'],
      ['passkey', '<button class="quiet" aria-describedby="last-used">'],
      ['google', 'name="provider" value="google"'],
      ['magic_link', '/auth/magic'],
    ] as const) {
      const body = await open('/auth/login', 'Cookie', `__Host-hero_proxy_way=${way}`)
      const marked = markedIn(body).filter((each) => each.includes('id="last-used"'))
      assert.equal(marked.length, 1, way)
      assert.ok(marked[0]!.includes(part), way)
      assert.equal(body.includes('<details open>'), way === 'magic_link')
    }
    const body = await open('/auth/login', 'Cookie', '__Host-hero_proxy_way="><script>')
    assert.doesNotMatch(body, /last-used|"><script>/)
  })

  test('names the service that it leads to, also after a wrong password', async () => {
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local', title: 'The <wiki>' })
    await stage.route({ domain: 'files.localhost', auth_mode: 'local' })
    const to = (name: string) =>
      `/auth/login?service=${encodeURIComponent(`http://${name}.localhost:9997/x`)}`
    assert.match(await open(to('wiki')), /open <strong>The &lt;wiki&gt;<\/strong> at wiki\.localhost/)
    assert.match(await open(to('files')), /open <strong>files\.localhost<\/strong>/)
    const { body, status } = await post({ login: 'ada', password: 'wrong', return_to: to('files') })
    assert.equal(status, 401)
    assert.match(body, /open <strong>files\.localhost<\/strong>/)
    assert.doesNotMatch(await open(), /class="lead"/)
  })

  test('shows a problem beside its field, which gets the focus', async () => {
    const wrong = await post({ login: 'ada', password: 'wrong' })
    assert.match(wrong.body, /id="password"[^>]* aria-invalid="true" aria-describedby="problem" autofocus>/)
    assert.match(wrong.body, /id="login"[^>]* value="ada"/)
    const empty = await post({ login: '\u00a0', password: 'x' })
    assert.equal(empty.status, 400)
    assert.match(empty.body, /id="login"[^>]* aria-describedby="problem" autofocus>\s*<p class="wrong"/)
  })

  test('blanks around a name are no part of it', async () => {
    for (const login of [' bob', 'bob\t', '\u00a0bob\u00a0 ', ' bob@example.org\u00a0'])
      assert.equal((await post({ login, password: goodPassword })).status, 303, JSON.stringify(login))
    const { hero } = stage.daemon
    assert.equal((await hero.auth.login({ login: '\u00a0bob ', password: goodPassword })).user, 'bob')
  })

  test('a name of blanks alone is no guess: it uses up no attempt', async () => {
    for (let i = 0; i < 40; i++) assert.equal((await post({ login: ' \u00a0', password: 'x' })).status, 400)
    assert.equal((await post({ login: 'bob', password: goodPassword })).status, 303)
  })

  test('says in words how long to wait', async () => {
    await stage.daemon.hero.users.add({ username: 'eve', password: goodPassword })
    let answer = await post({ login: 'eve', password: 'wrong' })
    for (let i = 0; i < 40 && answer.status !== 429; i++)
      answer = await post({ login: 'eve', password: 'wrong' })
    assert.equal(answer.status, 429)
    assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.match(answer.body, /Too many attempts\. Try again in \d+ (second|minute|hour)s?\./)
  })

  test('gives a new challenge to a page that is still open, and stores nothing', async () => {
    const challenge = async () =>
      (JSON.parse(await open('/auth/passkey_options')) as { challenge: string }).challenge
    assert.notEqual(await challenge(), await challenge())
    const answer = await ask(stage.daemon, host, '/auth/passkey_options')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['set-cookie'], undefined)
  })
})
