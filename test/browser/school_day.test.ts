// A day at a school, from the link for a class to the television: who may enter, with what proof, and as whom.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { HeroProxy } from '../../sdk/index.ts'
import { now } from '../../src/storage/ids.ts'
import { addAuthenticator, browserMissing, noPasskeyInField, startBrowser } from '../support/browser.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { freePort } from '../support/free_port.ts'
import { payloadOf, pkce, post } from '../support/openid_stage.ts'
import { byHand } from '../support/people.ts'
import { greyPixel } from '../pictures/grey_pixel.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { unlessLong, long } from '../long.ts'

const day = 86_400
const places = { wiki: 'Wiki', board: 'Board', lab: 'Laboratory', router: 'Router' } as const
const classSize = 20

const run =
  browserMissing() === undefined && long
    ? onSqliteFirst
    : (title: string) => test(title, { skip: browserMissing() ?? unlessLong })
run('a day at a school', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let upstream: Upstream
  let browser: Browser
  let port: number
  let nextcloud: { client: string; client_secret: string | null }
  const contexts: BrowserContext[] = []
  const home = (path = '/') => `http://localhost:${port}${path}`
  const at = (place: keyof typeof places, path = '/') => `http://${place}.localhost:${port}${path}`

  before(async () => {
    port = await freePort()
    smtp = await startSmtp()
    upstream = await startUpstream()
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${port}`,
      public_url: home('').replace(/\/$/, ''),
      trusted_proxies: '127.0.0.1',
    })
    const { hero } = daemon
    await useServer(daemon, smtp)
    await hero.settings.set({ key: 'factor_enrolment', value: 'mail' })
    await hero.settings.set({ key: 'registration_mode', value: 'invite' })
    for (const slug of ['class', 'lab', 'staff']) await hero.groups.add({ slug })
    await hero.users.add({ username: 'lin', email: 'lin@example.org', password: goodPassword })
    await hero.groups.add_member({ group: 'staff', user: 'lin' })
    await hero.groups.add_admin({ group: 'lab', user: 'lin' })
    await hero.groups.add_admin({ group: 'class', user: 'lin' })
    await hero.groups.add_claim({ group: 'staff', claim: 'school.teach' })
    const rules: Record<keyof typeof places, Partial<Parameters<HeroProxy['proxy']['routes']['add']>[0]>> = {
      wiki: { required_claims: ['groups.class', 'groups.staff'] },
      board: { required_claims: ['groups.class'] },
      lab: { required_claims: ['groups.lab'], ask_group: 'lab' },
      router: { required_claims: ['groups.staff'], proof: 'passkey', proof_age: 600 },
    }
    for (const place of ['wiki', 'board', 'lab', 'router'] as const)
      await hero.proxy.routes.add({
        domain: `${place}.localhost`,
        target: upstream.target,
        auth_mode: 'local',
        title: places[place],
        ...rules[place],
      })
    nextcloud = await hero.clients.add({
      client: 'nextcloud',
      name: 'Nextcloud',
      redirect_uris: [home('/apps/user_oidc/code').replace('localhost', 'cloud.localhost')],
      required_claims: ['groups.class'],
    })
    await hero.attributes.add({ name: 'quota', type: 'text', source: 'administrator' })
    await hero.clients.update({ client: 'nextcloud', claim_map: { quota: '{attribute.quota}' } })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await daemon?.close()
    await smtp?.[Symbol.asyncDispose]()
    await upstream?.close()
  })

  /** One more device. */
  const device = async (from?: BrowserContext): Promise<{ context: BrowserContext; page: Page }> => {
    const cookies = (await from?.cookies()) ?? []
    // All of them are in the network of the school.
    const context = await browser.newContext({ extraHTTPHeaders: { 'x-forwarded-for': '198.51.100.1' } })
    // What a browser still has after it was closed.
    await context.addCookies(cookies.filter(({ expires }) => expires > 0))
    await context.addInitScript(noPasskeyInField)
    contexts.push(context)
    context.setDefaultTimeout(30_000)
    return { context, page: await context.newPage() }
  }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const signIn = async (page: Page, user: string, { keep = false } = {}) => {
    await page.getByLabel('Username or email').fill(user)
    await page.getByLabel('Password', { exact: true }).fill(goodPassword)
    if (keep) await page.getByLabel(/Keep me signed in for 30 days/).check()
    await press(page, 'Sign in')
  }
  const mailed = async (address: string, subject: RegExp) => linkIn(await smtp.mailTo(address, subject))

  let laptop: Awaited<ReturnType<typeof device>>

  test('a class joins by one link and is approved at once', async () => {
    const { hero } = daemon
    const made = await hero.invitations.add({ groups: ['class'], uses: classSize, approve: true })
    assert.match(made.works!, /^Works for 20 people, until /)

    const invite = new URL(made.link!).searchParams.get('invite')!
    const others = Array.from({ length: classSize - 1 }, (_, i) => `pupil${i + 1}`)
    await Promise.all(
      others.map(async (username) => {
        const email = `${username}@example.org`
        await hero.auth.register({ username, email, invite })
        const token = new URL(await mailed(email, /Confirm/)).searchParams.get('token')!
        await hero.auth.verify_email({ token, password: goodPassword })
      }),
    )

    laptop = await device()
    const { page } = laptop
    await page.goto(made.link!)
    await page.getByText('Then somebody must approve your account.').waitFor()
    await page.getByLabel('Username').fill('mia')
    await page.getByLabel('Email').fill('mia@example.org')
    await press(page, 'Create account')
    await page.goto(await mailed('mia@example.org', /Confirm/))
    await page.getByLabel('Password', { exact: true }).fill(goodPassword)
    await press(page, 'Create account')
    await page.getByRole('heading', { name: 'Your account awaits approval' }).waitFor()
    await page.goto(at('wiki'))
    await signIn(page, 'mia')
    await page.getByText('Somebody must still approve your registration').waitFor()

    const waiting = (await hero.registrations.list({})).items.map(({ user }) => user)
    assert.equal(waiting.length, classSize)
    await hero.registrations.approve({ users: waiting })
    const members = await hero.groups.members({ group: 'class', limit: 50 })
    assert.equal(members.items.length, classSize)
    await smtp.mailTo('mia@example.org', /is ready/)
  })

  test('two of three services open, and the third says why not and offers to ask', async () => {
    const { page } = laptop
    await page.goto(at('wiki', '/page'))
    await signIn(page, 'mia', { keep: true })
    await page.waitForURL(at('wiki', '/page'))
    await page.goto(at('board', '/page'))
    await page.waitForURL(at('board', '/page'))
    assert.equal((await page.goto(at('lab', '/page')))!.status(), 403)
    await page.getByText('You are signed in as mia. Laboratory is open to members of lab.').waitFor()
    await page.getByRole('link', { name: 'Ask for access' }).click()
    await page.getByLabel('Why do you need it?').fill('We grow crystals.')
    await press(page, 'Ask for access')
    await page.getByText('You have asked for this').waitFor()
  })

  test('the teacher approves for a week', async () => {
    const { page } = await device()
    await page.goto(await mailed('lin@example.org', /mia asks/))
    await signIn(page, 'lin')
    await page.getByText('We grow crystals.').waitFor()
    await page.getByLabel(/days/i).first().fill('7')
    await press(page, 'Approve')
    await page.getByText('The request is approved.').waitFor()
    const [member] = (await daemon.hero.groups.members({ group: 'lab' })).items
    assert.ok(Math.abs(member!.expires_at! - now() - 7 * day) < 60)
    await laptop.page.goto(await mailed('mia@example.org', /now have access/))
    assert.ok(laptop.page.url().startsWith(at('lab')))
  })

  test('the router asks for a passkey not older than ten minutes', async () => {
    const { page } = await device()
    await addAuthenticator(page)
    await page.goto(home('/auth/login'))
    await signIn(page, 'lin')
    await page.waitForURL(home())
    await page.goto(at('router'))
    await page.getByText(/You have no passkey yet/).waitFor()
    await page.goto(home('/auth/passkeys'))
    await page.getByRole('link', { name: 'Email me a code' }).click()
    await press(page, 'Email me a code')
    const { text } = await smtp.mailTo('lin@example.org', /^Confirm it/)
    await page.getByLabel('Code from the mail').fill(/^Your code: ([B-Z]{4}-[B-Z]{4})\n/.exec(text!)![1]!)
    await press(page, 'Confirm')
    await page.goto(home('/auth/passkeys'))
    await page.getByLabel('Name of the new passkey').fill('Phone')
    await press(page, 'Add passkey')
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    await page.goto(at('router', '/page'))
    await press(page, 'Use a passkey')
    await page.waitForURL(at('router', '/page'))
    const age = (seconds: number) =>
      byHand(daemon, async (database) => {
        const at = now() - seconds
        await database.query
          .updateTable('sessions')
          .set({ proven_at: at, second_at: at, passkey_at: at })
          .where('passkey_at', '>', 0)
          .execute()
        database.changed('sessions')
      })
    await age(500)
    assert.equal((await page.goto(at('router', '/page')))!.status(), 200)
    await age(700)
    await page.goto(at('router', '/page'))
    await page.getByText('confirm with a passkey').waitFor()
    await press(page, 'Use a passkey')
    await page.waitForURL(at('router', '/page'))
  })

  test("the laptop stays signed in, and the library's computer does not", async () => {
    const library = await device()
    await library.page.goto(at('wiki', '/page'))
    await signIn(library.page, 'mia')
    await library.page.waitForURL(at('wiki', '/page'))
    const again = await device(library.context)
    await again.page.goto(at('wiki', '/page'))
    await again.page.getByLabel('Username or email').waitFor()

    // Closed for 29 days.
    await byHand(daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set((eb) => ({ last_used_at: eb('last_used_at', '-', 29 * day) }))
        .where('remembered', '=', 1)
        .execute()
      database.changed('sessions')
    })
    laptop = await device(laptop.context)
    await laptop.page.goto(at('wiki', '/page'))
    await laptop.page.waitForURL(at('wiki', '/page'))
  })

  test('Nextcloud, set up as its documentation says, gets a quota and a picture', async () => {
    const { hero } = daemon
    await hero.users.update({ username: 'mia', attributes: { quota: '5 GB' } })
    await hero.users.set_picture({ user: 'mia', picture: greyPixel(99).toString('base64') })

    const discovery = (await (await fetch(home('/.well-known/openid-configuration'))).json()) as Record<
      'authorization_endpoint' | 'token_endpoint' | 'userinfo_endpoint',
      string
    >
    const { code_verifier, challenge } = pkce()
    const redirect_uri = home('/apps/user_oidc/code').replace('localhost', 'cloud.localhost')
    const authorize = new URL(discovery.authorization_endpoint)
    const asked = {
      client_id: nextcloud.client,
      response_type: 'code',
      scope: 'openid email profile',
      redirect_uri,
      claims: JSON.stringify({ id_token: { quota: null }, userinfo: { quota: null } }),
      state: 'state',
      nonce: 'nonce',
      ...challenge,
    }
    for (const [name, value] of Object.entries(asked)) authorize.searchParams.set(name, value)
    const { page } = laptop
    await page.goto(authorize.href)
    const allow = page.getByRole('button', { name: 'Allow', exact: true })
    await allow
      .or(page.getByText('Nextcloud', { exact: true }))
      .first()
      .waitFor()
    if (await allow.isVisible()) await allow.click()
    await page.waitForURL(`${redirect_uri}*`)
    const code = new URL(page.url()).searchParams.get('code')!
    const { body } = await post(
      discovery.token_endpoint,
      { grant_type: 'authorization_code', code, redirect_uri, code_verifier },
      nextcloud,
    )
    const claims = payloadOf(body.id_token)
    assert.deepEqual([claims.quota, claims.nonce], ['5 GB', 'nonce'])
    const userinfo = (await (
      await fetch(discovery.userinfo_endpoint, { headers: { authorization: `Bearer ${body.access_token}` } })
    ).json()) as Record<string, string>
    assert.deepEqual([userinfo.sub, userinfo.quota, userinfo.email], [claims.sub, '5 GB', 'mia@example.org'])
    const shown = await fetch(userinfo.picture!)
    assert.equal(shown.headers.get('content-type'), 'image/png')
    assert.deepEqual(Buffer.from(await shown.arrayBuffer()), greyPixel(99))
  })

  test('the television signs in by the laptop, and may not do much', async () => {
    const { context, page: television } = await device()
    await television.goto(at('board', '/page'))
    await television.getByRole('link', { name: 'Sign in with another device' }).click()
    await press(television, 'Show a QR code')
    await television.getByText('Scan this with your phone').waitFor()
    const cookies = await context.cookies(home())
    const browser_secret = cookies.find(({ name }) => name.endsWith('hero_proxy_elsewhere'))!.value
    const { link, digits } = await daemon.hero.auth.look_elsewhere({ browser_secret })

    const { page: phone } = laptop
    await phone.goto(link!)
    await press(phone, 'Go on')
    await phone.getByText('It is in the network of this phone.').waitFor()
    await phone.getByLabel('The two digits that it shows').fill(digits!)
    await press(phone, 'Sign it in')
    await phone.getByRole('heading', { name: 'Agreed' }).waitFor()

    await television.getByText('Your phone agrees').waitFor()
    await press(television, 'Sign in')
    await television.waitForURL(at('board', '/page'))
    const { items } = await daemon.hero.sessions.list({ user: 'mia' })
    const [newest] = items.toSorted((a, b) => b.created_at - a.created_at)
    assert.ok(newest!.expires_at <= now() + 43_200)
    await television.goto(home('/auth/tokens'))
    await television.getByText('Create a token').click()
    await television.getByLabel('What it is for').fill('Backup')
    await press(television, 'Create token')
    await television.getByText('Another device signed you in in this browser.').waitFor()
  })
})
