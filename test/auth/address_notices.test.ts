import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { startAtHome } from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const changed = /address .* was changed/
const otherPassword = 'velvet-harbor-93-comet'

onSqliteFirst('notices of a change of address', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startAtHome({ database_url: newUrl() })
    await useServer(daemon, smtp)
    const settings = {
      own_callback: true,
      preset: 'github',
      title: 'GitHub',
      client: 'c',
      client_secret: 's',
    }
    await daemon.hero.providers.add({ provider: 'github', ...settings } as never)
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newUser = async () => {
    const username = `mover${++number}`
    const email = `Mover${number}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email, evil: `evil${number}@example.org` }
  }
  const addressOf = async (username: string) => (await daemon.hero.users.get({ username })).email
  /** Changes the address as the person does, in a session of their own. */
  const move = async (username: string, to: string, password = goodPassword) => {
    const hero = await signedIn(daemon, username, password)
    await hero.auth.change_email({ email: to, current_password: password })
    const link = linkIn(await smtp.mailTo(to, /new address/))
    const browser = new Person()
    await browser.submit(await browser.open(link), '/auth/verify', {})
    assert.equal(await addressOf(username), to)
    return hero
  }
  const linkTo = async (address: string) => linkIn(await smtp.mailTo(address, changed))
  const press = async (link: string) => {
    const browser = new Person()
    return browser.submit(await browser.open(link), '/auth/not_me', {})
  }
  const providersOf = async (user: string) =>
    (await daemon.hero.users.identities.list({ user })).items.map(({ subject }) => subject)
  /** Everything that was made so far becomes an hour older. */
  const wait = () =>
    byHand(daemon, async ({ query }) => {
      for (const table of ['one_time_tokens', 'user_identities'])
        await sql`update ${sql.table(table)} set created_at = created_at - 3600`.execute(query)
    })

  test('the owner of the old address takes the change back, and nothing of the other address stays', async () => {
    const { username, email, evil } = await newUser()
    await daemon.hero.users.identities.add({ user: username, provider: 'github', subject: `${username}-old` })
    await wait()
    const intruder = await move(username, evil)
    await daemon.hero.users.identities.add({
      user: username,
      provider: 'github',
      subject: `${username}-evil`,
    })
    await intruder.auth.set_password({ current_password: goodPassword, password: otherPassword })
    await move(username, `more-${evil}`, otherPassword)
    const theirs = await linkTo(evil)
    const mail = await smtp.mailTo(email, changed)
    assert.match(mail.text!, /gives your account this address back/)
    assert.doesNotMatch(mail.text!, /contact the people/)

    const page = await new Person().open(linkIn(mail))
    assert.match(page.text, new RegExp(`the address ${email} back`))
    assert.equal(await addressOf(username), `more-${evil}`, 'opening the page changes nothing')
    const done = await press(linkIn(mail))
    assert.match(done.text, /Your address is back/)
    assert.match(done.text, /href="\/auth\/reset"/)
    const user = await daemon.hero.users.get({ username })
    assert.deepEqual([user.email, user.email_verified_at !== null], [email, true])
    assert.deepEqual((await daemon.hero.sessions.list({ user: username })).items, [])
    for (const password of [goodPassword, otherPassword])
      await refused(daemon.hero.auth.login({ login: username, password }), 'unauthenticated')
    assert.deepEqual(await providersOf(username), [`${username}-old`])
    for (const dead of [theirs, linkIn(mail)]) assert.equal((await new Person().open(dead)).status, 410)

    await daemon.hero.auth.request_password_reset({ email })
    const reset = new URL(linkIn(await smtp.mailTo(email, /new password/))).searchParams.get('token')!
    await daemon.hero.auth.reset_password({ token: reset, password: otherPassword })
    await signedIn(daemon, username, otherPassword)
  })

  test('nothing is done while another account has the old address, and the page says so', async () => {
    const { username, email, evil } = await newUser()
    await move(username, evil)
    const link = await linkTo(email)
    await daemon.hero.users.add({ username: `${username}-next`, email })
    const page = await new Person().open(link)
    assert.deepEqual([page.status, /another account/.test(page.text)], [409, true])
    assert.doesNotMatch(page.text, /action="\/auth\/not_me"/)
    const token = new URL(link).searchParams.get('token')!
    await refused(daemon.hero.auth.not_me({ token }), 'conflict')
    assert.equal(await addressOf(username), evil)
    assert.equal((await daemon.hero.sessions.list({ user: username })).items.length, 1)
    await signedIn(daemon, username)
    // The link was not used up.
    await daemon.hero.users.remove({ username: `${username}-next` })
    assert.match((await press(link)).text, /Your address is back/)
    assert.equal(await addressOf(username), email)
  })

  test('an account that nobody has confirmed does not keep the address', async () => {
    const { username, email, evil } = await newUser()
    await move(username, evil)
    const link = await linkTo(email)
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    await daemon.hero.auth.register({ username: `${username}-next`, email })
    await press(link)
    assert.equal(await addressOf(username), email)
  })

  test('an administrator’s change is told to the old address, which cannot take it back', async () => {
    const { username, email, evil } = await newUser()
    await daemon.hero.users.update({ username, email: evil })
    const mail = await smtp.mailTo(email, changed)
    assert.match(mail.text!, new RegExp(`now uses the address ${evil}`))
    assert.match(mail.text!, /By: an administrator/)
    assert.match(mail.text!, /contact the people who run this site/)
    assert.match((await press(linkIn(mail))).text, /has another address now/)
    assert.equal(await addressOf(username), evil)

    await daemon.hero.users.update({ username, email: null })
    const gone = await smtp.mailTo(evil, changed)
    assert.match(gone.text!, /no longer uses this address/)
    // The same again, and a first address, are no change of a proved one.
    smtp.arrived.length = 0
    await daemon.hero.users.update({ username, email: null })
    await daemon.hero.users.update({ username, email })
    await daemon.hero.users.update({ username, email: evil })
    await smtp.mailTo(email, changed)
    assert.equal(smtp.arrived.length, 1)
  })

  test('an identity that is linked or unlinked is told to the person', async () => {
    const { username, email } = await newUser()
    const which = { user: username, provider: 'github', subject: `${username}-one` }
    const { id } = await daemon.hero.users.identities.add(which)
    const added = await smtp.mailTo(email, /How you sign in/)
    assert.match(added.text!, /An account at GitHub was linked to yours/)
    assert.match(added.text!, /By: an administrator/)
    smtp.arrived.length = 0
    await daemon.hero.users.identities.remove({ user: username, id })
    assert.match((await smtp.mailTo(email, /How you sign in/)).text!, /no longer linked/)
  })
})
