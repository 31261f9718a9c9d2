import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { languages } from '../../src/strings/language.ts'
import { ask } from '../support/http.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { openForm, postForm, startStage, type Stage } from '../support/edge_stage.ts'

const home = 'localhost'
const page = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate']

/** The language that a page states in its headers and in its markup. */
const languageOf = ({ headers, body }: Awaited<ReturnType<typeof ask>>) => [
  headers['content-language'],
  /<html lang="(\w+)" dir="ltr">/.exec(body)?.[1],
]

describe('the language of pages', () => {
  let stage: Stage
  let smtp: TestSmtp
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'down.localhost', target: 'http://127.0.0.1:9', auth_mode: 'none' })
    await stage.route({ domain: 'closed.localhost', auth_mode: 'local', required_claims: ['app.use'] })
    smtp = await startSmtp()
    await useServer(stage.daemon, smtp)
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await stage.close()
  })
  const setDefault = (value: string) => stage.daemon.hero.settings.set({ key: 'default_language', value })
  beforeEach(() => setDefault('en'))

  const open = (path: string, accepted: string | undefined, host = home) =>
    ask(stage.daemon, host, path, {
      headers: [...page, ...(accepted === undefined ? [] : ['Accept-Language', accepted])],
    })

  test('Accept-Language selects the language, and Vary lists it', async () => {
    const german = await open('/auth/login', 'de-AT, en;q=0.5')
    assert.deepEqual(languageOf(german), ['de', 'de'])
    assert.match(german.body, /<h1>Anmelden<\/h1>/)
    assert.match(german.body, /Passwort vergessen\?/)
    assert.match(String(german.headers.vary), /Cookie.*Accept-Language/)
    assert.equal(german.headers['cache-control'], 'no-store')
    const french = await open('/auth/login', 'de;q=0.1, fr')
    assert.deepEqual(languageOf(french), ['fr', 'fr'])
    assert.match(french.body, /Mot de passe oublié/)
  })

  test('without a supported language a page is in the default, and a change applies to the next request', async () => {
    for (const language of languages.toReversed()) {
      await setDefault(language)
      for (const accepted of [undefined, 'ja', '*'])
        assert.deepEqual(languageOf(await open('/auth/login', accepted)), [language, language])
    }
    await setDefault('fr')
    assert.deepEqual(languageOf(await open('/auth/login', 'en')), ['en', 'en'])
    await assert.rejects(setDefault('xx'), /one of en, de, fr/)
  })

  test('refusals are in the language of the page, wherever they come from', async () => {
    const down = await open('/', 'de', 'down.localhost')
    assert.deepEqual([down.status, ...languageOf(down)], [502, 'de', 'de'])
    assert.match(down.body, /Der Dienst antwortet nicht/)
    const nothing = await open('/auth/nothing', 'fr')
    assert.deepEqual([nothing.status, ...languageOf(nothing)], [404, 'fr', 'fr'])
    await setDefault('de')
    const closed = await ask(stage.daemon, 'closed.localhost', '/', {
      headers: [...page, 'Cookie', stage.bob],
    })
    assert.deepEqual([closed.status, ...languageOf(closed)], [403, 'de', 'de'])
    assert.match(closed.body, /Sie sind als bob angemeldet\..* hat keinen Zugriff/)
  })

  test('programs get English, whatever Accept-Language says', async () => {
    await setDefault('fr')
    const { body, headers } = await ask(stage.daemon, 'down.localhost', '/', {
      headers: ['Accept-Language', 'de'],
    })
    assert.equal(headers['content-language'], undefined)
    assert.equal((JSON.parse(body) as { title: string }).title, 'The service is not responding')
  })

  test('form errors are in the language of the page, and names in them are escaped', async () => {
    const { cookie, token } = await openForm(stage.daemon, home)
    const from = ['Cookie', cookie, 'Accept-Language', 'de']
    const wrong = await postForm(
      stage.daemon,
      home,
      '/auth/login',
      { form_token: token, login: 'ada', password: 'wrong' },
      from,
    )
    assert.equal(wrong.status, 401)
    assert.match(wrong.body, /role="alert"[^>]*>Benutzername, E-Mail-Adresse oder Passwort ist falsch\.</)
    const script = '<script>alert(1)</script>'
    await stage.daemon.hero.users.update({ username: 'ada', display_name: script })
    await stage.daemon.hero.providers.add({
      provider: 'evil',
      title: script,
      preset: 'github',
      client: 'hero',
      client_secret: 'secret',
    })
    for (const language of languages) {
      const { body } = await open('/auth/login', language)
      assert.ok(body.includes('&lt;script&gt;alert(1)&lt;/script&gt;'), language)
      assert.ok(!body.includes(script), language)
    }
    await stage.daemon.hero.providers.remove({ provider: 'evil' })
  })

  test('a mail requested on a page is in its language, and all others are in the default', async () => {
    const { cookie, token } = await openForm(stage.daemon, home, '/auth/reset')
    const fields = { form_token: token, email: 'bob@example.org' }
    await setDefault('fr')
    await postForm(stage.daemon, home, '/auth/reset', fields, ['Cookie', cookie, 'Accept-Language', 'de'])
    const german = await smtp.mailTo('bob@example.org', /^Neues Passwort für hero_proxy$/)
    assert.match(german.text!, /Gültigkeit: 60 Minuten\./)
    assert.match(String(german.html), /<html lang="de" dir="ltr">/)
    await stage.daemon.hero.auth.request_password_reset({ email: 'ada@example.org' })
    await smtp.mailTo('ada@example.org', /^Choisissez un nouveau mot de passe/)
  })
})
