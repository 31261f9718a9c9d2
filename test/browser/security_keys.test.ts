import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { addAuthenticator, browserMissing, noPasskeyInField, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { freePort } from '../support/free_port.ts'

describe('a U2F key in Chromium', { skip: browserMissing() ?? false }, () => {
  let daemon: TestDaemon
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let origin: string
  before(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: origin })
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
    browser = await startBrowser()
    context = await browser.newContext()
    await context.addInitScript(noPasskeyInField)
    page = await context.newPage()
    await addAuthenticator(page, 'u2f')
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
  })

  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const heading = () => page.getByRole('heading', { level: 1 }).innerText()
  const byPassword = async () => {
    await context.clearCookies()
    await page.goto(`${origin}/auth/login`)
    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password').fill(goodPassword)
    await button('Sign in').click()
  }

  test('is added, said to be a second step, and completes a sign-in by password', async () => {
    await byPassword()
    await page.goto(`${origin}/auth/passkeys`)
    await page.getByLabel('Name of the new passkey').fill('Key')
    await button('Add passkey').click()
    await page.getByRole('heading', { level: 1, name: /recovery codes/i }).waitFor()
    await page.goto(`${origin}/auth/passkeys`)
    assert.match(await page.innerText('main'), /Second step only/)
    await byPassword()
    assert.equal(await heading(), 'One more step')
    await button('Use a passkey').click()
    await page.waitForURL(`${origin}/**`)
    await page.getByRole('navigation').waitFor()
    const { items } = await daemon.hero.sessions.list({ user: 'ada' })
    assert.ok(items.some(({ provider, factor }) => provider === 'password' && factor === 'passkey'))
  })
})
