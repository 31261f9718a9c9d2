import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { now } from '../../src/storage/ids.ts'
import { long } from '../long.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { codeOf, enrolled } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'

const day = 86_400
const cookie = '__Host-hero_proxy_trusted'
const session = '__Host-hero_proxy_session'

onSqliteFirst('browsers that people trust', (newUrl) => {
  let daemon: TestDaemon
  let home: URL
  before(async () => {
    const port = await freePort()
    home = new URL(`http://localhost:${port}`)
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${port}`,
      public_url: home.origin,
    })
    await daemon.hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
  })
  after(() => daemon.close())

  let number = 0
  /** A person with an authenticator app, whose codes are used up one after another. */
  const newUser = async (fields: { is_admin?: boolean } = {}) => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword, ...fields })
    const hero = await signedIn(daemon, username)
    const { secret, recovery_codes } = await enrolled(hero)
    return { username, email, hero, secret, recovery_codes }
  }
  type User = Awaited<ReturnType<typeof newUser>>
  /** A code counts once, so the app's clock is put back between two of them. */
  const code = async ({ username, secret }: User) => {
    await byHand(daemon, async ({ query }) =>
      query
        .updateTable('totp')
        .set({ last_step: 0 })
        .where('user_id', 'in', (users) =>
          users.selectFrom('users').select('id').where('username', '=', username),
        )
        .execute(),
    )
    return codeOf(secret)
  }
  const begin = async (browser: Person, username: string) => {
    await leave(browser)
    const page = await browser.open(`${home.origin}/auth/login`)
    return browser.submit(page, '/auth/login', { login: username, password: goodPassword })
  }
  const leave = async (browser: Person) => {
    const page = await browser.open(`${home.origin}/auth/logout`)
    if (page.text.includes('action="/auth/logout"')) await browser.submit(page, '/auth/logout', {})
  }
  /** Signs in with the second factor, and trusts the browser. */
  const trust = async (browser: Person, user: User, typed?: string) => {
    const step = await begin(browser, user.username)
    assert.match(step.text, /<input type="checkbox" name="trust" value="1" aria-describedby="trust-hint">/)
    assert.match(step.text, /Trust this browser for 30 days/)
    await browser.submit(step, '/auth/factor', { code: typed ?? (await code(user)), trust: '1' })
  }
  const isIn = async (browser: Person) =>
    (await browser.open(`${home.origin}/auth/me`)).url.pathname === '/auth/me'
  /** Whether the password alone signs a person in here. */
  const skips = async (browser: Person, { username }: User) => {
    await begin(browser, username)
    return isIn(browser)
  }
  const valueOf = (browser: Person) =>
    new RegExp(`${cookie}=([^;]*)`).exec(browser.cookiesAt(home))?.[1] ?? ''
  const copyOf = (value: string) => {
    const other = new Person()
    other.plant(cookie, value, home)
    return other
  }
  const trusted = async ({ hero }: User) => (await hero.sessions.trusted.list()).items
  const mailsTo = (email: string, kind: string) =>
    byHand(daemon, async ({ query }) => {
      const mails = query.selectFrom('mails').select('kind').where('address', '=', email)
      return (await mails.where('kind', '=', kind).execute()).length
    })
  const verify = (user: User) =>
    byHand(daemon, async (database) => {
      await database.query
        .updateTable('users')
        .set({ email_verified_at: now() })
        .where('username', '=', user.username)
        .execute()
      database.changed('users')
    })

  test('trust skips the second factor at sign-in, for trust_days, in this browser and for this person', async () => {
    const [ada, eve] = [await newUser(), await newUser()]
    const browser = new Person()
    await trust(browser, ada)
    assert.equal(browser.keeps(cookie, home), 30 * day)
    const first = valueOf(browser)
    assert.ok(await skips(browser, ada))
    assert.notEqual(valueOf(browser), first)
    assert.ok(!(await skips(new Person(), ada)))
    // The cookie at another person.
    assert.ok(!(await skips(browser, eve)))
    assert.ok(await skips(browser, ada))
    await byHand(daemon, async ({ query }) =>
      query
        .updateTable('trusted_browsers')
        .set({ created_at: now() - 30 * day })
        .execute(),
    )
    assert.ok(!(await skips(browser, ada)))
  })

  test('it proves one factor and no more', async () => {
    const ada = await newUser()
    const browser = new Person()
    await trust(browser, ada)
    assert.ok(await skips(browser, ada))
    const [latest] = (await daemon.hero.sessions.list({ user: ada.username })).items
    assert.equal(latest!.factor, '')
    const rows = await byHand(daemon, ({ query }) =>
      query
        .selectFrom('sessions')
        .select(['second_at', 'passkey_at', 'by_trust'])
        .where('id', '=', latest!.id)
        .execute(),
    )
    assert.deepEqual(rows, [{ second_at: 0, passkey_at: 0, by_trust: 1 }])
    // A fresh proof takes the factor: the sign-in of this second is none.
    const page = await browser.open(`${home.origin}/auth/security`)
    const asked = await browser.submit(page, '/auth/account/password', {
      password: 'velvet-harbor-93-comet',
      current_password: goodPassword,
    })
    assert.equal(asked.url.pathname, '/auth/prove')
    const proved = await browser.submit(asked, '/auth/prove', { code: await code(ada) })
    const done = await browser.submit(proved, '/auth/account/password', {
      password: 'velvet-harbor-93-comet',
      current_password: goodPassword,
    })
    assert.match(done.text, /password is changed/)
  })

  test('admin_factor withholds what administrators hold from such a session', async () => {
    const boss = await newUser({ is_admin: true })
    await daemon.hero.settings.set({ key: 'admin_factor', value: true })
    try {
      const browser = new Person()
      await trust(browser, boss)
      const claims = async () => {
        const { text } = await browser.open(`${home.origin}/auth/me`, {
          headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' },
        })
        return (JSON.parse(text) as { claims: string[] }).claims
      }
      assert.ok((await claims()).includes('proxy.admin'))
      assert.ok(await skips(browser, boss))
      assert.ok(!(await claims()).some((claim) => /^(admin|groups\.admin|proxy\.)/.test(claim)))
    } finally {
      await daemon.hero.settings.set({ key: 'admin_factor', value: false })
    }
  })

  test('two people trust one browser, and each use gives it one value for both', async () => {
    const [ada, eve] = [await newUser(), await newUser()]
    const browser = new Person()
    await trust(browser, ada)
    await trust(browser, eve)
    assert.ok(await skips(browser, ada))
    assert.ok(await skips(browser, eve))
    assert.ok(await skips(browser, ada))
    const [row, ...more] = await trusted(ada)
    assert.deepEqual(more, [])
    await ada.hero.sessions.trusted.revoke({ id: row!.id })
    assert.ok(!(await skips(browser, ada)))
    assert.ok(await skips(browser, eve))
  })

  test('an answer that is lost costs nothing: the value before counts until the new one was shown', async () => {
    const ada = await newUser()
    const browser = new Person()
    await trust(browser, ada)
    const first = valueOf(browser)
    for (let i = 0; i < 3; i++) {
      const again = copyOf(first)
      assert.ok(await skips(again, ada), `${i}`)
      if (i === 2) assert.ok(await skips(again, ada))
    }
  })

  test('a copied cookie that is used twice ends the trust of all in the browser, and tells them', async () => {
    const [ada, eve] = [await newUser(), await newUser()]
    for (const user of [ada, eve]) await verify(user)
    const browser = new Person()
    await trust(browser, ada)
    await trust(browser, eve)
    const stolen = copyOf(valueOf(browser))
    assert.ok(await skips(browser, ada))
    assert.ok(await skips(stolen, ada))
    // One of the two is shown once more, and then the other one.
    assert.ok(await skips(browser, ada))
    assert.ok(!(await skips(stolen, ada)))
    for (const user of [ada, eve]) {
      assert.deepEqual(await trusted(user), [])
      assert.equal(await mailsTo(user.email, 'trust_ended'), 1)
      assert.ok(!(await skips(browser, user)))
    }
    const { items } = await daemon.hero.audit.list({ method: 'auth.trusted_browser' })
    assert.equal(items.filter(({ outcome }) => outcome === 'copied').length, 2)
  })

  test('fifty at once with one value: all or none, and one of them goes on', { skip: !long }, async () => {
    const ada = await newUser()
    const browser = new Person()
    await trust(browser, ada)
    const value = valueOf(browser)
    const copies = Array.from({ length: 50 }, () => copyOf(value))
    const results = await Promise.all(copies.map((copy) => skips(copy, ada).catch(() => false)))
    const first = copies[results.indexOf(true)]!
    assert.ok(await skips(first, ada))
    const second = copies[results.lastIndexOf(true)]!
    assert.ok(!(await skips(second, ada)))
    assert.ok(!(await skips(first, ada)))
  })

  const ends: Record<string, (user: User) => Promise<unknown>> = {
    'a password change': ({ hero }) =>
      hero.auth.set_password({ password: 'velvet-harbor-93-comet', current_password: goodPassword }),
    'an administrator’s password change': ({ username }) =>
      daemon.hero.auth.set_password({ user: username, password: 'velvet-harbor-93-comet' }),
    'sessions.revoke_all': ({ hero }) => hero.sessions.revoke_all(),
    'a factor that is removed': ({ hero }) => hero.factors.remove_totp(),
    'a recovery code': async (user) => {
      const browser = new Person()
      await browser.submit(await begin(browser, user.username), '/auth/factor', {
        code: user.recovery_codes[0]!,
      })
    },
    deactivation: async ({ username }) => {
      await daemon.hero.users.update({ username, is_active: false })
    },
  }
  for (const [what, end] of Object.entries(ends))
    test(`${what} ends it`, async () => {
      const ada = await newUser()
      const browser = new Person()
      await trust(browser, ada)
      assert.equal(await rowsOf(ada), 1)
      await end(ada)
      assert.equal(await rowsOf(ada), 0)
    })
  const rowsOf = ({ username }: User) =>
    byHand(daemon, async ({ query }) => {
      const rows = query.selectFrom('trusted_browsers').innerJoin('users', 'users.id', 'user_id')
      return (await rows.select('username').where('username', '=', username).execute()).length
    })

  test('a recovery code makes no trust, nor does a program or trust_days 0', async () => {
    const ada = await newUser()
    const browser = new Person()
    await trust(browser, ada, ada.recovery_codes[0]!)
    assert.ok(await isIn(browser))
    assert.equal(browser.keeps(cookie, home), null)
    const other = new Person()
    await trust(other, ada)
    await daemon.hero.settings.set({ key: 'trust_days', value: 0 })
    try {
      const step = await begin(other, ada.username)
      assert.ok(!step.text.includes('name="trust"'))
      await other.submit(step, '/auth/factor', { code: await code(ada), trust: '1' })
      assert.ok(await isIn(other))
      assert.ok(!(await skips(other, ada)))
    } finally {
      await daemon.hero.settings.set({ key: 'trust_days', value: 30 })
    }
  })

  test('ten for each person; they are listed on the account page, and each ends by a button', async () => {
    const ada = await newUser()
    for (let i = 0; i < 11; i++) await trust(new Person(), ada)
    assert.equal((await trusted(ada)).length, 10)
    const browser = new Person()
    await trust(browser, ada)
    const page = await browser.open(`${home.origin}/auth/sessions`)
    assert.match(page.text, /Trusted browsers/)
    assert.match(page.text, /still ask for your password/)
    const shown = await byTrusted(ada.hero)
    const asked = await browser.follow(page, '/auth/account/untrust?id=')
    assert.match(asked.text, /Stop trusting this browser\?/)
    const done = await browser.submit(asked, '/auth/account/untrust', {})
    assert.match(done.text, /asks for your second factor again/)
    assert.equal((await byTrusted(ada.hero)).length, shown.length - 1)
    const eve = await newUser()
    await refused(eve.hero.sessions.trusted.revoke({ id: shown.at(-1)!.id }), 'not_found')
  })
  const byTrusted = async (hero: HeroProxy) => (await hero.sessions.trusted.list()).items

  test('a mailed link and a kept sign-in go together with it', async () => {
    const ada = await newUser()
    const browser = new Person()
    await trust(browser, ada)
    await leave(browser)
    const page = await browser.open(`${home.origin}/auth/login`)
    await browser.submit(page, '/auth/login', {
      login: ada.username,
      password: goodPassword,
      remember: '1',
    })
    assert.equal(browser.keeps(session, home), 180 * day)
    browser.restart()
    assert.ok(await isIn(browser))
    assert.ok(await skips(browser, ada))
  })
})
