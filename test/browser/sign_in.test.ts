import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { addAuthenticator, browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { freePort } from '../support/free_port.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { violations } from './axe.ts'

describe('signing in at a service, in Chromium', { skip: browserMissing() ?? false }, () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let browser: Browser
  let port: number
  const complaints: string[] = []
  const home = (path: string) => `http://localhost:${port}${path}`
  const wiki = (path: string) => `http://wiki.localhost:${port}${path}`

  before(async () => {
    port = await freePort()
    daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: `http://localhost:${port}` })
    upstream = await startUpstream()
    const { hero } = daemon
    await hero.settings.set({ key: 'magic_links', value: true })
    await hero.users.add({ username: 'ada', password: goodPassword })
    await hero.users.add({ username: 'lin', password: goodPassword })
    await hero.groups.add({ slug: 'bosses' })
    await hero.groups.add_member({ group: 'bosses', user: 'ada' })
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
      title: 'The wiki',
      required_claims: ['groups.bosses'],
    })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
    await upstream?.close()
  })

  const open = async (
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    onComplaint(page, (complaint) => complaints.push(complaint))
    return { context, page }
  }
  const login = (page: Page) => page.getByLabel('Username or email')
  const password = (page: Page) => page.getByLabel('Password', { exact: true })
  const fill = async (page: Page, user: string, secret = goodPassword) => {
    await login(page).fill(user)
    await password(page).fill(secret)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  test('a part of the page survives the form, also after a wrong password', async () => {
    const { context, page } = await open()
    await page.goto(wiki('/page?x=1#part/2?y'))
    await page.getByText('open The wiki at wiki.localhost').waitFor()
    await fill(page, 'ada', 'wrong')
    await page.getByText('Wrong username, email or password.').waitFor()
    await fill(page, 'ada')
    await page.waitForURL(wiki('/page?x=1#part/2?y'))
    await context.close()
  })

  test('the password can be shown, which keeps the focus and ends when the form is sent', async () => {
    const { context, page } = await open()
    await page.goto(home('/auth/login'))
    await login(page).fill('ada')
    await password(page).fill('secret')
    const reveal = page.getByRole('button', { name: 'Show password' })
    assert.equal(await reveal.getAttribute('aria-pressed'), 'false')
    await reveal.click()
    assert.equal(await page.locator('#password').getAttribute('type'), 'text')
    assert.equal(await reveal.getAttribute('aria-pressed'), 'true')
    assert.equal(await page.evaluate('document.activeElement.id'), 'password')
    await page.keyboard.type('!')
    assert.equal(await page.locator('#password').inputValue(), 'secret!')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    assert.equal(await page.locator('#password').getAttribute('type'), 'password')
    assert.equal(await page.evaluate('document.activeElement.dataset.reveal'), 'password')
    await reveal.click()
    await page.evaluate(`document.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault()
      document.title = document.querySelector('#password').type
    })`)
    await password(page).press('Enter')
    await page.waitForFunction("document.title === 'password'")
    assert.equal(await reveal.getAttribute('aria-pressed'), 'false')
    await context.close()
  })

  test('without scripts there is no such button, and nothing else is missing', async () => {
    const { context, page } = await open({ javaScriptEnabled: false })
    await page.goto(wiki('/page'))
    assert.equal(await page.getByRole('button').count(), 1)
    await fill(page, 'ada', 'wrong')
    await page.getByText('Wrong username, email or password.').waitFor()
    await password(page).and(page.locator(':focus')).waitFor()
    assert.equal(await login(page).inputValue(), 'ada')
    await page.keyboard.type(goodPassword)
    await page.keyboard.press('Enter')
    await page.waitForURL(wiki('/page'))
    await context.close()
  })

  test('a page whose cookie is gone comes back filled in, and leads on', async () => {
    const { context, page } = await open()
    await page.goto(wiki('/page#part'))
    await context.clearCookies({ name: '__Host-hero_proxy_form' })
    await fill(page, 'ada')
    await page.getByText('open for too long').waitFor()
    assert.equal(await login(page).inputValue(), 'ada')
    assert.equal(await password(page).inputValue(), '')
    await password(page).fill(goodPassword)
    await page.keyboard.press('Enter')
    await page.waitForURL(wiki('/page#part'))
    await context.close()
  })

  test('a person without access switches accounts, and goes on at the page', async () => {
    const { context, page } = await open()
    await page.goto(wiki('/page?x=1'))
    await fill(page, 'lin')
    await page.getByText('You are signed in as lin. The wiki is open to members of bosses.').waitFor()
    assert.equal(await page.title(), 'No access')
    await page.getByRole('link', { name: 'Switch account' }).click()
    await page.getByRole('button', { name: 'Sign out lin and continue' }).click()
    await page.getByText('open The wiki').waitFor()
    const last = page.getByRole('button', { name: 'Sign in', exact: true })
    assert.equal(await last.getAttribute('aria-describedby'), 'last-used')
    await fill(page, 'ada')
    await page.waitForURL(wiki('/page?x=1'))
    await context.close()
  })

  test('the browser offers passkeys in the field, and asks for a new challenge every four minutes', async () => {
    const { context, page } = await open()
    await addAuthenticator(page)
    await page.addInitScript(`
      globalThis.asked = []
      const get = navigator.credentials.get.bind(navigator.credentials)
      navigator.credentials.get = (options) => {
        const { mediation = 'modal', signal, publicKey } = options
        const each = { mediation, aborted: false, challenge: new Uint8Array(publicKey.challenge).join() }
        asked.push(each)
        signal?.addEventListener('abort', () => (each.aborted = true))
        return new Promise((_, refuse) => signal?.addEventListener('abort', () => refuse(signal.reason)))
      }
      PublicKeyCredential.isConditionalMediationAvailable = async () => true
    `)
    const askedTimes = async (count: number) => {
      for (let i = 0; (await page.evaluate('asked.length')) !== count; i++) {
        assert.ok(i < 400, `the page does not ask for a passkey ${count} times`)
        await delay(25)
      }
    }
    await page.clock.install()
    await page.goto(home('/auth/login'))
    await askedTimes(1)
    await page.clock.fastForward('04:01')
    await askedTimes(2)
    type Asked = { mediation: string; aborted: boolean; challenge: string }[]
    const [first, second] = (await page.evaluate('asked')) as Asked
    assert.deepEqual([first!.mediation, first!.aborted], ['conditional', true])
    assert.deepEqual([second!.mediation, second!.aborted], ['conditional', false])
    assert.notEqual(second!.challenge, first!.challenge)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await askedTimes(3)
    const [, waiting, pressed] = (await page.evaluate('asked')) as Asked
    assert.equal(waiting!.aborted, true)
    assert.deepEqual([pressed!.mediation, pressed!.challenge], ['modal', second!.challenge])
    await context.close()
  })

  test('a passkey signs in, is marked as last used, and the part of the page survives', async () => {
    const { context, page } = await open()
    await addAuthenticator(page)
    await page.goto(home('/auth/login'))
    await fill(page, 'ada')
    await page.waitForURL(home('/'))
    await page.goto(home('/auth/passkeys'))
    await page.getByLabel('Name of the new passkey').fill('Laptop')
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    await context.clearCookies()
    await page.goto(wiki('/page#part'))
    // The browser may take the passkey by itself, as if the person had chosen it in the field.
    await page
      .getByRole('button', { name: 'Use a passkey' })
      .click({ timeout: 5000 })
      .catch(() => {})
    await page.waitForURL(wiki('/page#part'))
    const way = (await context.cookies(home('/'))).find(({ name }) => name.endsWith('_way'))
    assert.equal(way!.value, 'passkey')
    await context.close()
  })

  test('the pages pass axe on a phone, in both colour schemes', async () => {
    const { context, page } = await open({
      bypassCSP: true,
      viewport: { width: 360, height: 740 },
    })
    const check = async (name: string) => {
      assert.deepEqual(await violations(page), [], name)
      const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      assert.equal(wide, false, `${name} scrolls sideways`)
    }
    await page.goto(wiki('/page'))
    await check('sign in')
    await fill(page, 'lin', 'wrong')
    await page.getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Show password' }).click()
    await check('wrong password')
    await context.clearCookies({ name: '__Host-hero_proxy_form' })
    await fill(page, 'lin')
    await page.getByText('open for too long').waitFor()
    await check('too old')
    await fill(page, 'lin')
    await page.getByText('No access').first().waitFor()
    await check('no access')
    await page.getByRole('link', { name: 'Switch account' }).click()
    await check('switch account')
    await context.clearCookies({ name: '__Host-hero_proxy_form' })
    await page.getByRole('button', { name: 'Sign out lin and continue' }).click()
    await page.getByText('Please send this again').first().waitFor()
    await check('send again')
    await page.getByRole('button', { name: 'Send again' }).click()
    await page.getByText('Last used').waitFor()
    await check('last used')
    await context.close()
  })

  test('no page made the browser complain', () => assert.deepEqual(complaints, []))
})
