import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { AskTokens } from '../../src/asking/ask_tokens.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { violations } from './axe.ts'
import { walkByKeyboard } from './keyboard.ts'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { codeOf } from '../support/factors.ts'
import { signedIn } from '../support/people.ts'
import { freePort } from '../support/free_port.ts'
import { unlessLong } from '../long.ts'

describe('the pages of an account in Chromium', { skip: browserMissing() ?? unlessLong }, () => {
  let daemon: TestDaemon
  let browser: Browser
  let origin: string
  const complaints: string[] = []
  before(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: origin })
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
  })

  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const follow = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first().click()
  const signIn = async (context: BrowserContext, login = 'ada'): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(`${origin}/auth/login?return_to=/auth/me`)
    await page.getByLabel('Username or email').fill(login)
    await page.getByLabel('Password').fill(goodPassword)
    await page.keyboard.press('Enter')
    await page.getByText('You are signed in.').waitFor()
    return page
  }
  const makeToken = async (page: Page): Promise<string> => {
    await page.goto(`${origin}/auth/tokens`)
    await page.getByText('Create a token').click()
    await page.getByLabel('What it is for').fill('A script with a long purpose')
    await press(page, 'Create token')
    return page.locator('.done code').innerText()
  }
  /** The answer of a program that another browser signed in, so that there is a second session. */
  const elsewhere = () => daemon.hero.auth.login({ login: 'ada', password: goodPassword })

  test('pass axe and serve the keyboard on a phone', async () => {
    await elsewhere()
    const viewport = { width: 360, height: 740 }
    const context = await browser.newContext({ bypassCSP: true, viewport })
    const page = await signIn(context)
    const check = async () => {
      await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
      assert.deepEqual(await violations(page), [], page.url())
      await walkByKeyboard(page)
      const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      assert.equal(wide, false, `${page.url()} scrolls sideways`)
    }
    await makeToken(page)
    await check()
    // What an administrator of a group decides, and what a person may ask for.
    const { groups, proxy, users } = daemon.hero
    await groups.add({ slug: 'crew', name: 'The crew of the ship' })
    await groups.add_admin({ group: 'crew', user: 'ada' })
    await users.add({ username: 'grace', password: goodPassword })
    const rule = { auth_mode: 'local' as const, required_claims: ['groups.crew'], ask_group: 'crew' }
    const target = 'http://127.0.0.1:1'
    const { id } = await proxy.routes.add({ domain: 'ship.localhost', target, title: 'The ship', ...rule })
    const seal = new Seal((await readFile(join(daemon.config.data_dir, 'master.key'), 'utf8')).trim())
    const grace = await users.get({ username: 'grace' })
    const token = new AskTokens(seal).issue(grace.id, `route ${id}`)
    const reason = 'To_see_the_map_'.repeat(20)
    await (await signedIn(daemon, 'grace')).requests.add({ token, reason })
    await page.goto(`${origin}/auth/services`)
    await check()
    await follow(page, 'Ask for access')
    await check()
    for (const topic of [
      'groups',
      'me',
      'profile',
      'security',
      'passkeys',
      'sessions',
      'applications',
      'tokens',
      'data',
    ]) {
      await page.goto(`${origin}/auth/${topic}`)
      await check()
    }
    for (const [topic, end] of [
      ['sessions', 'Sign out this session'],
      ['sessions', 'Sign out all other sessions'],
      ['tokens', 'Revoke token'],
    ] as const) {
      await page.goto(`${origin}/auth/${topic}`)
      await follow(page, end)
      await page.getByRole('link', { name: 'Cancel' }).waitFor()
      await check()
    }
    await context.close()
  })

  test('keep the time zone of the browser at the first sign-in, and show times in it', async () => {
    await daemon.hero.users.add({ username: 'joan', password: goodPassword })
    const zoneOf = async () => (await daemon.hero.users.get({ username: 'joan' })).attributes?.zoneinfo
    for (const timezoneId of ['Asia/Tokyo', 'America/New_York']) {
      const context = await browser.newContext({ timezoneId })
      const page = await signIn(context, 'joan')
      assert.equal(await zoneOf(), 'Asia/Tokyo')
      await page.goto(`${origin}/auth/sessions`)
      await page.getByText('GMT+9').first().waitFor()
      await page.goto(`${origin}/auth/profile`)
      assert.equal(await page.getByLabel('Time zone').inputValue(), 'Asia/Tokyo')
      await context.close()
    }
  })

  test('cut a picture to its middle square, and show what the server wrote anew', async () => {
    const { hero } = daemon
    const { picture } = await hero.users.set_picture({ user: 'ada', picture: null })
    const context = await browser.newContext({ bypassCSP: true })
    const page = await signIn(context)
    const drawn = (type: string): Promise<string> =>
      page.evaluate(`(() => {
        const canvas = document.createElement('canvas')
        canvas.width = 90
        canvas.height = 60
        canvas.getContext('2d').fillRect(10, 10, 50, 30)
        return canvas.toDataURL('${type}').split(',')[1]
      })()`)
    const width = () =>
      page.evaluate<number>(`(async () => {
        const blob = await (await fetch('${picture}', { cache: 'reload' })).blob()
        return (await createImageBitmap(blob)).width
      })()`)
    for (const type of ['image/png', 'image/jpeg', 'image/webp']) {
      await hero.users.set_picture({ user: 'ada', picture: await drawn(type) })
      assert.equal(await width(), 90, type)
    }
    await page.goto(`${origin}/auth/profile`)
    const buffer = Buffer.from(await drawn('image/jpeg'), 'base64')
    await page
      .getByLabel('Choose a picture')
      .setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer })
    await page.locator('#picture canvas').waitFor()
    assert.deepEqual(await violations(page), [])
    await press(page, 'Save picture')
    await page.getByText('Your picture is saved.').waitFor()
    assert.equal(await width(), 60)
    await press(page, 'Remove picture')
    await page.getByText('Your picture is removed.').waitFor()
    assert.equal(await width(), 240)
    await context.close()
  })

  test('work without scripts: navigation, a question with Cancel first, and a download of what is shown once', async () => {
    await daemon.hero.users.add({ username: 'lin', password: goodPassword })
    const context = await browser.newContext({ javaScriptEnabled: false, acceptDownloads: true })
    const page = await signIn(context, 'lin')
    onComplaint(page, (complaint) => complaints.push(complaint))
    const token = await makeToken(page)
    const saved = async () => {
      const coming = page.waitForEvent('download')
      await follow(page, 'Download')
      const download = await coming
      return [download.suggestedFilename(), await readFile(await download.path(), 'utf8')]
    }
    assert.deepEqual(await saved(), ['token.txt', `${token}\n`])
    assert.equal(await page.getByRole('button', { name: 'Copy' }).count(), 0)
    await follow(page, 'I’ve copied it')
    await follow(page, 'Revoke token')
    const parts = page.locator('.card').locator('a.button, form[action*="/account/"] button')
    assert.deepEqual(await parts.allInnerTexts(), ['Cancel', 'Revoke token'])
    await follow(page, 'Cancel')
    assert.equal(await page.getByRole('link', { name: 'Revoke token' }).count(), 1)
    await follow(page, 'Revoke token')
    await press(page, 'Revoke token')
    assert.equal(await page.getByRole('status').innerText(), 'The token is revoked.')
    assert.equal(new URL(page.url()).pathname, '/auth/tokens')
    await follow(page, 'Security')
    await press(page, 'Add authenticator app')
    const secret = (await page.locator('.hint code').innerText()).replaceAll(' ', '')
    await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret))
    await press(page, 'Turn on')
    const codes = await page.locator('.codes code').allInnerTexts()
    const [name, text] = await saved()
    assert.equal(name, 'recovery-codes.txt')
    assert.deepEqual(text!.trim().split('\n').slice(2), codes)
    await context.close()
  })

  test('what is shown once can be copied, which is said aloud, and prints without the rest of the page', async () => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    const page = await signIn(context)
    onComplaint(page, (complaint) => complaints.push(complaint))
    const token = await makeToken(page)
    const status = page.getByRole('status')
    assert.equal(await status.getAttribute('aria-live'), 'polite')
    await press(page, 'Copy')
    await page.getByText('Copied', { exact: true }).waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), token)
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.getByRole('button').count(), 0)
    assert.equal(await page.getByRole('link').count(), 0)
    assert.ok(await page.getByText(token).isVisible())
    await context.close()
  })

  test('what ends something looks unlike the rest', async () => {
    await elsewhere()
    const context = await browser.newContext()
    const page = await signIn(context)
    await page.goto(`${origin}/auth/sessions`)
    await follow(page, 'Sign out this session')
    const paint = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`)
    assert.equal(await paint('button.danger'), 'rgb(163, 38, 42)')
    assert.equal(await paint('a.button'), 'rgba(0, 0, 0, 0)')
    await context.close()
  })

  test('violated no policy, and no script failed', () => {
    assert.deepEqual(complaints, [])
  })
})
