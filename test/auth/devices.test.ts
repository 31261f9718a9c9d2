import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KnownDevices, deviceLifetimeSeconds } from '../../src/auth/known_devices.ts'
import { now } from '../../src/storage/ids.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { codeOf, enrolled } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const newPassword = 'velvet-harbor-93-comet'

onSqliteFirst('devices that people sign in with', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let home: string
  before(async () => {
    smtp = await startSmtp()
    const port = await freePort()
    home = `http://localhost:${port}`
    const database_url = newUrl()
    daemon = await startTestDaemon({ database_url, listen: `127.0.0.1:${port}`, public_url: home })
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newUser = async () => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email }
  }
  /** Signs in with a browser, and returns it. */
  const enter = async (username: string, browser = new Person(), password = goodPassword) => {
    if (deviceOf(browser) !== undefined) await leave(browser)
    const page = await browser.signIn(await browser.open(`${home}/auth/login`), username, password)
    assert.equal(page.status, 200)
    return browser
  }
  const subjects = (email: string) =>
    byHand(daemon, async ({ query }) => {
      const rows = await query.selectFrom('mails').select('kind').where('address', '=', email).execute()
      return rows.map(({ kind }) => kind).filter((kind) => kind === 'new_device').length
    })
  const leave = async (browser: Person) => {
    await browser.submit(await browser.open(`${home}/auth/logout`), '/auth/logout', {})
  }
  const deviceOf = (browser: Person) =>
    /__Host-hero_proxy_device=([^;]*)/.exec(browser.cookiesAt(new URL(home)))?.[1]
  const rows = (username: string) =>
    byHand(daemon, ({ query }) =>
      query
        .selectFrom('known_devices')
        .innerJoin('users', 'users.id', 'known_devices.user_id')
        .selectAll('known_devices')
        .where('users.username', '=', username)
        .execute(),
    )

  test('the first device of a person is not reported, a new one is, a known one is not', async () => {
    const { username, email } = await newUser()
    const own = await enter(username)
    await enter(username, own)
    assert.equal(await subjects(email), 0)
    await enter(username)
    assert.equal(await subjects(email), 1)
    await enter(username, own)
    assert.equal(await subjects(email), 1)
    const value = deviceOf(own)!
    assert.match(value, /^[A-Za-z0-9_-]{43}$/)
    const stored = await rows(username)
    assert.equal(stored.length, 2)
    assert.ok(stored.every(({ device_hash }) => /^[0-9a-f]{64}$/.test(device_hash)))
    assert.ok(!JSON.stringify(stored).includes(value))
  })

  test('the notice says when, with which device and from where', async () => {
    const { username, email } = await newUser()
    await enter(username)
    const stranger = new Person()
    const page = await stranger.open(`${home}/auth/login`)
    const token = /name="form_token" value="([^"]+)"/.exec(page.text)![1]!
    await stranger.open(`${home}/auth/login`, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token, login: username, password: goodPassword }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: home,
        'user-agent': firefox,
        'accept-language': 'de',
      },
    })
    // In English although the stranger reads German: the notice is for the owner.
    const mail = await smtp.mailTo(email, /new device/)
    for (const part of [mail.text!, String(mail.html)]) {
      assert.match(part, /Time: \w{3} \d{1,2}, \d{4}, \d\d:\d\d UTC/)
      assert.match(part, /Device: Firefox on Linux/)
      assert.match(part, /Network address: 127\.0\.0\.1/)
    }
  })

  test('a notice is in the language of the device that the person has had for longest', async () => {
    const { username, email } = await newUser()
    await enter(username)
    await byHand(daemon, ({ query }) =>
      query
        .updateTable('known_devices')
        .set({ language: 'fr', first_seen_at: 1 })
        .where('user_id', 'in', (eb) => eb.selectFrom('users').select('id').where('username', '=', username))
        .execute(),
    )
    await enter(username)
    assert.match((await smtp.mailTo(email)).subject!, /depuis un nouvel appareil/)
  })

  test('every way in reports a new device: link, second factor, programs', async () => {
    const { username, email } = await newUser()
    await enter(username)
    await daemon.hero.auth.request_magic_link({ email })
    const other = new Person()
    const page = await other.open(linkIn(await smtp.mailTo(email, /Sign in/)))
    await other.submit(page, '/auth/magic', {})
    assert.equal(await subjects(email), 1)

    const { secret } = await enrolled(await signedIn(daemon, username))
    const third = new Person()
    const second = await third.signIn(await third.open(`${home}/auth/login`), username, goodPassword)
    // The password alone is no sign-in.
    assert.equal(await subjects(email), 1)
    assert.equal((await third.submit(second, '/auth/factor', { code: codeOf(secret, 1) })).status, 200)
    assert.equal(await subjects(email), 2)
    // The cookie came with the first step already.
    assert.equal((await rows(username)).length, 3)
  })

  test('a program at the edge is a device of its own, and local services are none', async () => {
    const { username, email } = await newUser()
    await enter(username)
    await signedIn(daemon, username)
    assert.equal(await subjects(email), 0)
    const call = async (agent: string) => {
      const params = { login: username, password: goodPassword }
      const answer = await fetch(`${home}/rpc`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': agent },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.login', params }),
      })
      assert.ok(((await answer.json()) as { result?: object }).result)
    }
    await call('curl/8.5')
    await call('curl/8.5')
    assert.equal(await subjects(email), 1)
    await call('tool/1')
    assert.equal(await subjects(email), 2)
  })

  test('a cookie that is not ours is replaced, and two people may share a browser', async () => {
    const [ada, lin] = [await newUser(), await newUser()]
    const shared = await enter(ada.username)
    const device = deviceOf(shared)
    await enter(lin.username, shared)
    assert.equal(deviceOf(shared), device)
    assert.equal(await subjects(lin.email), 0)
    const [[one], [two]] = [await rows(ada.username), await rows(lin.username)]
    assert.notEqual(one!.device_hash, two!.device_hash)
  })

  test('a person keeps twenty devices, and the newest of all outlives the sweep', async () => {
    const { username } = await newUser()
    const { id } = await daemon.hero.users.get({ username })
    await byHand(daemon, async (database) => {
      const devices = new KnownDevices(database)
      for (let i = 0; i < 25; i++)
        assert.equal(await devices.meet(id, `device ${i}`, undefined), i === 0 ? 'first' : 'new')
    })
    assert.equal((await rows(username)).length, 20)
    await byHand(daemon, async ({ query }) => {
      const old = now() - deviceLifetimeSeconds
      const of = (
        await query.selectFrom('known_devices').selectAll().where('user_id', '=', id).execute()
      ).map(({ device_hash }) => device_hash)
      for (const [i, device_hash] of of.entries())
        await query
          .updateTable('known_devices')
          .set({ last_seen_at: old - 100 - i })
          .where('device_hash', '=', device_hash)
          .execute()
    })
    await byHand(daemon, (database) => new KnownDevices(database).sweep())
    assert.equal((await rows(username)).length, 1)
    assert.equal(
      await byHand(daemon, (database) => new KnownDevices(database).meet(id, 'x', undefined)),
      'new',
    )
  })

  test('notices of a change name where the person made it, and of an administrator only that', async () => {
    const { username, email } = await newUser()
    await daemon.hero.auth.set_password({ user: username, password: newPassword })
    const { text } = await smtp.mailTo(email, /password .* was changed/)
    assert.match(text!, /Time: .* UTC\s+By: an administrator/)
    assert.doesNotMatch(text!, /Device|Network/)
    const own = await enter(username, new Person(), newPassword)
    const page = await own.open(`${home}/auth/security`)
    smtp.arrived.length = 0
    await own.submit(page, '/auth/account/password', {
      current_password: newPassword,
      password: goodPassword,
    })
    const { text: mine } = await smtp.mailTo(email, /password .* was changed/)
    assert.match(mine!, /Time: .* UTC\s+Network address: 127\.0\.0\.1/)
  })
})
