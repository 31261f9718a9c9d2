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
import { freePort } from '../support/free_port.ts'
import { TestAuthority } from '../support/pem.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

const hosts = ['wiki', 'files', 'chat', 'notes'] as const

describe('one sign-in, in Chromium over TLS with two workers', { skip: browserMissing() ?? false }, () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let smtp: TestSmtp
  let authority: TestAuthority
  let peer: OidcPeer
  let browser: Browser
  let port: number
  /** Errors and warnings of the browser: a violated policy, a failed script. */
  const complaints: string[] = []
  const at = (host: string, path = '/page') => `https://${host}.hero.localhost:${port}${path}`

  before(async () => {
    port = await freePort()
    authority = new TestAuthority()
    const { cert, key } = authority.issue(...['id', 'team', ...hosts].map((host) => `${host}.hero.localhost`))
    daemon = await startTestDaemon({
      listen: `127.0.0.1:${port}`,
      public_url: at('id', ''),
      tls_cert: cert,
      tls_key: key,
      workers: '2',
    })
    upstream = await startUpstream()
    smtp = await startSmtp()
    const { hero } = daemon
    await useServer(daemon, smtp)
    peer = await startOidcPeer(at('id', ''))
    await hero.settings.set({ key: 'magic_links', value: true })
    for (const username of ['ada', 'grace', 'linus'])
      await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
    await hero.settings.set({ key: 'providers_may_be_local', value: true })
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      allow_signup: true,
      ...peer.client,
    })
    for (const host of hosts)
      await hero.proxy.routes.add({
        domain: `${host}.hero.localhost`,
        target: upstream.target,
        auth_mode: 'local',
        no_store: host === 'wiki',
      })
    await hero.proxy.routes.add({
      domain: 'team.hero.localhost',
      target: upstream.target,
      auth_mode: 'oauth',
      provider: 'peer',
    })
    assert.equal((await hero.stats()).workers.length, 2)
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await smtp?.[Symbol.asyncDispose]()
    await peer?.close()
    await daemon?.close()
    await upstream?.close()
    authority?.[Symbol.dispose]()
  })

  const open = async (scripts = true): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: scripts })
    const page = await context.newPage()
    onComplaint(page, (complaint) => complaints.push(complaint))
    return { context, page }
  }
  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
  const fill = async (page: Page, login: string) => {
    await page.getByLabel('Username or email').fill(login)
    await page.getByLabel('Password').fill(goodPassword)
    await press(page, /^Sign in$/)
  }
  /** Whom the service saw, on the page that it answered. */
  const shown = async (page: Page): Promise<string | undefined> => {
    const { rawHeaders } = JSON.parse(await page.innerText('body')) as { rawHeaders: string[] }
    return valuesOf(rawHeaders, 'x-hero-user')[0]
  }
  /** Opens every service, without a prompt at any of them. */
  const opensAll = async (page: Page, user: string) => {
    for (const host of hosts) {
      await page.goto(at(host, `//deep/path?of=${host}`))
      assert.equal(page.url(), at(host, `//deep/path?of=${host}`))
      assert.equal(await shown(page), user)
    }
  }

  for (const scripts of [true, false])
    test(`a password, ${scripts ? 'with' : 'without'} scripts, and out again everywhere`, async () => {
      const { context, page } = await open(scripts)
      await page.goto(at('wiki', '/page?x=1#part'))
      assert.equal(new URL(page.url()).host, new URL(at('id')).host)
      await fill(page, 'ada')
      await page.waitForURL(at('wiki', `/page?x=1${scripts ? '#part' : ''}`))
      assert.equal(await shown(page), 'ada')
      await opensAll(page, 'ada')
      const [mine] = (await daemon.hero.sessions.list({ user: 'ada', limit: 1 })).items
      assert.deepEqual(mine!.hosts, hosts.map((host) => `${host}.hero.localhost`).toSorted())

      await page.goto(at('wiki'))
      await page.goto(at('wiki', '/logout'))
      await press(page, 'Sign out everywhere')
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      const left = (await context.cookies()).filter(({ name }) => name.includes('session'))
      assert.deepEqual(left, [], 'no dead cookie stays at any host')
      await page.goBack()
      await page.goBack()
      assert.doesNotMatch(await page.innerText('body'), /ada/, 'Back shows nothing of a route with no_store')
      for (const host of hosts) {
        await page.goto(at(host))
        assert.match(page.url(), /\/auth\/login\?service=/)
      }
      await context.close()
    })

  test('signing out of one service only leaves the others, and it asks before it opens again', async () => {
    const { context, page } = await open()
    await page.goto(at('wiki'))
    await fill(page, 'ada')
    await opensAll(page, 'ada')
    await page.goto(at('files', '/auth/logout'))
    await press(page, /Sign out of files/)
    await page.getByText('You are signed out of files.hero.localhost').waitFor()
    for (const host of ['wiki', 'chat']) {
      await page.goto(at(host))
      assert.equal(await shown(page), 'ada')
    }
    await page.goto(at('files', '/again'))
    await press(page, 'Open it')
    await page.waitForURL(at('files', '/again'))
    assert.equal(await shown(page), 'ada')
    await page.goto(at('files', '/more'))
    assert.equal(page.url(), at('files', '/more'))
    await context.close()
  })

  test('a second factor, and then a passkey', async () => {
    const { context, page } = await open()
    await context.addInitScript(noPasskeyInField)
    await addAuthenticator(page)
    await page.goto(at('id', '/auth/login'))
    await fill(page, 'grace')
    await page.waitForURL(at('id', '/'))
    await page.goto(at('id', '/auth/security'))
    await press(page, 'Add authenticator app')
    const secret = (await page.locator('.hint code').innerText()).replaceAll(' ', '')
    await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret))
    await press(page, 'Turn on')
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    await page.goto(at('id', '/auth/passkeys'))
    await page.getByLabel('Name of the new passkey').fill('Laptop')
    await press(page, 'Add passkey')
    await page.getByText('The passkey is added.').waitFor()

    await context.clearCookies()
    await page.goto(at('chat'))
    await fill(page, 'grace')
    await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret, 1))
    await press(page, 'Continue')
    await page.waitForURL(at('chat'))
    await opensAll(page, 'grace')

    await context.clearCookies()
    await page.goto(at('files'))
    await press(page, 'Use a passkey')
    await page.waitForURL(at('files'))
    await opensAll(page, 'grace')
    await context.close()
  })

  test('a mailed link: to the page in the browser that asked, to home in another', async () => {
    const { context, page } = await open()
    const other = await open()
    for (const [opener, address] of [
      [page, at('wiki', '/page?of=linus')],
      [other.page, at('id', '/')],
    ] as const) {
      smtp.arrived.length = 0
      await context.clearCookies()
      await page.goto(at('wiki', '/page?of=linus'))
      await page.getByRole('link', { name: 'Email me a sign-in link' }).click()
      await page.getByLabel('Email').fill('linus@example.org')
      await press(page, 'Send link')
      await page.getByRole('heading', { name: 'Check your email' }).waitFor()
      await opener.goto(linkIn(await smtp.mailTo('linus@example.org', /^Sign in/)))
      const lead = await opener.innerText('.lead')
      assert.match(lead, /as linus@example\.org/, 'the button names the account')
      assert.equal(
        lead.includes('wiki.hero.localhost'),
        opener === page,
        'and the service, where it is known',
      )
      await press(opener, 'Sign in')
      await opener.waitForURL(address)
      await opensAll(opener, 'linus')
    }
    await context.close()
    await other.context.close()
  })

  test('a provider: the person whom it vouched for opens every service, those of the provider too', async () => {
    peer.accounts.set('joan', {
      email: 'joan@example.org',
      email_verified: true,
      preferred_username: 'joan',
    })
    const { context, page } = await open()
    await page.goto(at('files', '/report?x=1'))
    await page.getByRole('button', { name: 'Sign in with The peer' }).click()
    await page.getByLabel('Who are you?').fill('joan')
    await press(page, 'It is me')
    await page.waitForURL(at('files', '/report?x=1'))
    await opensAll(page, 'joan')
    await page.goto(at('team'))
    assert.equal(page.url(), at('team'))
    assert.equal(await shown(page), 'joan')
    await context.close()
  })

  test('a service of a provider: a person with a password goes there once, and stays who they are', async () => {
    peer.accounts.set('ada', { email: 'ada@example.org', email_verified: true, preferred_username: 'ada' })
    const { context, page } = await open()
    await page.goto(at('wiki'))
    await fill(page, 'ada')
    await page.waitForURL(at('wiki'))
    await page.goto(at('team', '/board'))
    await page.getByLabel('Who are you?').fill('ada')
    await press(page, 'It is me')
    await press(page, 'Link accounts')
    await page.waitForURL(at('team', '/board'))
    assert.equal(await shown(page), 'ada')
    const [mine, ...others] = (await daemon.hero.sessions.list({ user: 'ada', limit: 10 })).items
    assert.deepEqual(mine!.hosts, ['team.hero.localhost', 'wiki.hero.localhost'])
    assert.equal(others.filter(({ hosts }) => hosts.includes('team.hero.localhost')).length, 0)
    await context.close()
  })

  test('no page made the browser complain', () => assert.deepEqual(complaints, []))
})
