import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { App, callback, newPerson, startAtHome } from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { whoIs } from '../support/provider_stage.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const week = 7 * 86_400
const offline = { scope: 'openid offline_access' }

onSqliteFirst('"This wasn’t me"', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let home: string
  let wiki: App
  let tickets: App
  before(async () => {
    smtp = await startSmtp()
    daemon = await startAtHome({ database_url: newUrl() })
    home = daemon.config.public_url
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
    const add = async (name: string) =>
      new App(
        home,
        await daemon.hero.clients.add({ anyone: true, name, client: name, redirect_uris: [callback] }),
      )
    wiki = await add('wiki')
    tickets = await add('tickets')
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newUser = async (more: { is_admin?: boolean } = {}) => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword, ...more })
    return { username, email }
  }
  const enter = async (username: string, browser = newPerson()) => {
    await browser.signIn(await browser.open(`${home}/auth/login`), username, goodPassword)
    assert.equal(await whoIs(browser, home), username)
    return browser
  }
  const noticeTo = async (email: string, subject = /new device/) => linkIn(await smtp.mailTo(email, subject))
  const press = async (link: string, browser = new Person()) =>
    browser.submit(await browser.open(link), '/auth/not_me', {})
  const sessionsOf = async (user: string) => (await daemon.hero.sessions.list({ user })).items.length
  /** Everything that was made so far becomes an hour older. */
  const wait = () =>
    byHand(daemon, async ({ query }) => {
      for (const [table, column] of [
        ['oidc_records', 'written_at'],
        ['consents', 'created_at'],
        ['tokens', 'created_at'],
        ['confirmed_hosts', 'confirmed_at'],
        ['one_time_tokens', 'created_at'],
        ['known_devices', 'first_seen_at'],
      ] as const)
        await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sql.ref(column)} - 3600`.execute(
          query,
        )
    })
  const count = (table: 'confirmed_hosts' | 'one_time_tokens', purpose?: string) =>
    byHand(daemon, async ({ query }) => {
      const where = purpose === undefined ? sql`` : sql` where purpose = ${purpose}`
      const { rows } = await sql<object>`select * from ${sql.table(table)}${where}`.execute(query)
      return rows.length
    })

  test('ends every session and what was made since the event, and nothing that is older', async () => {
    const { username, email } = await newUser()
    const owner = await enter(username)
    const hero = await signedIn(daemon, username)
    const old = await wiki.tokens(owner, username, offline)
    await hero.token.create({ name: 'kept' })
    await wait()

    const intruder = await enter(username)
    const { body: fresh } = await tickets.tokens(intruder, username, offline)
    const theirs = await signedIn(daemon, username)
    const made = await theirs.token.create({ name: 'made' })
    await byHand(daemon, async ({ query }) => {
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      const confirmed_at = Math.floor(Date.now() / 1000)
      await query
        .insertInto('confirmed_hosts')
        .values([
          { user_id: id, host: 'new.example.org', confirmed_at },
          { user_id: id, host: 'old.example.org', confirmed_at: 1 },
        ])
        .execute()
    })
    await daemon.hero.auth.request_magic_link({ email })
    const magic = linkIn(await smtp.mailTo(email, /Sign in to/))

    const page = await press(await noticeTo(email))
    assert.equal(page.status, 200)
    assert.match(page.text, /Signed out everywhere/)
    assert.match(page.text, /href="\/auth\/reset"/)

    assert.equal(await sessionsOf(username), 0)
    for (const browser of [owner, intruder]) assert.equal(await whoIs(browser, home), undefined)
    await refused(theirs.auth.me(), 'unauthenticated')
    // What applications got since then has ended; what they had before goes on.
    assert.equal((await tickets.refresh(fresh.refresh_token)).body.error, 'invalid_grant')
    assert.equal((await wiki.refresh(old.body.refresh_token)).status, 200)
    const { items: consents } = await daemon.hero.consents.list({ user: username })
    assert.deepEqual(
      consents.map(({ client }) => client),
      ['wiki'],
    )
    const tokens = (await daemon.hero.token.list({ user: username })).items.map(({ name }) => name)
    assert.deepEqual(tokens, ['kept'])
    await refused(daemon.hero.as(made.access_token).auth.me(), 'unauthenticated')
    assert.equal(await count('confirmed_hosts'), 1)
    assert.equal((await new Person().open(magic)).status, 410)
    // Nobody is signed in, and the device of the intruder is new again.
    await byHand(daemon, ({ query }) => query.deleteFrom('confirmed_hosts').execute())
    smtp.arrived.length = 0
    await enter(username, intruder)
    await noticeTo(email)
  })

  test('an open page, a mail scanner and a HEAD change nothing', async () => {
    const { username, email } = await newUser()
    const owner = await enter(username)
    await enter(username)
    const link = await noticeTo(email)
    for (const method of ['GET', 'GET', 'HEAD']) await new Person().open(link, { method })
    const page = await new Person().open(link)
    assert.match(page.text, new RegExp(`account of ${email} out everywhere`))
    assert.match(page.text, /since \w{3} \d+, \d{4}, \d\d:\d\d UTC/)
    assert.equal(await whoIs(owner, home), username)
    assert.equal(await sessionsOf(username), 2)
    // The token alone, posted by a page of somebody else, changes nothing either.
    const token = new URL(link).searchParams.get('token')!
    const foreign = await fetch(`${home}/auth/not_me`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
      headers: { origin: 'https://evil.example' },
    })
    assert.equal(foreign.status, 403)
    assert.equal(await sessionsOf(username), 2)
  })

  test('a link works once, also if it is used fifty times at once', async () => {
    const { username, email } = await newUser()
    await enter(username)
    await enter(username)
    const link = await noticeTo(email)
    const token = new URL(link).searchParams.get('token')!
    const uses = await Promise.allSettled(
      Array.from({ length: 50 }, () => daemon.hero.auth.not_me({ token })),
    )
    assert.equal(uses.filter(({ status }) => status === 'fulfilled').length, 1)
    const owner = await enter(username)
    assert.equal((await new Person().open(link)).status, 410)
    await refused(daemon.hero.auth.not_me({ token }), 'unauthenticated')
    assert.equal(await whoIs(owner, home), username)
  })

  test('a link is worth nothing after seven days, for another purpose, or for another person', async () => {
    const [ada, lin] = [await newUser(), await newUser()]
    const bystander = await enter(lin.username)
    await enter(ada.username)
    await enter(ada.username)
    const link = await noticeTo(ada.email)
    const token = new URL(link).searchParams.get('token')!
    for (const path of ['verify', 'reset', 'magic', 'register'])
      assert.notEqual(
        (await new Person().open(`${home}/auth/${path}?token=${token}&invite=${token}`)).status,
        200,
      )
    await refused(daemon.hero.auth.login_by_link({ token }), 'unauthenticated')
    await refused(
      daemon.hero.auth.reset_password({ token, password: 'velvet-harbor-93-comet' }),
      'unauthenticated',
    )
    await daemon.hero.auth.request_magic_link({ email: ada.email })
    const magic = new URL(linkIn(await smtp.mailTo(ada.email, /Sign in to/))).searchParams.get('token')!
    await refused(daemon.hero.auth.not_me({ token: magic }), 'unauthenticated')

    const expire = (seconds: number) =>
      byHand(daemon, ({ query }) =>
        query
          .updateTable('one_time_tokens')
          .set({ expires_at: sql`expires_at - ${seconds}` })
          .where('purpose', '=', 'not_me')
          .execute(),
      )
    await expire(week)
    assert.equal((await new Person().open(link)).status, 410)
    await refused(daemon.hero.auth.not_me({ token }), 'unauthenticated')
    assert.equal(await sessionsOf(ada.username), 2)
    await expire(-60)
    // Somebody else is signed in in the browser that opens it: only the person of the link is signed out.
    await press(link, bystander)
    assert.equal(await sessionsOf(ada.username), 0)
    assert.equal(await whoIs(bystander, home), lin.username)
  })

  test('an administrator who impersonates the person keeps their own session, and it is not ended by theirs', async () => {
    const [boss, lin] = [await newUser({ is_admin: true }), await newUser()]
    await enter(lin.username)
    await enter(lin.username)
    const link = await noticeTo(lin.email)
    const admin = await enter(boss.username)
    const { items } = await daemon.hero.sessions.list({ user: boss.username })
    await byHand(daemon, async (database) => {
      const { id } = await database.query
        .selectFrom('users')
        .select('id')
        .where('username', '=', lin.username)
        .executeTakeFirstOrThrow()
      await database.query
        .updateTable('sessions')
        .set({ impersonated_user_id: id, impersonating_until: 4_000_000_000 })
        .where('id', '=', items[0]!.id)
        .execute()
      database.changed('sessions')
    })
    const page = await press(link, admin)
    assert.match(page.text, /Signed out everywhere/)
    assert.equal(await sessionsOf(lin.username), 0)
    assert.equal(await sessionsOf(boss.username), 1)
    assert.equal(await whoIs(admin, home), boss.username)
  })

  test('an intruder who changes the password or the address does not silence the earlier notice', async () => {
    const { username, email } = await newUser()
    await enter(username)
    await wait()
    await enter(username)
    const first = await noticeTo(email)
    const hero = await signedIn(daemon, username)
    await hero.auth.change_email({ email: `evil-${email}`, current_password: goodPassword })
    const change = linkIn(await smtp.mailTo(`evil-${email}`, /new address/))
    const thief = new Person()
    await thief.submit(await thief.open(change), '/auth/verify', {})
    await hero.auth.set_password({ current_password: goodPassword, password: 'velvet-harbor-93-comet' })
    const atOldAddress = await noticeTo(email, /address .* was changed/)
    const page = await press(first)
    assert.match(page.text, /Signed out everywhere/)
    assert.match(page.text, /contact the people who run this site/)
    assert.equal(await sessionsOf(username), 0)
    assert.match((await press(atOldAddress)).text, /Your address is back/)
  })

  test('every kind of notice has the link, and a person has at most a hundred of them', async () => {
    const { username, email } = await newUser()
    await daemon.hero.auth.set_password({ user: username, password: 'velvet-harbor-93-comet' })
    assert.match(await noticeTo(email, /password .* was changed/), /\/auth\/not_me\?token=[\w-]{43}$/)
    const mail = await smtp.mailTo(email, /password .* was changed/)
    assert.match(mail.text!, /This wasn’t me:\n/)
    await byHand(daemon, async ({ query }) => {
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      const row = { purpose: 'not_me', user_id: id, address: email, created_at: 1, expires_at: 4_000_000_000 }
      const rows = Array.from({ length: 99 }, (_, i) => ({ ...row, token_hash: `${username} ${i}` }))
      await query.insertInto('one_time_tokens').values(rows).execute()
    })
    const before = await count('one_time_tokens', 'not_me')
    await daemon.hero.auth.set_password({ user: username, password: goodPassword })
    assert.equal(await count('one_time_tokens', 'not_me'), before)
  })
})
