import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { goodPassword } from '../support/daemon.ts'
import { pkce, startProvider, type Provider } from '../support/openid_stage.ts'
import { unlessLong } from '../long.ts'

/** An application at an origin of its own. After a form, it goes on to a third origin, as applications with several hosts do. */
const startApplication = async () => {
  const received: string[] = []
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1')
    received.push(`${request.method} ${request.url}`)
    if (request.method !== 'POST' && url.pathname !== '/begin')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>At ${url.pathname}</h1>`)
    const { port } = server.address() as AddressInfo
    response.writeHead(303, { location: `http://third.localhost:${port}/third` }).end()
    request.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, received, close: () => server.close() }
}

describe('forms of the OpenID provider in Chromium', { skip: browserMissing() ?? unlessLong }, () => {
  let stage: Provider
  let browser: Browser
  let app: Awaited<ReturnType<typeof startApplication>>
  const complaints: string[] = []
  before(async () => {
    stage = await startProvider()
    app = await startApplication()
    const fields = { post_logout_redirect_uris: [`${app.origin}/bye`], public: true }
    await stage.daemon.hero.clients.add({
      anyone: true,
      ...fields,
      name: 'Own',
      client: 'own',
      first_party: true,
      redirect_uris: [`${app.origin}/callback`],
      grants: ['authorization_code', 'device_code'],
    })
    await stage.daemon.hero.clients.add({
      anyone: true,
      ...fields,
      name: 'Other',
      client: 'other',
      redirect_uris: [`${app.origin}/callback`],
    })
    browser = await startBrowser()
  })
  after(async () => {
    await browser.close()
    app.close()
    await stage.daemon.close()
  })

  const address = (path: string, query: Record<string, string>) =>
    `${stage.issuer}${path}?${new URLSearchParams(query)}`
  const authorizeAt = (client_id: string, more: Record<string, string> = {}) =>
    address('/authorize', {
      client_id,
      redirect_uri: `${app.origin}/callback`,
      response_type: 'code',
      scope: 'openid',
      state: 'xyz',
      ...pkce().challenge,
      ...more,
    })
  const logoutAt = (more: Record<string, string> = {}) =>
    address('/oauth/logout', {
      client_id: 'own',
      post_logout_redirect_uri: `${app.origin}/bye`,
      state: 'a&b',
      ...more,
    })
  const signIn = async (page: Page, to: string) => {
    await page.goto(to)
    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password', { exact: true }).fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  const arrives = async (page: Page, path: string) => {
    await page.waitForURL((url) => url.host !== new URL(stage.issuer).host && url.pathname === path, {
      timeout: 20_000,
    })
    assert.equal(await page.getByRole('heading').innerText(), `At ${path}`)
  }

  for (const javaScriptEnabled of [true, false])
    describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
      let context: BrowserContext
      let page: Page
      before(async () => {
        context = await browser.newContext({ javaScriptEnabled, locale: 'en-GB' })
        page = await context.newPage()
        page.setDefaultTimeout(20_000)
        onComplaint(page, (complaint) => complaints.push(complaint))
      })
      after(() => context.close())

      test('signing in, with and without consent', async () => {
        // The other browser may have given it already.
        await stage.daemon.hero.consents.revoke({ client: 'other', user: 'ada' })
        await signIn(page, authorizeAt('own'))
        await arrives(page, '/callback')
        await page.goto(authorizeAt('other'))
        await page.getByRole('button', { name: 'Allow', exact: true }).click()
        await arrives(page, '/callback')
        await page.goto(authorizeAt('other', { prompt: 'consent' }))
        await page.locator('button[value=refuse]').click()
        await arrives(page, '/callback')
        assert.match(page.url(), /error=access_denied/)
      })

      test('form_post', async () => {
        await page.goto(authorizeAt('own', { response_mode: 'form_post' }))
        if (!javaScriptEnabled) await page.getByRole('button').click()
        await arrives(page, '/third')
        assert.ok(app.received.some((line) => line === 'POST /callback'))
      })

      test('signing out and staying signed in', async () => {
        await page.goto(logoutAt())
        await page.locator('button.quiet').click()
        await arrives(page, '/bye')
        await page.goto(logoutAt())
        await page.locator('button[name=logout]').click()
        await arrives(page, '/bye')
        assert.equal(new URL(page.url()).searchParams.get('state'), 'a&b')
      })

      test('signing out after our session has ended', async () => {
        await page.goto(logoutAt())
        await arrives(page, '/bye')
        assert.equal(new URL(page.url()).searchParams.get('state'), 'a&b')
        await page.goto(address('/oauth/logout', {}))
        assert.equal(new URL(page.url()).pathname, '/oauth/logout/success')
        assert.match(await page.getByRole('heading').innerText(), /signed out/i)
      })

      test('a device', async () => {
        const answer = await fetch(`${stage.issuer}/oauth/device`, {
          method: 'POST',
          body: new URLSearchParams({ client_id: 'own', scope: 'openid' }),
        })
        const { user_code } = (await answer.json()) as { user_code: string }
        await page.goto(`${stage.issuer}/device`)
        await page.getByRole('textbox').fill(user_code)
        await page.locator('form[action="/device"] button').click()
        await page.locator('button[name=confirm]').click()
        if (new URL(page.url()).pathname === '/auth/login') await signIn(page, page.url())
        await page.getByText(/is signed in/).waitFor()
      })

      test('nothing violated a policy', () => assert.deepEqual(complaints, []))
    })
})
