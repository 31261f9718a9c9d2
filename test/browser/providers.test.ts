import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { long, unlessLong } from '../long.ts'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { startForge } from '../federation/forge_peer.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { startRelying, type Stage } from '../support/provider_stage.ts'
import { freePort } from '../support/free_port.ts'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** How a user signs in at a peer, on its own pages. */
interface Way {
  readonly title: string
  /** Creates an account there with this address. */
  readonly account: (name: string, email: string, verified?: boolean) => Promise<void>
  readonly come: (page: Page, name: string) => Promise<void>
}

describe('sign-in with providers in Chromium', { skip: browserMissing() ?? unlessLong }, () => {
  let stage: Stage
  let browser: Browser
  let peer: OidcPeer
  let other: TestDaemon
  let forge: Awaited<ReturnType<typeof startForge>>
  const ways = new Map<string, Way>()
  const complaints: string[] = []
  before(async () => {
    stage = await startRelying()
    const { hero, origin } = stage
    peer = await startOidcPeer(origin)
    forge = await startForge('forgejo')
    // Cookies do not distinguish ports: another host keeps those of the two daemons apart.
    const port = await freePort()
    const issuer = `http://127.0.0.1:${port}`
    other = await startTestDaemon({ public_url: issuer, listen: `127.0.0.1:${port}` })
    const common = { allow_signup: true }
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      ...common,
      ...peer.client,
    })
    await hero.providers.add({
      own_callback: true,
      provider: 'forge',
      title: 'The forge',
      ...common,
      ...forge.fields,
    })
    const client = await other.hero.clients.add({
      anyone: true,
      client: 'first',
      name: 'The first',
      first_party: true,
      redirect_uris: [`${origin}/oauth/callback/other`],
    })
    await hero.providers.add({
      own_callback: true,
      provider: 'other',
      preset: 'hero_proxy',
      issuer,
      title: 'The other',
      client: 'first',
      client_secret: client.client_secret!,
      ...common,
    })
    ways.set('peer', {
      title: 'The peer',
      account: async (name, email, email_verified = true) =>
        void peer.accounts.set(name, { email, email_verified, preferred_username: name }),
      come: async (page, name) => {
        await page.getByLabel('Who are you?').fill(name)
        await page.getByRole('button', { name: 'It is me' }).click()
      },
    })
    let id = 0
    ways.set('forge', {
      title: 'The forge',
      account: async (login, email, verified = true) =>
        void forge.accounts.set(login, {
          id: ++id,
          login,
          name: null,
          email,
          emails: [{ email, primary: true, verified }],
        }),
      come: async (page, name) => {
        await page.getByLabel('Login').fill(name)
        await page.getByRole('button', { name: 'Authorize' }).click()
      },
    })
    ways.set('other', {
      title: 'The other',
      account: async (username, email, verified = true) =>
        void (await other.hero.users.add({ username, password: goodPassword, ...(verified && { email }) })),
      come: async (page, name) => {
        await page.getByLabel('Username or email').fill(name)
        await page.getByLabel('Password').fill(goodPassword)
        await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      },
    })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await forge?.close()
    await peer?.close()
    await other?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  const fresh = async (): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext()
    const page = await context.newPage()
    onComplaint(page, (complaint) => {
      // Only own pages are under the daemon's policy.
      if (page.url().startsWith(stage.origin)) complaints.push(`${page.url()}: ${complaint}`)
    })
    return { context, page }
  }
  const signedIn = (page: Page) => page.getByText('You are signed in.').waitFor()
  const heading = (page: Page) => page.getByRole('heading', { level: 1 }).innerText()
  const violations = async (page: Page): Promise<string[]> => {
    const { violations } = (await page.evaluate(
      `(async () => { ${(await import('node:fs')).readFileSync(axe, 'utf8')}; return axe.run() })()`,
    )) as { violations: { id: string }[] }
    return violations.map(({ id }) => id)
  }

  // Tests in federation/ walk the others without a browser.
  for (const name of long ? ['peer', 'forge', 'other'] : ['peer']) {
    const way = () => ways.get(name)!
    const begin = async (page: Page, next = '/auth/me') => {
      await page.goto(`${stage.origin}/auth/login?return_to=${encodeURIComponent(next)}`)
      await page.getByRole('button', { name: `Sign in with ${way().title}` }).click()
    }

    test(`${name}: a new user signs up and signs in again`, async () => {
      await way().account(`new-${name}`, `new-${name}@example.org`)
      const { context, page } = await fresh()
      await begin(page)
      await way().come(page, `new-${name}`)
      await signedIn(page)
      assert.equal((await stage.hero.users.get({ email: `new-${name}@example.org` })).username, `new-${name}`)
      await context.close()
      const again = await fresh()
      await begin(again.page, '/auth/me?where=I+was')
      await way().come(again.page, `new-${name}`)
      await signedIn(again.page)
      assert.equal(again.page.url(), `${stage.origin}/auth/me?where=I+was`)
      await again.page.getByRole('link', { name: 'Sessions' }).click()
      await again.page.getByText(`with ${way().title}`).first().waitFor()
      await again.context.close()
    })

    test(`${name}: a user links an account, signs in with it and unlinks it`, async () => {
      const user = `linker-${name}`
      const email = `${user}@example.org`
      await stage.hero.users.add({ username: user, email, password: goodPassword })
      await way().account(`there-${name}`, email)
      const { context, page } = await fresh()
      await page.goto(`${stage.origin}/auth/login?return_to=/auth/me`)
      await page.getByLabel('Username or email').fill(user)
      await page.getByLabel('Password').fill(goodPassword)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await signedIn(page)
      await page.getByRole('link', { name: 'Security' }).click()
      await page.getByRole('button', { name: `Link ${way().title}` }).click()
      await way().come(page, `there-${name}`)
      await page.getByRole('button', { name: 'Link accounts' }).waitFor()
      assert.equal(await heading(page), `Link ${way().title} to your account?`)
      assert.deepEqual(await violations(page), [])
      await page.getByRole('button', { name: 'Link accounts' }).click()
      assert.match(await page.getByRole('status').innerText(), /now linked/)

      const second = await fresh()
      await begin(second.page)
      await way().come(second.page, `there-${name}`)
      await signedIn(second.page)
      assert.match(await second.page.locator('dl').innerText(), new RegExp(user))
      await second.context.close()

      await page.getByRole('link', { name: 'Unlink' }).click()
      await page.getByRole('button', { name: 'Unlink account' }).click()
      assert.match(await page.getByRole('status').innerText(), /no longer linked/)
      assert.deepEqual((await stage.hero.users.identities.list({ user })).items, [])
      await context.close()
    })

    test(`${name}: a user with an existing account is asked to sign in first, and then whether to link`, async () => {
      const user = `both-${name}`
      await stage.hero.users.add({ username: user, email: `${user}@example.org`, password: goodPassword })
      await way().account(`same-${name}`, `${user}@example.org`)
      const { context, page } = await fresh()
      await begin(page)
      await way().come(page, `same-${name}`)
      await page.getByText('An account here already uses').waitFor()
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByLabel('Username or email').fill(user)
      await page.getByLabel('Password').fill(goodPassword)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('button', { name: 'Don’t link' }).click()
      await signedIn(page)
      assert.deepEqual((await stage.hero.users.identities.list({ user })).items, [])
      await context.close()
    })

    test(`${name}: a refused user is offered other ways to sign in`, async () => {
      await stage.hero.providers.update({ provider: name, allow_signup: false })
      await way().account(`refused-${name}`, `refused-${name}@example.org`)
      const { context, page } = await fresh()
      await begin(page)
      await way().come(page, `refused-${name}`)
      await page.getByText('You have no account here').waitFor()
      await page.getByRole('link', { name: 'Other ways to sign in' }).click()
      await page.getByLabel('Password').waitFor()
      await page.goto(`${stage.origin}/auth/me`)
      assert.match(page.url(), /\/auth\/login/)
      await context.close()
    })
  }

  test('two tabs of one browser each return to where they began', async () => {
    const { context, page } = await fresh()
    await ways.get('forge')!.account('tabs', 'tabs@example.org')
    const tab = await context.newPage()
    for (const [one, next] of [
      [page, '/auth/me?tab=1'],
      [tab, '/auth/me?tab=2'],
    ] as const)
      await one.goto(`${stage.origin}/login?provider=forge&next=${encodeURIComponent(next)}`)
    await ways.get('forge')!.come(tab, 'tabs')
    await signedIn(tab)
    await ways.get('forge')!.come(page, 'tabs')
    await signedIn(page)
    assert.deepEqual(
      [page.url(), tab.url()],
      [1, 2].map((n) => `${stage.origin}/auth/me?tab=${n}`),
    )
    await context.close()
  })

  test('a provider that fails during the sign-in causes an error page', async () => {
    const { context, page } = await fresh()
    await page.goto(`${stage.origin}/login?provider=forge`)
    forge.diesAfterAnswering()
    await ways.get('forge')!.come(page, 'tabs')
    await page.getByText('The forge is not responding').waitFor()
    const cookies = await context.cookies(stage.origin)
    assert.ok(!cookies.some(({ name }) => name.includes('session')))
    await context.close()
  })

  test('own pages violated no policy', () => {
    assert.deepEqual(complaints, [])
  })
})
