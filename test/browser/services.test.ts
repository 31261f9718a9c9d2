import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { violations } from './axe.ts'
import { walkByKeyboard } from './keyboard.ts'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { freePort } from '../support/free_port.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

describe('the page of my services in Chromium', { skip: browserMissing() ?? false }, () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let browser: Browser
  let origin: string
  before(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: origin })
    upstream = await startUpstream()
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
    const { routes } = daemon.hero.proxy
    const { target } = upstream
    await routes.add({
      domain: 'wiki.localhost',
      target,
      auth_mode: 'local',
      title: 'Wiki',
      icon: 'book',
      description: 'What we know, and where it is written. '.repeat(8),
    })
    await routes.add({ domain: `${'long-name'.repeat(6)}.localhost`, target, auth_mode: 'none' })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
    await upstream?.close()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`passes axe and serves the keyboard on a phone in ${colorScheme} mode`, async () => {
      const viewport = { width: 360, height: 740 }
      const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport })
      const page = await context.newPage()
      await page.goto(`${origin}/`)
      await page.getByLabel('Username or email').fill('ada')
      await page.getByLabel('Password').fill(goodPassword)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'My services' }).waitFor()
      assert.deepEqual(await violations(page, [colorScheme]), [])
      await walkByKeyboard(page)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false)
      await context.close()
    })
  }

  test('leads to a service, signed in, without scripts and without a violated policy', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    const complaints: string[] = []
    onComplaint(page, (complaint) => complaints.push(complaint))
    await page.goto(`${origin}/`)
    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password').fill(goodPassword)
    await page.keyboard.press('Enter')
    const link = page.getByRole('link', { name: /^Wiki/ })
    assert.match(await link.innerText(), /What we know/)
    const here = page.getByRole('navigation').locator('[aria-current=page]')
    assert.equal(await here.innerText(), 'My services')
    await link.click()
    await page.waitForURL(/wiki\.localhost/)
    assert.ok((await page.content()).includes('"ada"'))
    assert.deepEqual(complaints, [])
    await context.close()
  })
})
