import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'
import { arriveAt, ask, signIn } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'

const home = 'localhost:9997'
const html = ['Accept', 'text/html']
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

describe('the pages of an account', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  const page = (path: string, cookie = stage.ada) =>
    ask(stage.daemon, home, path, { headers: [...html, 'Cookie', cookie] })
  /** Opens a page as ada and posts a form with its token. */
  const post = async (path: string, fields: Record<string, string>, cookie = stage.ada) => {
    const form = await openForm(stage.daemon, home, '/auth/me', ['Cookie', cookie])
    const cookies = ['Cookie', `${cookie}; ${form.cookie}`]
    return postForm(stage.daemon, home, path, { form_token: form.token, ...fields }, cookies)
  }
  const topics = ['me', 'profile', 'security', 'passkeys', 'sessions', 'applications', 'tokens', 'data']

  test('link to each other, and mark the one that is open', async () => {
    for (const topic of topics) {
      const { status, body } = await page(`/auth/${topic}`)
      assert.equal(status, 200, topic)
      for (const other of topics) assert.ok(body.includes(`href="/auth/${other}"`), `${topic}: ${other}`)
      assert.deepEqual(
        [...body.matchAll(/href="([^"]*)"\s+aria-current="page"/g)].map(([, path]) => path),
        [`/auth/${topic}`],
      )
    }
  })

  test('send guests to sign in and back, and programs get 401', async () => {
    for (const topic of topics.slice(1)) {
      const { headers } = await ask(stage.daemon, home, `/auth/${topic}`, { headers: html })
      assert.equal(headers.location, `/auth/login?return_to=%2Fauth%2F${topic}`)
      assert.equal((await ask(stage.daemon, home, `/auth/${topic}`)).status, 401)
    }
    const { headers } = await ask(stage.daemon, home, '/auth/account/revoke?id=a%26b&x=y', { headers: html })
    assert.equal(
      headers.location,
      `/auth/login?return_to=${encodeURIComponent('/auth/account/revoke?id=a%26b')}`,
    )
  })

  test('sessions say browser, address, time in UTC, proof, and the hosts that each opened', async () => {
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local' })
    await stage.daemon.hero.users.add({ username: 'cleo', password: goodPassword })
    const cookie = await signIn(stage.daemon, 'localhost', 'cleo', goodPassword)
    await arriveAt(stage.daemon, 'wiki.localhost', cookie)
    const other = await signIn(stage.daemon, 'localhost', 'cleo', goodPassword)
    const { items } = await stage.daemon.hero.sessions.list({ user: 'cleo' })
    const opened = items.find(({ hosts }) => hosts.length > 0)!
    await byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ user_agent: firefox, address: '192.0.2.7', factor: 'totp', created_at: 1_795_000_000 })
        .set({ proven_at: 1_795_000_500, second_at: 1_795_000_000 })
        .where('id', '=', opened.id)
        .execute()
    })
    const { body } = await page('/auth/sessions', other)
    const rows = body.match(/<li><p>[^]*?<\/li>/g)!
    assert.equal(rows.length, 2)
    const row = rows.find((text) => text.includes('Firefox'))!
    const text = row.replaceAll(/<[^>]*>/g, '')
    assert.match(text, /^Firefox on Linux\n192\.0\.2\.7 · last used .* UTC\n/)
    assert.match(text, /Signed in Nov 18, 2026, 11:06 UTC with password and authenticator app\n/)
    assert.match(
      text,
      /Confirmed Nov 18, 2026, 11:15 UTC\. Confirmed with a second factor Nov 18, 2026, 11:06 UTC\n/,
    )
    assert.match(text, /Opened wiki\.localhost/)
    assert.ok(row.includes(`href="/auth/account/revoke?id=${opened.id}"`))
    const mine = rows.find((line) => line !== row)!
    assert.match(mine, /this device/)
    assert.ok(!mine.includes('/auth/account/revoke') && !mine.includes('Opened'))
    const question = await page(`/auth/account/revoke?id=${opened.id}`, other)
    assert.match(question.body, /Firefox on Linux/)
    assert.match(question.body, /has to sign in again, also at wiki\.localhost\./)
    const asks = await page('/auth/prove?proof=any&proof_age=600&return_to=/auth/me', other)
    assert.match(asks.body, /confirm who you are\. It may be at most 10 minutes old\./)
    const all = await page('/auth/account/revoke_all', other)
    assert.match(all.body, /Firefox on Linux/)
    assert.ok(!all.body.includes('this device'))
  })

  test('ask before something ends: Cancel comes first, and opening the question ends nothing', async () => {
    const { hero } = stage.daemon
    const asAda = hero.as((await hero.auth.login({ login: 'ada', password: goodPassword })).access_token)
    await asAda.token.create({ user: 'ada', name: '<b>backup</b>', scope: 'read', expires_in: 3600 })
    const { id } = (await asAda.token.list({})).items[0]!
    const address = `/auth/account/revoke_token?id=${id}`
    assert.ok((await page('/auth/tokens')).body.includes(`href="${address}"`))
    const { status, body } = await page(address)
    assert.equal(status, 200)
    assert.match(body, /<strong>&lt;b&gt;backup&lt;\/b&gt;<\/strong>/)
    const [cancel, button] = [
      body.indexOf('href="/auth/tokens">Cancel'),
      body.indexOf('<button class="danger">'),
    ]
    assert.ok(cancel > 0 && cancel < button)
    assert.equal((await asAda.token.list({})).items.length, 1)
    const done = await post('/auth/account/revoke_token', { id })
    assert.equal(done.headers.location, '/auth/tokens?done=revoke_token')
    assert.equal((await asAda.token.list({})).items.length, 0)
    assert.equal((await page(address)).headers.location, '/auth/tokens', 'it is gone')
  })

  test('a question ends what it shows, even if its address names two', async () => {
    const { hero } = stage.daemon
    const asAda = hero.as((await hero.auth.login({ login: 'ada', password: goodPassword })).access_token)
    for (const name of ['first', 'second'])
      await asAda.token.create({ user: 'ada', name, scope: 'read', expires_in: 3600 })
    const { items } = await asAda.token.list({})
    const [first, second] = ['first', 'second'].map((name) => items.find((token) => token.name === name)!.id)
    const { body } = await page(`/auth/account/revoke_token?id=${first}&id=${second}&form_token=x&name=y`)
    assert.match(body, /<strong>first<\/strong>/)
    assert.ok(!body.includes(second!))
    const inputs = [...body.matchAll(/<input type="hidden" name="(\w+)"/g)].map(([, name]) => name)
    assert.deepEqual(inputs, ['form_token', 'id'])
  })

  test('never ask about what belongs to somebody else', async () => {
    const { items } = await stage.daemon.hero.sessions.list({ user: 'ada' })
    for (const { id } of items) {
      const { status, headers } = await page(`/auth/account/revoke?id=${id}`, stage.bob)
      assert.deepEqual([status, headers.location], [302, '/auth/sessions'])
    }
  })

  test('a form returns to the page of its topic, and a failed one shows there why', async () => {
    const returned = async (path: string, fields: Record<string, string>) =>
      (await post(path, fields)).headers.location
    assert.equal(await returned('/auth/account/profile', { display_name: 'Ada' }), '/auth/me?done=profile')
    const failed = await post('/auth/account/password', { password: 'x', current_password: 'wrong' })
    assert.ok(failed.status >= 400)
    assert.match(failed.body, /<h1>Security<\/h1>\s*<p class="notice" role="alert">/)
  })

  test('a question comes back after a fresh proof', async () => {
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ proven_at: 1 }).execute()
      database.changed('sessions')
    })
    const { headers } = await post('/auth/account/remove_passkey', { id: 'some key' })
    const back = '/auth/account/remove_passkey?id=some+key'
    assert.equal(headers.location, `/auth/prove?return_to=${encodeURIComponent(back)}`)
  })
})
