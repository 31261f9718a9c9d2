import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  addAuthenticator,
  browserMissing,
  noPasskeyInField,
  onComplaint,
  startBrowser,
} from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { codeOf } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { freePort } from '../support/free_port.ts'
import { unlessLong } from '../long.ts'

const newPassword = 'velvet-harbor-93-comet'

describe(
  'the pages of an account in Chromium, with its virtual authenticator',
  { skip: browserMissing() ?? unlessLong },
  () => {
    let daemon: TestDaemon
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let origin: string
    /** Errors and warnings of the browser: a violated policy, a failed script. */
    const complaints: string[] = []
    before(async () => {
      const port = await freePort()
      origin = `http://localhost:${port}`
      daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: origin })
      await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
      browser = await startBrowser()
      context = await browser.newContext()
      await context.addInitScript(noPasskeyInField)
      page = await context.newPage()
      onComplaint(page, (complaint) => complaints.push(complaint))
      await addAuthenticator(page)
    })
    after(async () => {
      await browser?.close()
      await daemon?.close()
    })

    const button = (name: string) => page.getByRole('button', { name, exact: true })
    const heading = () => page.getByRole('heading', { level: 1 }).innerText()
    const said = () => page.getByRole('status').innerText()
    const goTo = (topic: string) => page.getByRole('navigation').getByRole('link', { name: topic }).click()
    const link = (name: string) => page.getByRole('link', { name, exact: true })
    const open = (summary: string) => page.getByText(summary, { exact: true }).click()
    const signIn = async (password = goodPassword) => {
      await context.clearCookies()
      await page.goto(`${origin}/auth/login?return_to=/auth/me`)
      await page.getByLabel('Username or email').fill('ada')
      await page.getByLabel('Password').fill(password)
      await button('Sign in').click()
    }
    let secret = ''
    let recovery: string[] = []

    test('changes name and password, and shows an error at its form', async () => {
      await signIn()
      await open('Change your name')
      await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace')
      await button('Save name').click()
      assert.equal(await said(), 'Your name is saved.')
      assert.equal(await heading(), 'Ada Lovelace')
      await goTo('Security')
      await open('Change your password')
      const form = page.locator('form[action="/auth/account/password"]')
      await form.getByLabel('Current password').fill('wrong')
      await form.getByLabel('New password').fill(newPassword)
      await button('Change password').click()
      assert.match(await page.locator('p[role=alert]:visible').innerText(), /current password is wrong/)
      await open('Change your password')
      await form.getByLabel('Current password').fill(goodPassword)
      await form.getByLabel('New password').fill(newPassword)
      await button('Change password').click()
      assert.match(await said(), /Your password is changed/)
      assert.equal(await heading(), 'Security')
    })

    test('adds an authenticator app, asks for its code at the sign-in, and shows recovery codes once', async () => {
      await button('Add authenticator app').click()
      assert.ok(await page.locator('.qr svg').isVisible())
      secret = (await page.locator('.hint code').innerText()).replaceAll(' ', '')
      await page.getByRole('textbox', { name: 'Code' }).fill('000000')
      await button('Turn on').click()
      assert.match(await page.getByRole('alert').innerText(), /code is wrong/)
      await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret))
      await button('Turn on').click()
      assert.equal(await heading(), 'Recovery codes')
      recovery = await page.locator('.codes code').allInnerTexts()
      assert.equal(recovery.length, 10)
      await page.getByRole('link', { name: 'I’ve saved them' }).click()
      await page.getByText('You have 10 recovery codes left.').waitFor()
      await signIn(newPassword)
      assert.equal(await heading(), 'One more step')
      await page.getByRole('textbox', { name: 'Code' }).fill('000000')
      await button('Continue').click()
      assert.match(await page.getByRole('alert').first().innerText(), /code is wrong/)
      await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret, 1))
      await button('Continue').click()
      assert.equal(await heading(), 'Ada Lovelace')
      await signIn(newPassword)
      await page.getByRole('textbox', { name: 'Code' }).fill(recovery[0]!)
      await button('Continue').click()
      await goTo('Security')
      await page.getByText('You have 9 recovery codes left.').waitFor()
    })

    test('adds and renames a passkey that signs in alone and as a second step', async () => {
      await goTo('Passkeys')
      await page.getByLabel('Name of the new passkey').fill('Laptop')
      await button('Add passkey').click()
      await page.getByText('The passkey is added.').waitFor()
      await open('Rename or remove')
      await page.getByLabel('Name', { exact: true }).last().fill('Work laptop')
      await button('Rename').click()
      await page.getByText('Work laptop').waitFor()
      await context.clearCookies()
      await page.goto(`${origin}/auth/login?return_to=/auth/me`)
      await button('Use a passkey').click()
      await page.getByText('You are signed in.').waitFor()
      await signIn(newPassword)
      await button('Use a passkey').click()
      await page.getByText('You are signed in.').waitFor()
      await goTo('Passkeys')
      assert.ok(!(await page.content()).includes('never used'))
    })

    test('asks for a fresh proof after 15 minutes', async () => {
      const age = () =>
        byHand(daemon, async (database) => {
          await database.query.updateTable('sessions').set({ proven_at: 1 }).execute()
          database.changed('sessions')
        })
      await age()
      await goTo('Security')
      await link('Remove authenticator app').click()
      await button('Remove app').click()
      assert.equal(await heading(), 'Confirm it’s you')
      await page.getByRole('textbox', { name: 'Code' }).fill(recovery[1]!)
      await button('Continue').click()
      assert.equal(await heading(), 'Remove authenticator app?')
      await age()
      await link('Cancel').click()
      await link('Create new recovery codes').click()
      await button('Create new codes').click()
      await button('Use a passkey').click()
      await button('Create new codes').click()
      assert.equal(await heading(), 'Recovery codes')
      await link('I’ve saved them').click()
      await link('Remove authenticator app').click()
      await button('Remove app').click()
      assert.match(await said(), /removed/)
      await goTo('Passkeys')
      await open('Rename or remove')
      await link('Remove passkey').click()
      assert.match(await page.locator('.about').innerText(), /Work laptop/)
      await button('Remove passkey').click()
      assert.match(await said(), /removed/)
      await signIn(newPassword)
      assert.equal(await heading(), 'Ada Lovelace')
    })

    test('marks the current session, and signs out another one and all others', async () => {
      const other = await daemon.hero.auth.login({ login: 'ada', password: newPassword })
      await goTo('Sessions')
      await page.getByText('(this device)').waitFor()
      await link('Sign out this session').first().click()
      await button('Sign out').click()
      assert.match(await said(), /is signed out/)
      await daemon.hero.auth.login({ login: 'ada', password: newPassword })
      await page.reload()
      await link('Sign out all other sessions').click()
      await button('Sign out all others').click()
      assert.match(await said(), /All other sessions/)
      assert.equal(await link('Sign out this session').count(), 0)
      await assert.rejects(daemon.hero.as(other.access_token).auth.me())
    })

    test('creates a token for a script, shows it once, and revokes it', async () => {
      await goTo('Tokens')
      await open('Create a token')
      await page.getByLabel('What it is for').fill('Backup script')
      await page.getByLabel('What it can do').selectOption('write')
      await button('Create token').click()
      assert.equal(await heading(), 'Your new token')
      const token = await page.locator('.done code').innerText()
      assert.equal((await daemon.hero.as(token).auth.me()).user, 'ada')
      await page.getByRole('link', { name: 'I’ve copied it' }).click()
      await page.getByText('Backup script').waitFor()
      assert.ok(!(await page.content()).includes(token))
      await link('Revoke token').click()
      assert.match(await page.locator('.about').innerText(), /Backup script/)
      await button('Revoke token').click()
      assert.match(await said(), /is revoked/)
      await assert.rejects(daemon.hero.as(token).auth.me())
    })

    test('can be used from the sign-in to a new name by keyboard alone, with visible focus', async () => {
      await context.clearCookies()
      await page.goto(`${origin}/auth/login?return_to=/auth/me`)
      await page.locator('#login:focus').waitFor()
      await page.keyboard.type('ada')
      await page.keyboard.press('Tab')
      await page.keyboard.type(newPassword)
      await page.keyboard.press('Enter')
      await page.getByText('You are signed in.').waitFor()
      const focused = () => page.evaluate('document.activeElement.innerText || document.activeElement.name')
      const tabTo = async (name: string) => {
        for (let i = 0; i < 30 && (await focused()) !== name; i++) {
          await page.keyboard.press('Tab')
          const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
          assert.equal(outline, 'solid', String(await focused()))
        }
        assert.equal(await focused(), name)
      }
      await tabTo('Change your name')
      await page.keyboard.press('Enter')
      await tabTo('display_name')
      await page.keyboard.press('Control+A')
      await page.keyboard.type('Countess')
      await page.keyboard.press('Enter')
      await page.getByText('Your name is saved.').waitFor()
      assert.equal(await heading(), 'Countess')
    })

    test('violated no policy, and no script failed', () => {
      assert.deepEqual(complaints, [])
    })
  },
)
