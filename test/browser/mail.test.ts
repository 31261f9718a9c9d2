import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { browserMissing, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { unlessLong } from '../long.ts'

const newPassword = 'velvet-harbor-93-comet'

describe(
  'flows by mail in a browser without scripts, with a real SMTP server',
  {
    skip: browserMissing() ?? unlessLong,
  },
  () => {
    let daemon: TestDaemon
    let smtp: TestSmtp
    let browser: Browser
    let context: BrowserContext
    let page: Page
    before(async () => {
      smtp = await startSmtp()
      daemon = await startTestDaemon()
      await useServer(daemon, smtp)
      await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
      await daemon.hero.settings.set({ key: 'magic_links', value: true })
      browser = await startBrowser()
      context = await browser.newContext({ javaScriptEnabled: false })
      page = await context.newPage()
    })
    after(async () => {
      await browser?.close()
      await smtp?.[Symbol.asyncDispose]()
      await daemon?.close()
    })

    const at = (path: string) => `http://localhost:${daemon.edge.port}${path}`
    /** The link in the newest mail, after twenty requests as of a mail scanner, which must not use it up. */
    const mailedTo = async (address: string, subject: RegExp): Promise<string> => {
      const { pathname, search } = new URL(linkIn(await smtp.mailTo(address, subject)))
      for (let i = 0; i < 10; i++)
        for (const method of ['GET', 'HEAD'])
          assert.equal((await ask(daemon, 'localhost', pathname + search, { method })).status, 200)
      return at(pathname + search)
    }
    const press = (name: string) => page.getByRole('button', { name }).click()
    const heading = () => page.getByRole('heading', { level: 1 }).innerText()
    const signIn = async (login: string, password: string) => {
      await page.goto(at('/auth/login'))
      await page.getByLabel('Username or email').fill(login)
      await page.getByLabel('Password').fill(password)
      await press('Sign in')
    }
    /** The name on the account page. */
    const who = async () => {
      await page.goto(at('/auth/me'))
      return heading()
    }
    const signOut = async () => {
      await page.goto(at('/auth/logout'))
      await press('Sign out')
    }

    test('a user registers, confirms the address and signs in', async () => {
      await page.goto(at('/auth/login'))
      await page.getByRole('link', { name: 'Create account' }).click()
      await page.getByLabel('Username').fill('mary')
      await page.getByLabel('Name', { exact: true }).fill('Mary Ward')
      await page.getByLabel('Email').fill('mary@example.org')
      assert.equal(await page.getByLabel('Password').count(), 0)
      await press('Create account')
      assert.equal(await heading(), 'Check your email')
      const link = await mailedTo('mary@example.org', /Confirm/)
      await page.goto(link)
      assert.equal(await heading(), 'Choose a password')
      assert.match(await page.innerText('main'), /mary will have the address mary@example\.org/)
      await page.getByLabel('Password').fill('password1')
      await press('Create account')
      assert.match(await page.getByRole('alert').innerText(), /too easy to guess/)
      await page.getByLabel('Password').fill(goodPassword)
      await press('Create account')
      assert.equal(await heading(), 'My services')
      assert.equal(await who(), 'Mary Ward')
      await signOut()
      await signIn('mary@example.org', goodPassword)
      assert.equal(await who(), 'Mary Ward')
      await signOut()
      // The link is used up.
      assert.equal((await page.goto(link))?.status(), 410)
      assert.match(await page.innerText('main'), /no longer works/)
    })

    test('a forgotten password is reset by mail, and a weak new one does not use up the link', async () => {
      await page.goto(at('/auth/login'))
      await page.getByRole('link', { name: 'Forgot your password?' }).click()
      await page.getByLabel('Email').fill('mary@example.org')
      await press('Send link')
      assert.equal(await heading(), 'Check your email')
      const link = await mailedTo('mary@example.org', /new password/)
      await page.goto(link)
      await page.getByLabel('Password').fill('mary1234')
      await press('Set password')
      assert.match(await page.getByRole('alert').innerText(), /too easy to guess/)
      await page.getByLabel('Password').fill(newPassword)
      await press('Set password')
      assert.equal(await heading(), 'Your password is set')
      await smtp.mailTo('mary@example.org', /was changed/)
      await signIn('mary', newPassword)
      assert.equal(await who(), 'Mary Ward')
      await signOut()
    })

    test('a mailed link signs in by a button', async () => {
      await page.goto(at('/auth/login'))
      await page.getByRole('link', { name: 'Email me a sign-in link' }).click()
      await page.getByLabel('Email').fill('mary@example.org')
      await press('Send link')
      await page.goto(await mailedTo('mary@example.org', /^Sign in/))
      await press('Sign in')
      assert.equal(await who(), 'Mary Ward')
      await signOut()
    })

    test('an invitation requires only a username and a password, and ends signed in', async () => {
      await daemon.hero.settings.set({ key: 'registration_mode', value: 'invite' })
      await page.goto(at('/auth/register'))
      assert.equal(await heading(), 'Invitation required')
      await daemon.hero.invitations.add({ email: 'joan@example.org' })
      await page.goto(await mailedTo('joan@example.org', /invited/))
      assert.equal(await page.getByLabel('Email').count(), 0)
      await page.getByLabel('Username').fill('joan')
      await page.getByLabel('Password').fill(goodPassword)
      await press('Create account')
      assert.equal(await heading(), 'My services')
      assert.equal(await who(), 'joan')
      assert.equal((await daemon.hero.users.get({ username: 'joan' })).email, 'joan@example.org')
      await signOut()
      await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    })

    test('a mail requested under another host name links to the public URL (D19)', async () => {
      await daemon.hero.proxy.routes.add({
        domain: 'evil.localhost',
        target: 'http://127.0.0.1:9',
        auth_mode: 'none',
      })
      smtp.arrived.length = 0
      const askFrom = (host: string) =>
        ask(daemon, host, '/rpc', {
          method: 'POST',
          headers: [
            'Content-Type',
            'application/json',
            'X-Forwarded-Host',
            'evil.test',
            'Forwarded',
            'host=evil.test',
          ],
          body: JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'auth.request_password_reset',
            params: { email: 'joan@example.org' },
          }),
        })
      assert.equal((await askFrom('evil.localhost')).status, 502, 'the path is that of the service')
      assert.equal((await askFrom('localhost')).status, 200)
      // The first mail answers the only request that counted.
      assert.match(
        linkIn(await smtp.mailTo('joan@example.org')),
        /^http:\/\/localhost:9997\/auth\/reset\?token=/,
      )
    })

    test('the response to a request for a reset is identical for known and unknown addresses', async () => {
      const answerTo = async (email: string) => {
        const asked = await context.newPage()
        await asked.goto(at('/auth/reset'))
        await asked.getByLabel('Email').fill(email)
        await asked.getByRole('button').click()
        const text = await asked.content()
        await asked.close()
        return text
      }
      assert.equal(await answerTo('mary@example.org'), await answerTo('nobody@example.org'))
    })
  },
)
