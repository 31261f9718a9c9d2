import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Users } from '../../src/users/users.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, person } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { noReactions } from '../support/reactions.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const ownPassword = 'velvet-harbor-93-comet'
const hostilePassword = 'copper-meadow-17-violin'

onSqliteFirst('registration', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl(), listen: `127.0.0.1:${await freePort()}` })
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  const register = (username: string, email: string, password = hostilePassword) =>
    daemon.hero.auth.register({ username, email, password })
  const login = (name: string, password: string) => daemon.hero.auth.login({ login: name, password })
  /** The link of the newest mail to an address. */
  const linkTo = async (address: string, subject = /Confirm/): Promise<string> => {
    const link = linkIn(await smtp.mailTo(address, subject))
    smtp.arrived.length = 0
    return link
  }
  const tokenTo = async (address: string) => new URL(await linkTo(address)).searchParams.get('token')!

  test('gives an address with an account and one without the same answers, whatever follows', async () => {
    await daemon.hero.users.add({ username: 'victim', email: 'victim@example.org', password: ownPassword })
    const answers = []
    for (const [i, address] of ['victim@example.org', 'nobody@example.org'].entries()) {
      const name = `curious${i}`
      const tries = [
        register(name, address),
        () => register(name, 'mine@example.org'),
        () => register(name.toUpperCase(), 'other@example.org'),
        () => register(name, address.toUpperCase()),
        () => register(`${name}-again`, address),
        () => register(`${name}-again`, 'mine@example.org'),
        // The sixth mail of an hour does not leave.
        () => register(`${name}-a`, address),
        () => register(`${name}-b`, address),
        () => register(`${name}-c`, address),
        () => register(`${name}-c`, 'mine@example.org'),
        () => register(name, address),
      ]
      const told = []
      for (const attempt of tries) {
        const answer = await (typeof attempt === 'function' ? attempt() : attempt).catch(
          (error: { data: unknown; message: string }) => ({ error: error.message, data: error.data }),
        )
        told.push(JSON.stringify(answer).replaceAll(name, 'NAME'))
      }
      answers.push(told)
    }
    assert.deepEqual(answers[0], answers[1])
    assert.match(answers[0]![1]!, /already_exists/)
    assert.equal((await daemon.hero.users.get({ email: 'victim@example.org' })).username, 'victim')
  })

  test('keeps a name for a day, whether or not the address has an account', async () => {
    await register('kept1', 'victim@example.org').catch(() => {})
    await register('kept2', 'nobody2@example.org')
    for (const name of ['kept1', 'kept2']) await refused(register(name, 'me@example.org'), 'already_exists')
    await byHand(daemon, async (database) => {
      await database.query.updateTable('reserved_names').set({ reserved_at: 1 }).execute()
      await database.query
        .updateTable('users')
        .set({ created_at: 1 })
        .where('email_verified_at', 'is', null)
        .execute()
    })
    await byHand(daemon, (database) => new Users(database, async () => 1, noReactions).sweep())
    await register('kept1', 'me1@example.org')
    await register('kept2', 'me2@example.org')
    // An administrator does not have to wait.
    await daemon.hero.users.add({ username: 'kept3', email: 'me2@example.org' })
  })

  test('takes the password of the person who opens the link, and no other', async () => {
    const email = 'joan@example.org'
    await register('joan', email, ownPassword)
    const own = await tokenTo(email)
    // Somebody else registers the same address, with a name and a password of their own.
    await register('intruder', email)
    const other = await tokenTo(email)
    assert.deepEqual(await daemon.hero.auth.verify_email({ token: own, password: goodPassword }), {
      user: 'joan',
    })
    for (const password of [ownPassword, hostilePassword])
      for (const name of ['joan', 'intruder', email]) await refused(login(name, password), 'unauthenticated')
    await login('joan', goodPassword)
    await refused(
      daemon.hero.auth.verify_email({ token: other, password: hostilePassword }),
      'unauthenticated',
    )
    await login('joan', goodPassword)
    // The name that was wanted beside it stays reserved: nothing tells a stranger that the address was confirmed.
    await refused(register('intruder', 'third@example.org'), 'already_exists')
  })

  test('an address that somebody registered and never proved blocks nobody', async () => {
    const squat = (i: number) => register(`squatter${i}`, `owner${i}@example.org`)
    const { users, auth } = daemon.hero
    await squat(1)
    assert.equal(
      (await users.add({ username: 'owner1', email: 'Owner1@example.org' })).email_verified_at !== null,
      true,
    )
    await refused(users.get({ username: 'squatter1' }), 'not_found')
    await squat(2)
    await users.add({ username: 'owner2' })
    await users.update({ username: 'owner2', email: 'owner2@example.org' })
    await squat(3)
    const mover = await person(daemon, 'owner3', { email: 'former3@example.org' })
    await mover.auth.change_email({ email: 'owner3@example.org', current_password: goodPassword })
    const change = new URL(await linkTo('owner3@example.org', /new address/)).searchParams.get('token')!
    assert.deepEqual(await auth.verify_email({ token: change }), { user: 'owner3' })
    await squat(4)
    await daemon.hero.invitations.add({ email: 'owner4@example.org' })
    const invite = new URL(await linkTo('owner4@example.org', /invited/)).searchParams.get('invite')!
    await auth.register({ username: 'owner4', email: 'x@example.org', password: ownPassword, invite })
    await login('owner4', ownPassword)
    await squat(5)
    await users.remove({ username: 'squatter5' })
    // It was nobody, so its name is not burnt.
    await users.add({ username: 'squatter5' })
    // Changing something else about an unconfirmed account does not remove it.
    await squat(6)
    await users.update({ username: 'squatter6', email: 'owner6@example.org', display_name: 'Six' })
  })

  test('on the pages, the password is asked behind the link', async () => {
    const at = `http://localhost:${daemon.edge.port}`
    const browser = new Person()
    const form = await browser.open(`${at}/auth/register`)
    assert.doesNotMatch(form.text, /type="password"/)
    const sent = await browser.submit(form, '/auth/register', {
      username: 'paula',
      email: 'paula@example.org',
    })
    assert.equal(sent.status, 200)
    // It may be opened in another browser.
    const other = new Person()
    const opened = await other.open(await linkTo('paula@example.org'))
    assert.match(opened.text, /paula/)
    const weak = await other.submit(opened, '/auth/verify', { password: 'password1' })
    assert.equal(weak.status, 400)
    const done = await other.submit(weak, '/auth/verify', { password: ownPassword })
    assert.equal(done.status, 200)
    await login('paula', ownPassword)
  })

  test('on the pages, a registration ends signed in, in each browser where its link is opened', async () => {
    const at = `http://localhost:${daemon.edge.port}`
    const register = async (browser: Person, username: string, display_name: string) => {
      const page = await browser.follow(
        await browser.open(`${at}/auth/login?return_to=/auth/security`),
        '/auth/register',
      )
      const email = `${username}@example.org`
      await browser.submit(page, '/auth/register', { username, display_name, email })
      return linkTo(email)
    }
    const confirm = async (browser: Person, link: string) =>
      browser.submit(await browser.open(link), '/auth/verify', { password: ownPassword })
    const nameOf = async (username: string) => (await daemon.hero.users.get({ username })).display_name

    // The browser that registered goes on to the page that it was asked for.
    const own = new Person()
    const security = await confirm(own, await register(own, 'rita', ' Rita Levi '))
    assert.equal(security.url.href, `${at}/auth/security`, security.text)
    assert.equal(await nameOf('rita'), 'Rita Levi')
    // Another one goes to My services.
    const other = new Person()
    const services = await confirm(other, await register(new Person(), 'rosa', ''))
    assert.equal(services.url.href, `${at}/`, services.text)
    assert.equal(await nameOf('rosa'), 'rosa')
    const { items } = await daemon.hero.sessions.list({ user: 'rosa' })
    assert.deepEqual(
      items.map(({ provider }) => provider),
      ['password'],
    )

    // An invited person chooses the password at once, and sees the address.
    await daemon.hero.invitations.add({ email: 'ruth@example.org' })
    const guest = new Person()
    const invited = await guest.open(await linkTo('ruth@example.org', /invited/))
    assert.match(invited.text, /ruth@example\.org/)
    const bad = { username: 'ruth', display_name: '\u202eruth', password: ownPassword }
    const again = await guest.submit(invited, '/auth/register', bad)
    assert.deepEqual([again.status, /ruth@example\.org/.test(again.text)], [400, true])
    const done = await guest.submit(again, '/auth/register', { ...bad, display_name: 'Ruth Bader' })
    assert.equal(done.url.href, `${at}/`, done.text)
    assert.equal(await nameOf('ruth'), 'Ruth Bader')
    // The first device of a person is not reported.
    assert.ok(smtp.arrived.every(({ mail }) => !/new device/.test(mail.subject ?? '')))
  })
})
