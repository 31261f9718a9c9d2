import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { violations } from './axe.ts'
import { walkByKeyboard } from './keyboard.ts'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { codeOf } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { unlessLong } from '../long.ts'

/** The pages that links in mails open, by purpose: what comes before the token. */
const links = {
  verify: 'verify?token=',
  change: 'verify?token=',
  reset: 'reset?token=',
  magic: 'magic?token=',
  invite: 'register?invite=',
  not_me: 'not_me?token=',
} as const

describe('own pages', { skip: browserMissing() ?? unlessLong }, () => {
  let daemon: TestDaemon
  let browser: Browser
  const at = (path: string) => `http://localhost:${daemon.edge.port}${path}`

  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({ username: 'ada', password: goodPassword, display_name: 'Ada Lovelace' })
    await daemon.hero.users.add({ username: 'new', email: 'new@example.org', password: goodPassword })
    await daemon.hero.proxy.routes.add({
      domain: 'down.localhost',
      target: 'http://127.0.0.1:9',
      auth_mode: 'none',
    })
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    for (const preset of ['github', 'google'] as const)
      await daemon.hero.providers.add({ provider: preset, preset, client: 'hero', client_secret: 'secret' })
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
  })

  /** Adds a link of each purpose, with the purpose as its token. */
  const addLinks = () =>
    byHand(daemon, async ({ query }) => {
      const user = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', 'new')
        .executeTakeFirstOrThrow()
      const created_at = Math.floor(Date.now() / 1000)
      await query.deleteFrom('one_time_tokens').execute()
      await query.deleteFrom('invitations').execute()
      await query
        .insertInto('invitations')
        .values({
          id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b6a01',
          token_hash: hash('sha256', 'invite', 'hex'),
          email: 'new@example.org',
          ends_at: null,
          uses: 1,
          approve: 0,
          made_by: null,
          made_by_kind: 'operator',
          made_by_name: 'system',
          created_at,
          expires_at: created_at + 3600,
        })
        .execute()
      for (const purpose of Object.keys(links).filter((each) => each !== 'invite'))
        await query
          .insertInto('one_time_tokens')
          .values({
            token_hash: hash('sha256', purpose, 'hex'),
            purpose,
            user_id: user.id,
            address: 'new@example.org',
            created_at,
            expires_at: created_at + 3600,
          })
          .execute()
    })

  const passes = async (page: Page, url: string) => {
    await page.goto(url)
    assert.deepEqual(await violations(page), [], url)
    await walkByKeyboard(page)
    const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    assert.equal(wide, false, `${url} scrolls sideways`)
  }

  test('behind links of mails pass axe on a phone, while the links are live', async () => {
    const viewport = { width: 360, height: 740 }
    const context = await browser.newContext({ bypassCSP: true, viewport })
    const page = await context.newPage()
    await addLinks()
    for (const [purpose, path] of Object.entries(links)) {
      await passes(page, at(`/auth/${path}${purpose}`))
      assert.equal(await page.locator('form').count(), 1, `the link for ${purpose} is live`)
    }
    await context.close()
  })

  test('pass axe on a phone', async () => {
    const context = await browser.newContext({
      bypassCSP: true,
      viewport: { width: 360, height: 740 },
    })
    const page = await context.newPage()
    const check = (url: string) => passes(page, url)
    await check(at('/auth/login'))
    const setup = new URL(daemon.setupLink!)
    await check(at(setup.pathname + setup.search))
    await check(at('/auth/setup?token=x'))
    await check(at('/login?next=/auth/me'))
    await check(at('/login?provider=nobody'))
    await check(at('/oauth/callback/x?state=x'))
    for (const path of ['register', 'verify?token=x', 'reset', 'reset?token=x', 'magic', 'magic?token=x'])
      await check(at(`/auth/${path}`))
    await page.goto(at('/auth/reset'))
    await page.getByLabel('Email').fill('nobody@example.org')
    await page.keyboard.press('Enter')
    await page.getByText('Check your email').waitFor()
    assert.deepEqual(await violations(page), [])
    await check(`http://down.localhost:${daemon.edge.port}/`)
    await page.goto(at('/auth/login?return_to=/auth/me'))
    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await violations(page), [])
    await page.getByLabel('Password').fill(goodPassword)
    await page.keyboard.press('Enter')
    await page.getByText('You are signed in.').waitFor()
    assert.deepEqual(await violations(page), [])
    await check(at('/auth/logout'))
    await context.clearCookies()
    const login = 'grace-on-a-phone'
    await daemon.hero.users.add({ username: login, password: goodPassword })
    const signIn = async () => {
      await page.goto(at('/auth/login?return_to=/auth/me'))
      await page.getByLabel('Username or email').fill(login)
      await page.getByLabel('Password').fill(goodPassword)
      await page.keyboard.press('Enter')
    }
    const press = (name: string) => page.getByRole('button', { name }).click()
    await signIn()
    await page.getByText('You are signed in.').waitFor()
    await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert.deepEqual(await violations(page), [])
    await walkByKeyboard(page)
    await check(at('/auth/prove'))
    await page.goto(at('/auth/security'))
    await press('Add authenticator app')
    assert.deepEqual(await violations(page), [])
    const secret = (await page.locator('.hint code').innerText()).replaceAll(' ', '')
    await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret))
    await press('Turn on')
    await page.getByText('Recovery codes').first().waitFor()
    assert.deepEqual(await violations(page), [])
    await check(at('/auth/security?done=confirm_totp'))
    await context.clearCookies()
    await signIn()
    await page.getByText('One more step').first().waitFor()
    assert.deepEqual(await violations(page), [])
    await context.close()
  })

  test('work without scripts and violate no policy', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    const complaints: string[] = []
    onComplaint(page, (complaint) => complaints.push(complaint))
    await page.goto(at('/auth/login?return_to=/auth/me'))
    // A browser sets the focus when it first paints the page, which may be later than the load event.
    await page.locator('#login:focus').waitFor()
    await page.keyboard.type('ada')
    await page.keyboard.press('Tab')
    await page.keyboard.type(goodPassword)
    await page.keyboard.press('Enter')
    await page.getByText('You are signed in.').waitFor()
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Ada Lovelace')
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test("show the operator's name, colour and logo, which cannot inject anything", async () => {
    const set = (key: string, value: string) => daemon.hero.settings.set({ key, value })
    await set('site_name', 'Ada"s \\ house; } body { display: none')
    await set('theme_accent', '#7a1f5c')
    const script = '<script>document.title = "broken"</script>'
    await set(
      'logo',
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/>${script}</svg>`,
    )
    const page = await browser.newPage()
    await page.goto(at('/auth/login'))
    const style = (expression: string) => page.evaluate(`getComputedStyle(${expression}`)
    assert.equal(
      await style("document.querySelector('footer'), '::before').content"),
      '"Ada\\"s \\\\ house; } body { display: none"',
    )
    assert.equal(
      await style("document.querySelector('form button:not([type])')).backgroundColor"),
      'rgb(122, 31, 92)',
    )
    assert.equal(await style("document.querySelector('.door svg')).display"), 'none')
    await page.goto(at('/auth/logo.svg'))
    assert.notEqual(await page.evaluate('document.title'), 'broken')
    await page.close()
    for (const key of ['theme_accent', 'logo']) await set(key, '')
    await set('site_name', 'hero_proxy')
  })

  test('escape markup in a name', async () => {
    await daemon.hero.users.update({ username: 'ada', display_name: '<img src=x onerror=alert(1)>' })
    const page = await browser.newPage()
    await page.goto(at('/auth/login'))
    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'My services' }).waitFor()
    await page.goto(at('/auth/me'))
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), '<img src=x onerror=alert(1)>')
    await page.close()
  })
})
