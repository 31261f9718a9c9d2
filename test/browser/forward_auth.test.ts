import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { kinds, missing, startFront, type Front } from '../software/front.ts'
import { long } from '../long.ts'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { freePort } from '../support/free_port.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

const names = ['wiki', 'files', 'chat'] as const

// The requests of all three are tested in test/software; the walk of two takes a minute and finds nothing else.
for (const kind of long ? kinds : kinds.slice(0, 1)) {
  const skip = browserMissing() ?? missing(kind)
  describe(`one sign-in behind ${kind}, which asks by forward auth, in Chromium`, { skip }, () => {
    let daemon: TestDaemon
    let upstream: Upstream
    let front: Front
    let browser: Browser
    let port: number
    const complaints: string[] = []
    const at = (name: string, path = '/page') => `http://${name}.localhost:${port}${path}`
    before(async () => {
      port = await freePort()
      daemon = await startTestDaemon({
        public_url: at('id', ''),
        trusted_proxies: '127.0.0.1',
        forward_auth_from: '127.0.0.1',
      })
      upstream = await startUpstream()
      await daemon.hero.users.add({ username: 'ada', password: goodPassword })
      for (const name of names)
        await daemon.hero.proxy.routes.add({
          domain: `${name}.localhost`,
          // The proxy in front forwards the requests.
          target: 'http://127.0.0.1:9',
          auth_mode: 'local',
        })
      const service = Number(new URL(upstream.target).port)
      front = await startFront(kind, { hero: daemon.edge.port, service, port, names })
      browser = await startBrowser()
    })
    after(async () => {
      await browser?.close()
      await front?.[Symbol.asyncDispose]()
      await upstream?.close()
      await daemon?.close()
    })

    const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
    const opens = async (page: Page, name: string) => {
      await page.goto(at(name, '/page?x=1'))
      assert.equal(page.url(), at(name, '/page?x=1'))
      const { rawHeaders } = JSON.parse(await page.innerText('body')) as { rawHeaders: string[] }
      assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    }
    const signIn = async (page: Page) => {
      await page.goto(at('wiki', '/page?x=1#part'))
      assert.equal(new URL(page.url()).host, `id.localhost:${port}`)
      await page.getByLabel('Username or email').fill('ada')
      await page.getByLabel('Password').fill(goodPassword)
      await press(page, /^Sign in$/)
      await page.waitForURL(at('wiki', '/page?x=1#part'))
    }

    test('signs in once, opens every service, and signs out of one only and everywhere', async () => {
      const context = await browser.newContext()
      const page = await context.newPage()
      onComplaint(page, (complaint) => complaints.push(complaint))
      await signIn(page)
      for (const name of names) await opens(page, name)

      await page.goto(at('files', '/logout'))
      await press(page, /Sign out of files/)
      await page.getByText('You are signed out of files.localhost').waitFor()
      await opens(page, 'chat')
      await page.goto(at('files', '/page?x=1'))
      await press(page, 'Open it')
      await page.waitForURL(at('files', '/page?x=1'))

      await page.goto(at('chat', '/logout'))
      await press(page, 'Sign out everywhere')
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      for (const name of names) {
        await page.goto(at(name))
        assert.match(page.url(), /\/auth\/login\?service=/)
      }
      await signIn(page)
      assert.deepEqual(complaints, [])
      await context.close()
    })
  })
}
