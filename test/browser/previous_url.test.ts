import assert from 'node:assert/strict'
import { hash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
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
import { freePort } from '../support/free_port.ts'
import { TestAuthority } from '../support/pem.ts'
import { unlessLong } from '../long.ts'

const old = 'https://door.example.org'
const home = 'https://id.example.net'

/** Related origins are read from port 443 of the old name, so the browser takes our port for it. */
describe(
  'passkeys after the public URL has changed, in Chromium',
  { skip: browserMissing() ?? unlessLong },
  () => {
    let daemon: TestDaemon
    let authority: TestAuthority
    let browser: Browser
    let context: BrowserContext
    let page: Page
    const complaints: string[] = []

    before(async () => {
      const port = await freePort()
      authority = new TestAuthority()
      const { cert, key } = authority.issue('door.example.org', 'id.example.net')
      daemon = await startTestDaemon({
        listen: `127.0.0.1:${port}`,
        public_url: old,
        tls_cert: cert,
        tls_key: key,
      })
      await daemon.hero.users.add({ username: 'ada', password: goodPassword })
      const spki = new X509Certificate(readFileSync(cert)).publicKey.export({ type: 'spki', format: 'der' })
      browser = await startBrowser([
        `--host-resolver-rules=MAP *:443 127.0.0.1:${port}`,
        // Passkeys need a certificate that the browser accepts.
        `--ignore-certificate-errors-spki-list=${hash('sha256', spki, 'base64')}`,
      ])
      context = await browser.newContext()
      await context.addInitScript(noPasskeyInField)
      page = await context.newPage()
      onComplaint(page, (complaint) => complaints.push(complaint))
      await addAuthenticator(page)
      await page.goto(`${old}/auth/login?return_to=/auth/passkeys`)
      await page.getByLabel('Username or email').fill('ada')
      await page.getByLabel('Password').fill(goodPassword)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByLabel('Name of the new passkey').fill('Laptop')
      await page.getByRole('button', { name: 'Add passkey' }).click()
      await page.getByText('I’ve saved them').waitFor()
      daemon = await daemon.restart({ public_url: home, previous_public_urls: old })
    })
    after(async () => {
      await browser?.close()
      await daemon?.close()
      authority?.[Symbol.dispose]()
    })

    const signsIn = async (way: () => Promise<void>) => {
      await page.goto(`${old}/auth/login?return_to=/auth/passkeys`)
      assert.equal(page.url(), `${home}/auth/login?return_to=/auth/passkeys`, 'the old name leads home')
      await page.getByRole('button', { name: 'Use a passkey' }).click()
      await way()
      await page.waitForURL(`${home}/auth/passkeys`)
      await page.getByText('This passkey belongs to door.example.org').waitFor()
      assert.deepEqual(
        (await context.cookies(old))
          .map(({ name }) => name)
          .filter((name) => !/form|way|session|device|zone/.test(name)),
        [],
      )
      await context.clearCookies()
    }

    test('a browser that knows related origins uses them at home', () => signsIn(async () => {}))

    test('another goes to the page of the old host, and comes back signed in', async () => {
      await context.addInitScript(
        'if (globalThis.PublicKeyCredential) PublicKeyCredential.getClientCapabilities = async () => ({ relatedOrigins: false })',
      )
      await signsIn(async () => {
        await page.waitForURL(`${old}/.hero_proxy/passkey?begun=*`)
        await page.getByText('Your passkey was made for door.example.org.').waitFor()
        assert.deepEqual(await context.cookies(old), [])
        await page.getByRole('button', { name: 'Use a passkey' }).click()
      })
    })

    test('and nothing broke a policy', () => assert.deepEqual(complaints, []))
  },
)
