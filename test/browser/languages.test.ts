import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { offerLanguage } from '../../src/strings/language.ts'
import { browserMissing, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { pseudoLanguage } from '../strings/pseudo_language.ts'
import { unlessLong } from '../long.ts'

describe('languages in Chromium', { skip: browserMissing() ?? unlessLong }, () => {
  let daemon: TestDaemon
  let browser: Browser
  let withdraw: () => void
  const at = (path: string) => `http://localhost:${daemon.edge.port}${path}`

  before(async () => {
    withdraw = offerLanguage('ar', pseudoLanguage)
    daemon = await startTestDaemon()
    await daemon.hero.users.add({
      username: 'ada',
      email: 'ada@example.org',
      password: goodPassword,
      display_name: 'Ada',
    })
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
    for (const preset of ['github', 'google'] as const)
      await daemon.hero.providers.add({ provider: preset, preset, client: 'hero', client_secret: 'secret' })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
    withdraw()
  })

  const signIn = async (page: Page) => {
    await page.goto(at('/auth/login?return_to=/auth/me'))
    await page.locator('#login').fill('ada')
    await page.locator('#password').fill(goodPassword)
    await page.locator('form button:not([type])').first().click()
    await page.waitForURL(/\/auth\/me/)
  }

  test('a German browser gets German pages', async () => {
    const context = await browser.newContext({ locale: 'de-DE' })
    const page = await context.newPage()
    await signIn(page)
    assert.equal(await page.locator('html').getAttribute('lang'), 'de')
    await page.getByText('Sie sind angemeldet.').waitFor()
    await page.getByRole('link', { name: 'Sitzungen' }).click()
    await page.getByText('(dieses Gerät)').waitFor()
    await context.close()
  })

  test('a longer right-to-left language fits a phone and leaves no English', async () => {
    const context = await browser.newContext({
      locale: 'ar',
      bypassCSP: true,
      viewport: { width: 360, height: 740 },
    })
    const page = await context.newPage()
    const check = async (url: string) => {
      if (url !== page.url()) await page.goto(url)
      assert.deepEqual(
        await page.evaluate('[document.documentElement.lang, getComputedStyle(document.body).direction]'),
        ['ar', 'rtl'],
        url,
      )
      const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      assert.equal(wide, false, `${url} scrolls sideways`)
      // Every vowel of the catalogue has an accent: text without accents does not come from the catalogue.
      const plain =
        (await page.evaluate(`[...document.querySelectorAll('h1, h2, label, button, summary, .lead, .hint, .ways a, dt')]
        .map((part) => part.innerText)
        .filter((text) => /[aeiou]{2}|\\b(the|and|you|is)\\b/i.test(text))`)) as string[]
      assert.deepEqual(plain, [], url)
    }
    for (const path of ['login', 'setup?token=x', 'register', 'verify?token=x', 'reset', 'reset?token=x'])
      await check(at(`/auth/${path}`))
    for (const path of ['magic', 'magic?token=x', 'nothing']) await check(at(`/auth/${path}`))
    await signIn(page)
    const pages = ['me', 'services', 'security', 'passkeys', 'sessions', 'applications', 'tokens']
    for (const path of pages) {
      await page.goto(at(`/auth/${path}`))
      await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
      await check(page.url())
    }
    await check(at('/auth/account/renew_recovery_codes'))
    await check(at('/auth/logout'))
    await check(at('/auth/prove'))
    await context.close()
  })
})
