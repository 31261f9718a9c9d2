import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { long } from '../long.ts'
import { Users } from '../../src/users/users.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { noReactions } from '../support/reactions.ts'

const newPassword = 'velvet-harbor-93-comet'

/** Each use hashes a password, which takes the processor longer than all else here. */
const atOnce = long ? 50 : 10

onSqliteFirst('email flows', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl(), public_url: 'https://door.example.org' })
    await useServer(daemon, smtp)
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  const set = (key: string, value: string | boolean | number) => daemon.hero.settings.set({ key, value })
  /** Returns the token in the newest mail to an address. */
  const tokenTo = async (address: string, subject: RegExp): Promise<string> => {
    const link = linkIn(await smtp.mailTo(address, subject))
    assert.match(link, /^https:\/\/door\.example\.org\/auth\//)
    return new URL(link).searchParams.values().next().value!
  }
  const login = (name: string, password = goodPassword) => daemon.hero.auth.login({ login: name, password })
  const count = async () => (await daemon.hero.users.list({})).items.length
  let number = 0
  /** Adds a person who can sign in and receive mail. */
  const newPerson = async () => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email }
  }
  /** Makes concurrent attempts, and returns how many succeeded. */
  const winners = async (attempt: (i: number) => Promise<unknown>) => {
    const settled = await Promise.allSettled(Array.from({ length: atOnce }, (_, i) => attempt(i)))
    return settled.filter(({ status }) => status === 'fulfilled').length
  }

  test('closed: no account can be registered', async () => {
    const before = await count()
    const wanted = { username: 'joan', email: 'joan@example.org', password: goodPassword }
    await refused(daemon.hero.auth.register(wanted), 'conflict')
    await refused(daemon.hero.auth.register({ ...wanted, invite: 'x'.repeat(43) }), 'conflict')
    await refused(daemon.hero.invitations.add({ email: wanted.email }), 'conflict')
    assert.equal(await count(), before)
  })

  test('open: an account can be used once its address is confirmed', async () => {
    await set('registration_mode', 'open')
    const wanted = { username: 'mary', email: 'Mary@example.org', password: goodPassword }
    for (const username of ['admin', 'ROOT', 'hero_proxy', 'Support'])
      await refused(daemon.hero.auth.register({ ...wanted, username }), 'invalid_params', 'username')
    assert.deepEqual(await daemon.hero.auth.register(wanted), { next: 'verify' })
    const unconfirmed = await refused(login('mary'), 'unauthenticated')
    const wrong = await refused(login('mary', newPassword), 'unauthenticated')
    assert.equal(unconfirmed.message, wrong.message)
    const token = await tokenTo('Mary@example.org', /Confirm/)
    await refused(
      daemon.hero.auth.verify_email({ token, password: 'password1' }),
      'invalid_params',
      'password',
    )
    assert.deepEqual(await daemon.hero.auth.verify_email({ token, password: newPassword }), { user: 'mary' })
    // The password that came with the registration may be somebody else's.
    await refused(login('mary@EXAMPLE.org'), 'unauthenticated')
    await login('mary@EXAMPLE.org', newPassword)
    await refused(daemon.hero.auth.verify_email({ token }), 'unauthenticated')
  })

  test('registration reveals whether an address has an account to its owner alone', async () => {
    const { email } = await newPerson()
    const before = await count()
    const again = { username: 'second', email: email.toUpperCase(), password: goodPassword }
    assert.deepEqual(await daemon.hero.auth.register(again), { next: 'verify' })
    assert.equal(await count(), before)
    assert.match((await smtp.mailTo(email, /already/)).text!, /already have an account/)
    // Usernames are public, so a taken one is reported for any address.
    for (const address of [email, 'fresh@example.org'])
      await refused(
        daemon.hero.auth.register({ username: 'MARY', email: address, password: goodPassword }),
        'already_exists',
      )
  })

  test('each registration of an address has its own link, and unconfirmed accounts expire after a day', async () => {
    const email = 'squatted@example.org'
    const attempt = (username: string) =>
      daemon.hero.auth.register({ username, email, password: goodPassword })
    await attempt('squatter')
    const first = await tokenTo(email, /Confirm/)
    smtp.arrived.length = 0
    await attempt('proprietor')
    const second = await tokenTo(email, /Confirm/)
    assert.deepEqual(await daemon.hero.auth.verify_email({ token: second }), { user: 'proprietor' })
    await refused(daemon.hero.auth.verify_email({ token: first }), 'unauthenticated')
    await refused(daemon.hero.users.get({ username: 'squatter' }), 'not_found')
    await daemon.hero.users.remove({ username: 'proprietor' })
    await attempt('late')
    await byHand(daemon, ({ query }) =>
      query.updateTable('users').set({ created_at: 1 }).where('email_verified_at', 'is', null).execute(),
    )
    await byHand(daemon, (database) => new Users(database, async () => 1, noReactions).sweep())
    await refused(daemon.hero.users.get({ username: 'late' }), 'not_found')
    await attempt('late')
  })

  test('invite: an invitation works once and for one address, and is required', async () => {
    await set('registration_mode', 'invite')
    const wanted = { username: 'guest1', email: 'other@example.org', password: goodPassword }
    await refused(daemon.hero.auth.register(wanted), 'conflict')
    await daemon.hero.invitations.add({ email: 'Invited@example.org' })
    const invite = await tokenTo('Invited@example.org', /invited/)
    // A weak password and a taken username do not use it up.
    await refused(daemon.hero.auth.register({ ...wanted, invite, password: 'password1' }), 'invalid_params')
    await refused(daemon.hero.auth.register({ ...wanted, invite, username: 'mary' }), 'already_exists')
    assert.deepEqual(await daemon.hero.auth.register({ ...wanted, invite }), { next: 'sign_in' })
    assert.equal((await daemon.hero.users.get({ username: 'guest1' })).email, 'invited@example.org')
    await login('guest1')
    await refused(daemon.hero.auth.register({ ...wanted, username: 'guest2', invite }), 'unauthenticated')
    await set('registration_mode', 'open')
  })

  test('a reset sets the password, ends all sessions, notifies the person and opens no session', async () => {
    const { username, email } = await newPerson()
    const before = await signedIn(daemon, username)
    assert.equal(await daemon.hero.auth.request_password_reset({ email: email.toUpperCase() }), null)
    const token = await tokenTo(email, /new password/)
    await refused(
      daemon.hero.auth.reset_password({ token, password: 'password1' }),
      'invalid_params',
      'password',
    )
    await refused(daemon.hero.auth.reset_password({ token, password: `${username}-is-me` }), 'invalid_params')
    assert.deepEqual(await daemon.hero.auth.reset_password({ token, password: newPassword }), {
      user: username,
    })
    await refused(before.auth.me(), 'unauthenticated')
    await refused(login(username), 'unauthenticated')
    await login(username, newPassword)
    await refused(daemon.hero.auth.reset_password({ token, password: goodPassword }), 'unauthenticated')
    assert.match((await smtp.mailTo(email, /was changed/)).text!, /signed out everywhere/)
  })

  test('reset requests get the same answer for unknown, inactive and active people, and only active ones get mail', async () => {
    const { username, email } = await newPerson()
    await daemon.hero.users.update({ username, is_active: false })
    const some = await newPerson()
    const answers = []
    for (const address of [email, 'nobody@example.org', some.email])
      answers.push(await daemon.hero.auth.request_password_reset({ email: address }))
    assert.deepEqual(answers, [null, null, null])
    await smtp.mailTo(some.email)
    assert.ok(smtp.arrived.every(({ to }) => !to.includes(email) && !to.includes('nobody@example.org')))
  })

  test('a link works for its purpose alone, and ends with a new password', async () => {
    await set('magic_links', true)
    const { email, username } = await newPerson()
    await daemon.hero.auth.request_password_reset({ email })
    const first = await tokenTo(email, /new password/)
    await daemon.hero.auth.request_magic_link({ email })
    const magic = await tokenTo(email, /Sign in/)
    const { auth } = daemon.hero
    await refused(auth.login_by_link({ token: first }), 'unauthenticated')
    await refused(auth.verify_email({ token: first }), 'unauthenticated')
    await refused(auth.verify_email({ token: magic }), 'unauthenticated')
    await refused(auth.reset_password({ token: magic, password: newPassword }), 'unauthenticated')
    await refused(
      auth.register({ username: 'x', email, password: newPassword, invite: magic }),
      'unauthenticated',
    )
    smtp.arrived.length = 0
    await auth.request_password_reset({ email })
    const second = await tokenTo(email, /new password/)
    // Changing the password invalidates all links.
    await auth.set_password({ user: username, password: newPassword })
    await refused(auth.reset_password({ token: first, password: newPassword }), 'unauthenticated')
    await refused(auth.reset_password({ token: second, password: goodPassword }), 'unauthenticated')
    await refused(auth.login_by_link({ token: magic }), 'unauthenticated')
  })

  test('a magic link signs in once, and can be disabled', async () => {
    const { email, username } = await newPerson()
    await daemon.hero.auth.request_magic_link({ email })
    const token = await tokenTo(email, /Sign in/)
    const { access_token } = await daemon.hero.auth.login_by_link({ token })
    const me = await daemon.hero.as(access_token).auth.me()
    assert.deepEqual([me.user, me.provider], [username, 'magic_link'])
    await refused(daemon.hero.auth.login_by_link({ token }), 'unauthenticated')
    await set('magic_links', false)
    await refused(daemon.hero.auth.request_magic_link({ email }), 'conflict')
  })

  test('an address change needs the password and a confirmation, and notifies the old address', async () => {
    const { email, username } = await newPerson()
    const other = await newPerson()
    const me = await signedIn(daemon, username)
    const change = { email: `new-${email}`, current_password: goodPassword }
    await refused(me.auth.change_email({ ...change, current_password: newPassword }), 'unauthenticated')
    assert.equal(await me.auth.change_email(change), null)
    assert.equal((await daemon.hero.users.get({ username })).email, email)
    assert.deepEqual(
      await daemon.hero.auth.verify_email({ token: await tokenTo(change.email, /new address/) }),
      {
        user: username,
      },
    )
    const changed = await daemon.hero.users.get({ username })
    assert.equal(changed.email, change.email)
    assert.ok(changed.email_verified_at !== null)
    assert.match((await smtp.mailTo(email, /was changed/)).text!, new RegExp(change.email))
    // The address of another person gets the same answer and stays with that person.
    assert.equal(await me.auth.change_email({ ...change, email: other.email }), null)
    await smtp.mailTo(other.email, /already/)
    assert.equal((await daemon.hero.users.get({ username: other.username })).email, other.email)
  })

  test('one of many concurrent uses of a link succeeds', async () => {
    await set('magic_links', true)
    const { email } = await newPerson()
    for (let round = 0; round < (long ? 20 : 2); round++) {
      smtp.arrived.length = 0
      await byHand(daemon, async ({ query }) => {
        await query.deleteFrom('mails').execute()
        await query.deleteFrom('attempts').execute()
      })
      await daemon.hero.auth.request_magic_link({ email })
      const token = await tokenTo(email, /Sign in/)
      assert.equal(await winners(() => daemon.hero.auth.login_by_link({ token })), 1)
    }
    await daemon.hero.auth.request_password_reset({ email })
    const token = await tokenTo(email, /new password/)
    const passwords = Array.from({ length: atOnce }, (_, i) => `${newPassword}-${i}-lantern`)
    assert.equal(await winners((i) => daemon.hero.auth.reset_password({ token, password: passwords[i]! })), 1)
  })

  test('a link remains valid when its use fails with a full disk', async () => {
    await set('registration_mode', 'open')
    const email = 'full@example.org'
    await daemon.hero.auth.register({ username: 'full', email, password: goodPassword })
    const verify = await tokenTo(email, /Confirm/)
    const full = (table: string, on: boolean) =>
      byHand(daemon, async ({ query, kind }) => {
        const begin =
          kind === 'sqlite'
            ? `create trigger full before update on ${table} begin select raise(abort, 'full'); end`
            : `alter table ${table} add constraint full_now check (updated_at < 0) not valid`
        const end = kind === 'sqlite' ? 'drop trigger full' : `alter table ${table} drop constraint full_now`
        await sql.raw(on ? begin : end).execute(query)
      })
    await full('users', true)
    await refused(daemon.hero.auth.verify_email({ token: verify }), 'internal_error')
    await full('users', false)
    await refused(login('full'), 'unauthenticated')
    await daemon.hero.auth.verify_email({ token: verify, password: goodPassword })
    await login('full')

    await daemon.hero.auth.request_password_reset({ email })
    const token = await tokenTo(email, /new password/)
    await full('credentials', true)
    await refused(daemon.hero.auth.reset_password({ token, password: newPassword }), 'internal_error')
    await full('credentials', false)
    // A partial change would leave a new password with a valid link, or ended sessions with the old password.
    await login('full')
    await daemon.hero.auth.reset_password({ token, password: newPassword })
    await login('full', newPassword)
  })

  test('setting the clock back does not extend a link', async () => {
    const { email } = await newPerson()
    await daemon.hero.auth.request_password_reset({ email })
    const token = await tokenTo(email, /new password/)
    await byHand(daemon, ({ query }) =>
      query
        .updateTable('one_time_tokens')
        .set((eb) => ({
          created_at: eb('created_at', '+', 7200),
          expires_at: eb('expires_at', '+', 7200),
        }))
        .where('address', '=', email)
        .execute(),
    )
    await refused(daemon.hero.auth.reset_password({ token, password: newPassword }), 'unauthenticated')
  })

  test('malformed addresses are refused before any mail is sent', async () => {
    const before = smtp.tries
    for (const email of [
      'a@example.org\r\nBcc: b@example.org',
      'a@example.org\nDATA',
      '"a b"@example.org',
      '<a@example.org>',
      'a@example.org,b@example.org',
      'a@b@example.org',
      `${'a'.repeat(290)}@example.org`,
      'ä@example.org',
      'a@exаmple.org',
      'a b@example.org',
      '-a@example.org',
    ])
      for (const call of [
        daemon.hero.auth.register({ username: 'hostile', email, password: goodPassword }),
        daemon.hero.auth.request_password_reset({ email }),
        daemon.hero.auth.request_magic_link({ email }),
        daemon.hero.invitations.add({ email }),
      ])
        await refused(call, 'invalid_params', 'email')
    assert.equal(smtp.tries, before)
  })

  test('no token is readable in the database or the log', async () => {
    const { email } = await newPerson()
    smtp.trouble = 'refuse connection'
    await daemon.hero.auth.request_password_reset({ email })
    await byHand(daemon, async ({ query }) => {
      const rows = [
        await query.selectFrom('mails').selectAll().execute(),
        await query.selectFrom('one_time_tokens').selectAll().execute(),
        await query.selectFrom('audit').selectAll().execute(),
      ]
      assert.ok(!JSON.stringify(rows).includes('token='))
      await query.updateTable('mails').set({ due_at: 0 }).execute()
    })
    smtp.trouble = 'none'
    const token = await tokenTo(email, /new password/)
    assert.ok(!JSON.stringify(daemon.logged).includes(token))
  })

  test('links to an earlier address are invalid once an administrator has changed it', async () => {
    await set('magic_links', true)
    for (const email of ['elsewhere@example.org', null]) {
      const person = await newPerson()
      const own = daemon.hero.as((await login(person.username)).access_token)
      await daemon.hero.auth.request_password_reset({ email: person.email })
      await daemon.hero.auth.request_magic_link({ email: person.email })
      await own.auth.change_email({ email: `third-${person.email}`, current_password: goodPassword })
      const reset = await tokenTo(person.email, /password/i)
      const magic = await tokenTo(person.email, /sign in/i)
      const change = await tokenTo(`third-${person.email}`, /confirm/i)
      await daemon.hero.users.update({
        username: person.username,
        display_name: 'Somebody',
        email: person.email,
      })
      await daemon.hero.users.update({ username: person.username, email })
      await refused(
        daemon.hero.auth.reset_password({ token: reset, password: newPassword }),
        'unauthenticated',
      )
      await refused(daemon.hero.auth.login_by_link({ token: magic }), 'unauthenticated')
      await refused(daemon.hero.auth.verify_email({ token: change }), 'unauthenticated')
    }
  })

  test('links are invalid after their person was deactivated and activated again', async () => {
    await set('magic_links', true)
    const { username, email } = await newPerson()
    await daemon.hero.auth.request_magic_link({ email })
    const magic = await tokenTo(email, /sign in/i)
    await daemon.hero.users.update({ username, is_active: false })
    await daemon.hero.users.update({ username, is_active: true })
    await refused(daemon.hero.auth.login_by_link({ token: magic }), 'unauthenticated')
  })

  test('a pending second factor is cancelled when all sessions are revoked', async () => {
    const { username } = await newPerson()
    const secret = await enrol(daemon.hero.as((await login(username)).access_token))
    const half = async () => (await refused(login(username), 'factor_required')).data.sign_in as string
    const sign_in = await half()
    await daemon.hero.sessions.revoke_all({ user: username })
    await refused(daemon.hero.auth.login_by_code({ sign_in, code: codeOf(secret, 1) }), 'unauthenticated')
    await daemon.hero.auth.login_by_code({ sign_in: await half(), code: codeOf(secret, 1) })
  })
})
