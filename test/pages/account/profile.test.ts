import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { openForm, postForm } from '../../support/edge_stage.ts'
import { ask, signIn } from '../../support/http.ts'

const home = 'localhost:9997'

describe('what people say about themselves', () => {
  let daemon: TestDaemon & AsyncDisposable
  let ada: string
  before(async () => {
    daemon = await startTestDaemon({ public_url: `http://${home}` })
    const { users, attributes } = daemon.hero
    await users.add({ username: 'ada', password: goodPassword })
    ada = await signIn(daemon, 'localhost', 'ada', goodPassword)
    const define = (name: string, more: object) =>
      attributes.add({ name, type: 'text', source: 'person', ...more })
    await define('floor', { type: 'number' })
    await define('remote', { type: 'boolean' })
    await define('teams', { type: 'list' })
    await define('shirt', { values: ['S', 'M'] })
    await define('quota', { source: 'administrator' })
    await define('secret_rank', { source: 'administrator' })
    await users.update({ username: 'ada', attributes: { quota: '<b>5</b> GB' } })
  })
  after(() => daemon.close())

  const show = async () =>
    (await ask(daemon, home, '/auth/profile', { headers: ['Accept', 'text/html', 'Cookie', ada] })).body
  const post = async (fields: Record<string, string>) => {
    const form = await openForm(daemon, home, '/auth/profile', ['Cookie', ada])
    const cookies = ['Cookie', `${ada}; ${form.cookie}`]
    return postForm(daemon, home, '/auth/account/details', { form_token: form.token, ...fields }, cookies)
  }
  const attributes = async () => (await daemon.hero.users.get({ username: 'ada' })).attributes

  test('is a form with a field for each type, and what others say beside it', async () => {
    const body = await show()
    for (const field of [
      'text.given_name',
      'text.zoneinfo',
      'number.floor',
      'boolean.remote',
      'list.teams',
      'text.shirt',
    ])
      assert.ok(body.includes(`name="${field}"`), field)
    assert.match(body, /<dt>quota<\/dt>\s*<dd>&lt;b&gt;5&lt;\/b&gt; GB<\/dd>/)
    assert.ok(!body.includes('text.quota') && !body.includes('secret_rank'))
    assert.match(body, /<option value="Europe\/Paris">/)
  })

  test('is saved with its types; an empty field removes', async () => {
    const sent = {
      'text.given_name': ' Ada ',
      'text.zoneinfo': 'Europe/London',
      'number.floor': '2.5',
      'boolean.remote': 'false',
      'list.teams': 'red\r\n\r\nblue\r\n',
      'text.shirt': 'M',
      'text.family_name': '',
    }
    assert.equal((await post(sent)).headers.location, '/auth/profile?done=details')
    const quota = '<b>5</b> GB'
    const said = { given_name: 'Ada', zoneinfo: 'Europe/London', floor: 2.5, remote: false, shirt: 'M' }
    assert.deepEqual(await attributes(), { ...said, teams: ['red', 'blue'], quota })
    const body = await show()
    assert.match(body, /name="text\.given_name"\s+value="Ada"/)
    assert.match(body, /<textarea[^>]*>red\nblue<\/textarea/)
    await post({
      'text.given_name': '',
      'number.floor': '',
      'boolean.remote': '',
      'list.teams': ' ',
      'text.shirt': '',
    })
    assert.deepEqual(await attributes(), { zoneinfo: 'Europe/London', quota })
  })

  test('cannot be what others say, and a wrong value says what is allowed', async () => {
    const before = await attributes()
    assert.equal((await post({ 'text.quota': '99 GB' })).status, 403)
    const wrongs: Record<string, string>[] = [
      { 'number.floor': 'x' },
      { 'text.zoneinfo': 'Mars' },
      { 'text.shirt': 'XXL' },
      { 'number.given_name': '1' },
      { 'text.none': 'x' },
    ]
    for (const wrong of wrongs) {
      const { status, body } = await post(wrong)
      assert.deepEqual([status, /role="alert"/.test(body)], [400, true])
    }
    await post({ 'text.__proto__': 'x', 'nothing.given_name': 'x', 'constructor.given_name': 'x' })
    assert.deepEqual(await attributes(), before)
  })

  test('times on pages are in the zone of the person, and in UTC without one', async () => {
    const sessions = async () =>
      (await ask(daemon, home, '/auth/sessions', { headers: ['Accept', 'text/html', 'Cookie', ada] })).body
    await daemon.hero.users.update({ username: 'ada', attributes: { zoneinfo: 'Asia/Kolkata' } })
    assert.match(await sessions(), /GMT\+5:30/)
    await daemon.hero.users.update({ username: 'ada', attributes: { zoneinfo: null } })
    assert.match(await sessions(), / UTC/)
  })

  test('the zone of the browser is kept at a sign-in if there is none, and only a real one', async () => {
    const signInWith = async (zone: string) => {
      const form = await openForm(daemon, home)
      const fields = { form_token: form.token, login: 'ada', password: goodPassword }
      const cookie = `${form.cookie}; __Host-hero_proxy_zone=${zone}`
      return postForm(daemon, home, '/auth/login', fields, ['Cookie', cookie])
    }
    for (const wrong of ['Mars%2FBase', '%zz', '<script>', 'x'.repeat(300)]) {
      assert.equal((await signInWith(wrong)).status, 303)
      assert.equal((await attributes())?.zoneinfo, undefined)
    }
    await signInWith('Etc%2FGMT%2B3')
    assert.equal((await attributes())?.zoneinfo, 'Etc/GMT+3')
    await signInWith('Europe%2FRome')
    assert.equal((await attributes())?.zoneinfo, 'Etc/GMT+3')
  })
})
