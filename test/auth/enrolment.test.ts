import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { codeOf, enrolled } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

onSqliteFirst('the first factor of an account', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl(), listen: `127.0.0.1:${await freePort()}` })
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'factor_enrolment', value: 'mail' })
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newPerson = async () => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email, hero: await signedIn(daemon, username) }
  }
  /** Returns the code of the newest mail to an address. */
  const codeTo = async (address: string) => {
    const { text = '' } = await smtp.mailTo(address, /^Confirm it’s you/)
    smtp.arrived.length = 0
    return /^Your code: ([B-Z]{4}-[B-Z]{4})\n/.exec(text)![1]!
  }
  const byMail = async (asking: Promise<unknown>) => {
    const { data } = await refused(asking, 'proof_required')
    assert.equal(data.by, 'mail')
  }
  const proveByMail = async (hero: HeroProxy, email: string) => {
    const browser_secret = randomBytes(32).toString('base64url')
    await hero.auth.request_mailed_code({ browser_secret })
    await hero.auth.prove({ mailed_code: await codeTo(email), browser_secret })
  }

  test('a password alone adds neither an app nor a passkey, and a mailed code opens both', async () => {
    const { hero, email, username } = await newPerson()
    await byMail(hero.factors.add_totp())
    await byMail(hero.factors.passkey_options())
    await byMail(hero.factors.add_passkey({ name: 'Key', attestation: '{}' }))
    await byMail(hero.factors.confirm_totp({ code: '123456' }))
    const { items } = await daemon.hero.audit.list({ limit: 3 })
    assert.ok(items.every(({ actor }) => actor.endsWith(username)))
    await proveByMail(hero, email)
    await hero.factors.passkey_options()
    const { secret } = await enrolled(hero)
    // Another factor takes a proof by the first one, and no mail.
    await hero.auth.prove({ code: codeOf(secret, 1) })
    await hero.factors.passkey_options()
  })

  test('the code opens the session that asked only, and no longer than a fresh proof', async () => {
    const { hero, email, username } = await newPerson()
    const thief = await signedIn(daemon, username)
    const browser_secret = randomBytes(32).toString('base64url')
    await hero.auth.request_mailed_code({ browser_secret })
    const mailed_code = await codeTo(email)
    await refused(
      thief.auth.prove({ mailed_code, browser_secret: randomBytes(32).toString('base64url') }),
      'unauthenticated',
    )
    await hero.auth.prove({ mailed_code, browser_secret })
    await byMail(thief.factors.add_totp())
    await refused(thief.auth.prove({ mailed_code, browser_secret }), 'unauthenticated')
    await hero.factors.add_totp()
    await byHand(daemon, async (database) => {
      await database.query.updateTable('sessions').set({ mailed_at: 1 }).where('mailed_at', '>', 0).execute()
      database.changed('sessions')
    })
    await byMail(hero.factors.confirm_totp({ code: '123456' }))
  })

  test('the code of another person proves nothing, and neither does one of a sign-in mail', async () => {
    const [ada, bob] = [await newPerson(), await newPerson()]
    const browser_secret = randomBytes(32).toString('base64url')
    await ada.hero.auth.request_mailed_code({ browser_secret })
    const mailed_code = await codeTo(ada.email)
    await refused(bob.hero.auth.prove({ mailed_code, browser_secret }), 'unauthenticated')
    await byMail(bob.hero.factors.add_totp())
    await daemon.hero.auth.request_magic_link({ email: bob.email, browser_secret })
    const { text = '' } = await smtp.mailTo(bob.email, /^Sign in/)
    const code = /^Your code: (\S+)/.exec(text)![1]!
    await refused(bob.hero.auth.prove({ mailed_code: code, browser_secret }), 'unauthenticated')
  })

  test('a sign-in by mail is the same proof', async () => {
    const { email } = await newPerson()
    await daemon.hero.auth.request_magic_link({ email })
    const token = new URL(linkIn(await smtp.mailTo(email, /^Sign in/))).searchParams.get('token')!
    const { access_token } = await daemon.hero.auth.login_by_link({ token })
    await enrolled(daemon.hero.as(access_token))
  })

  test('a person with a factor proves nothing by mail', async () => {
    const { hero, email } = await newPerson()
    await proveByMail(hero, email)
    await enrolled(hero)
    const browser_secret = randomBytes(32).toString('base64url')
    await hero.auth.request_mailed_code({ browser_secret })
    const mailed_code = await codeTo(email)
    await refused(hero.auth.prove({ mailed_code, browser_secret }), 'unauthenticated')
  })

  test('without an address there is no way around it, and without a mail server the fresh proof is enough', async () => {
    await daemon.hero.users.add({ username: 'bare', password: goodPassword })
    const bare = await signedIn(daemon, 'bare')
    const { data } = await refused(bare.factors.add_totp(), 'conflict')
    assert.equal(data.reason, 'address_needed')
    await daemon.hero.settings.set({ key: 'smtp_host', value: '' })
    await bare.factors.add_totp()
    const refusal = await refused(
      bare.auth.request_mailed_code({ browser_secret: randomBytes(32).toString('base64url') }),
      'conflict',
    )
    assert.equal(refusal.data.reason, 'no_mail')
    await daemon.hero.settings.set({ key: 'smtp_host', value: 'localhost' })
  })

  test('an address that the person gave themselves proves nothing while the one before can take it back', async () => {
    const { hero, email, username } = await newPerson()
    await hero.auth.change_email({ email: 'thief@example.org' })
    const change = await smtp.mailTo('thief@example.org', /Confirm your new address/)
    await hero.auth.verify_email({ token: new URL(linkIn(change)).searchParams.get('token')! })
    const thief = await signedIn(daemon, username)
    const browser_secret = randomBytes(32).toString('base64url')
    await thief.auth.request_mailed_code({ browser_secret })
    await thief.auth.prove({ mailed_code: await codeTo('thief@example.org'), browser_secret })
    for (const asking of [thief.factors.add_totp(), thief.factors.passkey_options()])
      assert.equal((await refused(asking, 'conflict')).data.reason, 'address_too_new')
    // An administrator vouches for an address.
    await daemon.hero.users.update({ username, email })
    const again = await signedIn(daemon, username)
    await proveByMail(again, email)
    await again.factors.add_totp()
  })

  test('the pages ask for the code, and lead back to what was begun', async () => {
    const { username, email } = await newPerson()
    const browser = new Person()
    const origin = `http://localhost:${daemon.edge.port}`
    await browser.signIn(await browser.open(`${origin}/auth/login`), username, goodPassword)
    const keys = await browser.open(`${origin}/auth/passkeys`)
    assert.match(keys.text, /confirm that you read the mail of your account/)
    const security = await browser.open(`${origin}/auth/security`)
    const asked = await browser.submit(security, '/auth/account/add_totp', {})
    assert.equal(asked.url.pathname, '/auth/prove/mail')
    const sent = await browser.submit(asked, '/auth/prove/mail', {})
    const wrong = await browser.submit(sent, '/auth/prove/mail', { code: 'ZZZZZZZZ' })
    assert.equal(wrong.status, 401)
    const back = await browser.submit(wrong, '/auth/prove/mail', { code: await codeTo(email) })
    assert.equal(back.url.pathname, '/auth/security')
    const begun = await browser.submit(back, '/auth/account/add_totp', {})
    assert.match(begun.text, /name="secret" value="[A-Z2-7]{32}"/)
  })

  test('while administrators decide, their link alone opens the first factor, once and in the session of its person', async () => {
    const root = await root1()
    await daemon.hero.settings.set({ key: 'factor_enrolment', value: 'administrator' })
    const [ada, bob] = [await newPerson(), await newPerson()]
    const needsLink = async (asking: Promise<unknown>) =>
      assert.equal((await refused(asking, 'conflict')).data.reason, 'enrolment_link_needed')
    await needsLink(ada.hero.factors.add_totp())
    await proveByMail(ada.hero, ada.email)
    await needsLink(ada.hero.factors.add_totp())
    await daemon.hero.auth.request_magic_link({ email: ada.email })
    const mailed = new URL(linkIn(await smtp.mailTo(ada.email, /^Sign in/))).searchParams.get('token')!
    const { access_token } = await daemon.hero.auth.login_by_link({ token: mailed })
    await needsLink(daemon.hero.as(access_token).factors.add_totp())
    const { link, qr, expires_at } = await root.users.enrolment_link({ user: ada.username })
    assert.match(qr, /^<svg /)
    assert.ok(Math.abs(expires_at - Date.now() / 1000 - 3600) < 30)
    assert.match((await smtp.mailTo(ada.email, /made a link/)).text!, /^root1 made a link by which a first/m)
    const token = new URL(link).searchParams.get('token')!
    // Another person who opens it uses nothing up.
    await refused(bob.hero.auth.use_enrolment_link({ token }), 'unauthenticated')
    await refused(daemon.hero.auth.use_enrolment_link({ token }), 'conflict')
    await ada.hero.auth.use_enrolment_link({ token })
    await refused(ada.hero.auth.use_enrolment_link({ token }), 'unauthenticated')
    // It counts in this session only, and adds to it nothing but the way to a factor.
    await needsLink((await signedIn(daemon, ada.username)).factors.add_totp())
    await enrolled(ada.hero)
    await refused(root.users.enrolment_link({ user: ada.username }), 'conflict')
  })

  test('a link ends after an hour, with the next one, and with the right of the one who made it', async (t) => {
    const root = await root1()
    const { username, hero } = await newPerson()
    const tokenOf = async (by = root) =>
      new URL((await by.users.enrolment_link({ user: username })).link).searchParams.get('token')!
    const use = (token: string) => refused(hero.auth.use_enrolment_link({ token }), 'unauthenticated')
    const first = await tokenOf()
    const next = await tokenOf()
    await use(first)
    await daemon.hero.users.add({ username: 'helper', password: goodPassword, is_admin: true })
    const helpers = await tokenOf(await signedIn(daemon, 'helper'))
    await use(next)
    await daemon.hero.users.update({ username: 'helper', is_admin: false })
    await use(helpers)
    const late = await tokenOf()
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_601_000 })
    // Their own sign-in is no longer fresh enough either.
    const again = await signedIn(daemon, username)
    await refused(again.auth.use_enrolment_link({ token: late }), 'unauthenticated')
    t.mock.timers.reset()
    await refused(root.users.enrolment_link({ user: 'root1' }), 'conflict')
    const kept = await daemon.hero.token.create({ user: 'root1', name: 'script', scope: 'admin' })
    await refused(
      daemon.hero.as(kept.access_token).users.enrolment_link({ user: username }),
      'proof_required',
    )
  })

  test('the page of the link signs in first, and its button leads to the factors', async () => {
    const root = await root1()
    const { username } = await newPerson()
    const { link } = await root.users.enrolment_link({ user: username })
    const browser = new Person()
    const opened = await browser.open(link)
    assert.equal(opened.url.pathname, '/auth/login')
    const page = await browser.signIn(opened, username, goodPassword)
    assert.match(page.text, new RegExp(`the account ${username}`))
    const done = await browser.submit(page, '/auth/enrol', {})
    assert.equal(done.url.pathname, '/auth/security')
    const app = await browser.submit(done, '/auth/account/add_totp', {})
    assert.match(app.text, /otpauth/)
    assert.equal((await browser.open(link)).status, 410)
    const stranger = new Person()
    await stranger.signIn(await stranger.open(`${daemon.config.public_url}/auth/login`), 'bare', goodPassword)
    const other = (await root.users.enrolment_link({ user: (await newPerson()).username })).link
    const wrong = await stranger.submit(await stranger.open(other), '/auth/enrol', {})
    assert.equal(wrong.status, 410)
    await daemon.hero.settings.set({ key: 'factor_enrolment', value: 'mail' })
  })

  let admin: HeroProxy | undefined
  const root1 = async () => {
    if (!admin) await daemon.hero.users.add({ username: 'root1', password: goodPassword, is_admin: true })
    return (admin ??= await signedIn(daemon, 'root1'))
  }
})
