import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext } from 'playwright-core'
import { browserMissing, startBrowser } from '../support/browser.ts'
import { startAtHome } from '../support/openid_stage.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

/** The tour of the README in a real browser: set up, sign in once, use two services with the identity, sign out. */
describe('the tour of the README in Chromium', { skip: browserMissing() ?? false }, () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let browser: Browser
  let context: BrowserContext
  const at = (host: string, path: string) => `http://${host}:${daemon.edge.port}${path}`
  const seen = () => upstream.seen.at(-1)!

  before(async () => {
    daemon = await startAtHome()
    upstream = await startUpstream((request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<title>The wiki</title><p id=path>${request.url}</p>`)
    })
    browser = await startBrowser()
    context = await browser.newContext()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
    await upstream?.close()
  })

  test('the printed link creates the first administrator and signs them in', async () => {
    const page = await context.newPage()
    await page.goto(at('localhost', new URL(daemon.setupLink!).pathname + new URL(daemon.setupLink!).search))
    await page.getByLabel('Username').fill('ada')
    await page.getByLabel('Email').fill('ada@example.org')
    await page.getByLabel('Password').fill('password')
    await page.getByRole('button', { name: 'Create account' }).click()
    assert.match(await page.getByRole('alert').innerText(), /too easy to guess/)
    assert.equal(await page.getByLabel('Username').inputValue(), 'ada', 'the form keeps what was typed')

    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByRole('heading', { name: 'My services' }).waitFor()
    const { items } = await daemon.hero.users.list()
    assert.deepEqual(
      items.map(({ username, is_admin }) => ({ username, is_admin })),
      [{ username: 'ada', is_admin: true }],
    )
    await page.close()
  })

  test('the link works once', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(at('localhost', new URL(daemon.setupLink!).pathname + new URL(daemon.setupLink!).search))
    await page.getByRole('heading', { name: 'This link no longer works' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Create account' }).count(), 0)
    await page.context().close()
  })

  test('a protected page redirects to the sign-in page at home and back', async () => {
    await daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
    const { hero } = daemon
    for (const { id } of (await hero.sessions.list({ user: 'ada' })).items) await hero.sessions.revoke({ id })
    const page = await context.newPage()
    await page.goto(at('wiki.localhost', '/pages/door?tab=history#top'))
    const { hostname, pathname } = new URL(page.url())
    assert.deepEqual([hostname, pathname], ['localhost', '/auth/login'])
    assert.equal(upstream.seen.length, 0, 'nothing reached the service')

    await page.getByLabel('Username or email').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    assert.match(await page.getByRole('alert').innerText(), /Wrong username, email or password/)

    await page.getByLabel('Password').fill(goodPassword)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.locator('#path').waitFor()
    assert.equal(await page.locator('#path').innerText(), '/pages/door?tab=history')
    assert.equal(await page.title(), 'The wiki')
    assert.equal(new URL(page.url()).hostname, 'wiki.localhost')
    await page.close()
  })

  test('a second service opens without another sign-in, with a session of its own', async () => {
    await daemon.hero.proxy.routes.add({
      domain: 'shop.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => void asked.push(request.url()))
    await page.goto(at('shop.localhost', '/basket?item=7'))
    assert.equal(page.url(), at('shop.localhost', '/basket?item=7'))
    assert.deepEqual(valuesOf(seen().rawHeaders, 'X-Hero-User'), ['ada'])
    assert.ok(
      asked.some((url) => url.startsWith(at('localhost', '/auth/login?service='))),
      'the way led home',
    )
    const cookies = await context.cookies()
    const sessions = cookies.filter(({ name }) => name.endsWith('hero_proxy_session'))
    assert.deepEqual(sessions.map(({ domain }) => domain).toSorted(), [
      'localhost',
      'shop.localhost',
      'wiki.localhost',
    ])
    assert.equal(new Set(sessions.map(({ value }) => value)).size, 3, 'no cookie is shared')
    const { items } = await daemon.hero.sessions.list({ user: 'ada' })
    assert.deepEqual(
      items.map(({ hosts }) => hosts),
      [['shop.localhost', 'wiki.localhost']],
      'one sign-in opened both',
    )
    await page.close()
  })

  test('the service receives the identity from the proxy only', async () => {
    await daemon.hero.groups.add({ slug: 'engineers' })
    await daemon.hero.roles.add({ name: 'writer' })
    await daemon.hero.roles.add_claim({ role: 'writer', claim: 'wiki.pages.write' })
    await daemon.hero.groups.add_role({ group: 'engineers', role: 'writer' })
    await daemon.hero.groups.add_member({ group: 'engineers', user: 'ada' })
    const page = await context.newPage()
    await page.setExtraHTTPHeaders({ 'X-Hero-User': 'root', 'X-Hero-Claims': 'admin' })
    await page.goto(at('wiki.localhost', '/'))
    const { rawHeaders } = seen()
    assert.deepEqual(valuesOf(rawHeaders, 'X-Hero-User'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'X-Hero-Context'), ['1'])
    const claims = valuesOf(rawHeaders, 'X-Hero-Claims')[0]!.split(',')
    for (const claim of ['groups.engineers', 'users.ada', 'wiki.pages.write'])
      assert.ok(claims.includes(claim), claim)
    assert.ok(!valuesOf(rawHeaders, 'Cookie').join().includes('hero_proxy'), 'the session cookie is removed')
    await page.close()
  })

  test('a guest on an optional route carries no identity, whatever the browser sends', async () => {
    await daemon.hero.proxy.routes.add({
      domain: 'blog.localhost',
      target: upstream.target,
      auth_mode: 'optional',
    })
    const page = await context.newPage()
    await page.setExtraHTTPHeaders({ 'X-Hero-User': 'root', 'X-Hero-Context': '0', 'X-Hero-Claims': 'admin' })
    await page.goto(at('blog.localhost', '/'))
    assert.deepEqual(
      seen().rawHeaders.filter((_, i) => i % 2 === 0 && /^x.hero/i.test(seen().rawHeaders[i]!)),
      [],
    )
    await page.close()
  })

  test('signing out everywhere closes both services again', async () => {
    const page = await context.newPage()
    await page.goto(at('wiki.localhost', '/logout'))
    assert.equal(new URL(page.url()).hostname, 'localhost')
    await page.getByRole('button', { name: 'Sign out of wiki.localhost only' }).waitFor()
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    const count = upstream.seen.length
    for (const host of ['wiki.localhost', 'shop.localhost']) {
      await page.goto(at(host, '/'))
      const { hostname, pathname } = new URL(page.url())
      assert.deepEqual([hostname, pathname], ['localhost', '/auth/login'])
    }
    assert.equal(upstream.seen.length, count)
    await page.close()
  })
})
