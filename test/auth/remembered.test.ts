import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { now } from '../../src/storage/ids.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { enrolled } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const day = 86_400
const session = '__Host-hero_proxy_session'

onSqliteFirst('people who stay signed in', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let upstream: Upstream
  let home: URL
  let wiki: URL
  before(async () => {
    smtp = await startSmtp()
    upstream = await startUpstream()
    const port = await freePort()
    home = new URL(`http://localhost:${port}`)
    wiki = new URL(`http://wiki.localhost:${port}`)
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${port}`,
      public_url: home.origin,
    })
    await useServer(daemon, smtp)
    const { hero } = daemon
    await hero.settings.set({ key: 'magic_links', value: true })
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
    await upstream.close()
  })

  let number = 0
  const newUser = async () => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email }
  }
  const enter = async (username: string, box: Record<string, string>, browser = new Person()) => {
    const page = await browser.open(`${home.origin}/auth/login`)
    await browser.submit(page, '/auth/login', { login: username, password: goodPassword, ...box })
    return browser
  }
  const ticked = { remember: '1' }
  const sessionsOf = async (user: string) => (await daemon.hero.sessions.list({ user })).items
  const only = async (user: string) => {
    const [first, ...more] = await sessionsOf(user)
    assert.deepEqual(more, [])
    return first!
  }
  const isIn = async (browser: Person, at: URL) => (await browser.open(at)).url.host === at.host
  const isHome = async (browser: Person) =>
    (await browser.open(`${home.origin}/auth/me`)).url.pathname === '/auth/me'
  /** Makes the sign-ins of a person look as if they had last been used so long ago. */
  const age = (username: string, seconds: number) =>
    byHand(daemon, async (database) => {
      const user = await database.query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      await database.query
        .updateTable('sessions')
        .set({ last_used_at: now() - seconds })
        .where('user_id', '=', user.id)
        .execute()
      database.changed('sessions')
    })

  test('without the box, the cookies of home and of services end with the browser', async () => {
    const { username } = await newUser()
    const browser = await enter(username, {})
    assert.ok(await isIn(browser, wiki))
    assert.equal(browser.keeps(session, home), undefined)
    assert.equal(browser.keeps(session, wiki), undefined)
    const { created_at, expires_at, remembered } = await only(username)
    assert.equal(expires_at - created_at, day)
    assert.equal(remembered, false)
    browser.restart()
    assert.ok(!(await isHome(browser)))
    assert.ok(!(await isIn(browser, wiki)))
  })

  test('the box says for how long, is never ticked, and keeps home and services beyond the browser', async () => {
    const { username } = await newUser()
    const browser = new Person()
    const { text } = await browser.open(`${home.origin}/auth/login`)
    assert.match(text, /<input type="checkbox" name="remember" value="1" aria-describedby="remember-hint">/)
    assert.match(text, /Keep me signed in for 30 days/)
    assert.match(text, /at most 180 days/)
    await enter(username, ticked, browser)
    assert.ok(await isIn(browser, wiki))
    assert.equal(browser.keeps(session, home), 180 * day)
    const child = browser.keeps(session, wiki)!
    assert.ok(child > 179 * day && child <= 180 * day)
    const { created_at, expires_at, remembered } = await only(username)
    assert.equal(expires_at - created_at, 180 * day)
    assert.equal(remembered, true)
    browser.restart()
    assert.ok(await isHome(browser))
    assert.ok(await isIn(browser, wiki))
    const page = await browser.open(`${home.origin}/auth/sessions`)
    assert.match(page.text, /Stays signed in when the browser is closed/)
    assert.match(page.text, /proves nothing/)
  })

  test('session_idle does not count for a kept sign-in, remember_days does', async () => {
    const { username } = await newUser()
    const browser = await enter(username, ticked)
    await age(username, 29 * day)
    assert.ok(await isHome(browser))
    await age(username, 31 * day)
    assert.ok(!(await isHome(browser)))
    const other = await enter((await newUser()).username, {})
    await age(`person${number}`, 8 * day)
    assert.ok(!(await isHome(other)))
  })

  test('remember_days = 0 takes the box away, ignores it, and ends what was kept at once', async () => {
    const { username } = await newUser()
    const kept = await enter(username, ticked)
    assert.ok(await isHome(kept))
    await daemon.hero.settings.set({ key: 'remember_days', value: 0 })
    try {
      assert.ok(!(await isHome(kept)))
      const browser = new Person()
      assert.ok(!(await browser.open(`${home.origin}/auth/login`)).text.includes('name="remember"'))
      assert.ok(!(await browser.open(`${home.origin}/auth/magic`)).text.includes('name="remember"'))
      await enter(username, ticked, browser)
      assert.ok(await isHome(browser))
      assert.equal(browser.keeps(session, home), undefined)
    } finally {
      await daemon.hero.settings.set({ key: 'remember_days', value: 30 })
    }
  })

  test('a second step keeps the wish of the first', async () => {
    const { username } = await newUser()
    const { recovery_codes } = await enrolled(await signedIn(daemon, username))
    const enterByCode = async (box: Record<string, string>, code: string) => {
      const browser = new Person()
      const page = await browser.open(`${home.origin}/auth/login`)
      const step = await browser.submit(page, '/auth/login', {
        login: username,
        password: goodPassword,
        ...box,
      })
      await browser.submit(step, '/auth/factor', { code })
      return browser.keeps(session, home)
    }
    assert.equal(await enterByCode(ticked, recovery_codes[0]!), 180 * day)
    assert.equal(await enterByCode({}, recovery_codes[1]!), undefined)
  })

  test('a mailed link keeps the sign-in in the browser that asked for both, and in no other', async () => {
    const { email } = await newUser()
    const link = async (browser: Person, box: Record<string, string>) => {
      const page = await browser.open(`${home.origin}/auth/magic`)
      assert.match(page.text, /type="checkbox" name="remember"/)
      await browser.submit(page, '/auth/magic', { email, ...box })
      const address = linkIn(await smtp.mailTo(email, /^Sign in/))
      smtp.arrived.length = 0
      return address
    }
    const use = async (browser: Person, address: string) => {
      await browser.submit(await browser.open(address), '/auth/magic', {})
      assert.ok(await isHome(browser))
      return browser.keeps(session, home)
    }
    const same = new Person()
    assert.equal(await use(same, await link(same, ticked)), 180 * day)
    const plain = new Person()
    assert.equal(await use(plain, await link(plain, {})), undefined)
    assert.equal(await use(new Person(), await link(new Person(), ticked)), undefined)
  })

  test('the same person signing in again gets the lifetime of the new sign-in, and keeps the services', async () => {
    const { username } = await newUser()
    const browser = await enter(username, ticked)
    assert.ok(await isIn(browser, wiki))
    const { id } = await only(username)
    // The page of a mailed link signs in again in an open sign-in.
    const page = await browser.open(`${home.origin}/auth/prove`)
    const asked = { login: username, password: goodPassword }
    await browser.submit(
      { ...page, text: page.text.replaceAll('/auth/prove', '/auth/login') },
      '/auth/login',
      asked,
    )
    const again = await only(username)
    assert.equal(again.id, id)
    assert.equal(again.remembered, false)
    assert.ok(again.expires_at - now() <= day)
    assert.equal(browser.keeps(session, home), undefined)
    assert.ok(await isIn(browser, wiki))
  })

  test('a person who replaces another one gets what they asked for', async () => {
    const [first, second] = [await newUser(), await newUser()]
    const browser = await enter(first.username, {})
    const page = await browser.open(`${home.origin}/auth/prove`)
    const asking = await browser.submit(
      { ...page, text: page.text.replaceAll('/auth/prove', '/auth/login') },
      '/auth/login',
      { login: second.username, password: goodPassword, ...ticked },
    )
    assert.ok((await only(second.username)).expires_at - now() <= 300)
    await browser.submit(asking, '/auth/replace', { answer: 'replace' })
    assert.equal(browser.keeps(session, home), 180 * day)
    assert.ok((await only(second.username)).expires_at - now() > 179 * day)
  })
})
