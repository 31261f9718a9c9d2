import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { now } from '../../src/storage/ids.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { long } from '../long.ts'

const ownPassword = 'velvet-harbor-93-comet'

onSqliteFirst('invitations', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let hero: HeroProxy
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl(), listen: `127.0.0.1:${await freePort()}` })
    hero = daemon.hero
    await useServer(daemon, smtp)
    await set('registration_mode', 'invite')
    for (const slug of ['class', 'club', 'strict']) await hero.groups.add({ slug })
    await hero.groups.update({ group: 'strict', proof: 'second' })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  const set = (key: string, value: string | boolean) => hero.settings.set({ key, value })
  let count = 0
  const newName = () => `pupil${++count}`
  const inviteIn = (link: string | null) => new URL(link!).searchParams.get('invite')!
  const linkFor = async (wanted: Parameters<HeroProxy['invitations']['add']>[0], by = hero) =>
    inviteIn((await by.invitations.add(wanted)).link)
  const verifyToken = async (address: string) =>
    new URL(linkIn(await smtp.mailTo(address, /Confirm/))).searchParams.get('token')!
  /** Begins to join by a link, and returns the name and the token of the mail. */
  const begin = async (invite: string, username = newName()) => {
    const email = `${username}@example.org`
    assert.deepEqual(await hero.auth.register({ username, email, invite }), { next: 'verify' })
    return { username, email, token: await verifyToken(email) }
  }
  const join = async (invite: string) => {
    const { username, token } = await begin(invite)
    return { username, ...(await hero.auth.verify_email({ token, password: ownPassword })) }
  }
  const groupsOf = async (user: string) =>
    (await hero.claims.resolve({ user })).claims.filter((claim) => claim.startsWith('groups.'))
  const login = (name: string) => signedIn(daemon, name, ownPassword)
  const invitation = async (id: string) =>
    (await hero.invitations.list({})).items.find((each) => each.id === id)!

  test('a link gives its groups and the end of the account, to as many as it says', async () => {
    const ends_at = now() + 86_400
    const made = await hero.invitations.add({ groups: ['class', 'club'], uses: 2, ends_at })
    assert.match(made.works!, /^Works for 2 people, until /)
    assert.match(made.qr!, /^<svg /)
    assert.deepEqual([made.state, made.made_by, made.email], ['open', 'system', null])
    const invite = inviteIn(made.link)
    const first = await join(invite)
    assert.deepEqual(await groupsOf(first.user), ['groups.class', 'groups.club'])
    assert.equal((await hero.users.get({ username: first.user })).ends_at, ends_at)
    await login(first.user)
    // A use counts once the address is confirmed: three wait for it, and one gets it.
    const waiting = await Promise.all([begin(invite), begin(invite), begin(invite)])
    assert.equal((await invitation(made.id)).used, 1)
    const [winner, ...late] = waiting
    await hero.auth.verify_email({ token: winner!.token, password: ownPassword })
    for (const { token, username } of late) {
      const error = await refused(hero.auth.verify_email({ token, password: ownPassword }), 'conflict')
      assert.equal(error.data.reason, 'invitation_over')
      await refused(login(username), 'unauthenticated')
    }
    await refused(
      hero.auth.register({ username: newName(), email: 'x@example.org', invite }),
      'unauthenticated',
    )
    assert.deepEqual([(await invitation(made.id)).used, (await invitation(made.id)).state], [2, 'used'])
  })

  test('five uses for many people at once are five', async () => {
    const invite = await linkFor({ groups: ['class'], uses: 5 })
    const people = await Promise.all(Array.from({ length: long ? 50 : 8 }, () => begin(invite)))
    const answers = await Promise.allSettled(
      people.map(({ token }) => hero.auth.verify_email({ token, password: ownPassword })),
    )
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 5)
    const rows = await byHand(daemon, ({ query }) =>
      query
        .selectFrom('users')
        .select(['username', 'email_verified_at'])
        .where(
          'username',
          'in',
          people.map(({ username }) => username),
        )
        .where('email_verified_at', 'is not', null)
        .execute(),
    )
    assert.equal(rows.length, 5)
  })

  test('no other link to the account passes by the invitation', async () => {
    await set('magic_links', true)
    const invite = await linkFor({ groups: ['class'], uses: 1, approve: true })
    const first = await begin(invite)
    const second = await begin(invite)
    await hero.auth.request_magic_link({ email: first.email })
    const link = linkIn(await smtp.mailTo(first.email, /Sign in/))
    const token = new URL(link).searchParams.get('token')!
    const error = await refused(hero.auth.login_by_link({ token }), 'unauthenticated')
    assert.equal(error.data.reason, 'awaits_approval')
    // What the link proved stays: those who approve see it, and nothing works twice.
    const { items } = await hero.registrations.list({})
    assert.ok(items.some(({ user }) => user === first.username))
    assert.equal((await hero.users.get({ username: first.username })).email, first.email)
    const twice = await refused(hero.auth.login_by_link({ token }), 'unauthenticated')
    assert.equal(twice.data.reason, 'dead_link')
    await hero.auth.request_password_reset({ email: first.email })
    const reset = new URL(linkIn(await smtp.mailTo(first.email, /new password/))).searchParams.get('token')!
    await hero.auth.reset_password({ token: reset, password: ownPassword })
    const waits = await refused(login(first.username), 'unauthenticated')
    assert.equal(waits.data.reason, 'awaits_approval')
    assert.deepEqual(await groupsOf(first.username), [])
    await refused(hero.auth.verify_email({ token: second.token, password: ownPassword }), 'conflict')
    await set('magic_links', false)
  })

  test('a mailed link that confirms a registration shows that it waits, and so does a code afterwards', async () => {
    await set('magic_links', true)
    const made = await hero.invitations.add({ groups: ['class'], uses: 2, approve: true })
    const home = daemon.config.public_url
    const { username, email } = await begin(inviteIn(made.link))
    const pupil = new Person()
    const askAnew = async () => pupil.submit(await pupil.open(`${home}/auth/magic`), '/auth/magic', { email })
    await askAnew()
    const opened = await pupil.open(linkIn(await smtp.mailTo(email, /Sign in/)))
    assert.match((await pupil.submit(opened, '/auth/magic', {})).text, /Your account awaits approval/)
    assert.equal((await invitation(made.id)).used, 1)
    smtp.arrived.length = 0
    const asked = await askAnew()
    const code = /^Your code: (\S+)$/m.exec((await smtp.mailTo(email, /Sign in/)).text!)![1]!
    assert.match((await pupil.submit(asked, '/auth/magic/code', { code })).text, /awaits approval/)
    await hero.registrations.approve({ users: [username] })
    assert.deepEqual(await groupsOf(username), ['groups.class'])
    await set('magic_links', false)
  })

  test('a stranger’s request ends nobody’s link, and tells nothing about people and groups', async () => {
    const invite = await linkFor({ groups: ['club'], uses: 9 })
    const victim = await begin(invite)
    const again = { username: newName(), email: victim.email, invite }
    for (let i = 0; i < 3; i++) await hero.auth.register(again)
    await hero.auth.verify_email({ token: victim.token, password: ownPassword })
    assert.deepEqual(await groupsOf(victim.username), ['groups.club'])
    const free = await hero.auth.register({ username: newName(), email: 'free@example.org', invite })
    const taken = await hero.auth.register({ username: newName(), email: victim.email, invite })
    assert.deepEqual(taken, free)
    assert.match((await smtp.mailTo(victim.email, /already/)).text!, /already have an account/)
    const page = await new Person().open(`${daemon.config.public_url}/auth/register?invite=${invite}`)
    assert.equal(page.status, 200)
    assert.doesNotMatch(page.text, /club|system/)
  })

  test('tells the maker once a day that somebody waits, and doctor counts them', async () => {
    const waits = async () =>
      (await hero.doctor.checks()).checks.find(({ check }) => check === 'registrations')!.text
    const teacher = await person(daemon, 'teacher', { is_admin: true, email: 'teacher@example.org' })
    const invite = await linkFor({ uses: 9, approve: true }, teacher)
    smtp.arrived.length = 0
    const first = await join(invite)
    const { text = '' } = await smtp.mailTo('teacher@example.org', /waits for your approval/)
    assert.ok(!text.includes(first.user), 'nothing that a stranger wrote')
    assert.match(await waits(), /wait for approval: [1-9]/)
    const mails = () =>
      byHand(
        daemon,
        async ({ query }) =>
          (
            await query
              .selectFrom('mails')
              .select('id')
              .where('kind', '=', 'registration_waiting')
              .where('address', '=', 'teacher@example.org')
              .execute()
          ).length,
      )
    await join(invite)
    assert.equal(await mails(), 1)
    const age = (seconds: number) =>
      byHand(daemon, ({ query }) =>
        query
          .updateTable('mails')
          .set(({ eb }) => ({ created_at: eb('created_at', '-', seconds) }))
          .execute(),
      )
    await age(7200)
    await join(invite)
    assert.equal(await mails(), 1, 'an hour later')
    await age(86_400)
    await join(invite)
    assert.equal(await mails(), 2, 'a day later')
    const { items } = await hero.registrations.list({})
    await hero.registrations.refuse({ users: items.map(({ user }) => user) })
    assert.equal(await waits(), 'nobody waits for approval')
  })

  test('gives only groups whose members its maker may change, when made and when used', async () => {
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
    await person(daemon, 'maker', { is_admin: true })
    const maker = await signedIn(daemon, 'maker')
    const invite = await linkFor({ groups: ['class', 'strict'], uses: 9 }, maker)
    const approved = await linkFor({ groups: ['class'], uses: 9, approve: true }, maker)
    assert.deepEqual(await groupsOf((await join(invite)).user), ['groups.class', 'groups.strict'])
    const waits = await join(approved)
    await hero.users.update({ username: 'maker', is_admin: false })
    const { items } = await hero.registrations.approve({ users: [waits.user] })
    assert.deepEqual(items, [{ user: waits.user, groups: [] }])
    // A program may lose one right and keep the other.
    const claims = ['proxy.users.write', 'proxy.groups.write']
    await hero.services.add({ service: 'office', unix_user: 'daemon', claims })
    const { access_token } = await hero.token.create({ service: 'office', name: 'office', scope: 'admin' })
    const own = await linkFor({ groups: ['class', 'strict'], uses: 9 }, hero.as(access_token))
    assert.deepEqual(await groupsOf((await join(own)).user), ['groups.class', 'groups.strict'])
    await hero.services.update({ service: 'office', claims: ['proxy.users.write'] })
    assert.deepEqual(await groupsOf((await join(own)).user), [])
    await hero.services.remove({ service: 'office' })
    await refused(hero.invitations.add({ groups: ['admin'] }), 'conflict')
    await refused(hero.invitations.add({ groups: ['nothing'] }), 'not_found')
  })

  test('admits nobody while its maker may not invite, until somebody else takes it over', async () => {
    await person(daemon, 'former', { is_admin: true })
    const former = await signedIn(daemon, 'former')
    const made = await former.invitations.add({ groups: ['class'], uses: 9 })
    const invite = inviteIn(made.link)
    const coming = () =>
      hero.auth.register({ username: newName(), email: `${newName()}@example.org`, invite })
    const waiting = await begin(invite)
    const verify = () => hero.auth.verify_email({ token: waiting.token, password: ownPassword })
    for (const lost of [{ is_admin: false }, { is_active: false }] as const) {
      await hero.users.update({ username: 'former', ...lost })
      await refused(coming(), 'unauthenticated')
      assert.equal((await refused(verify(), 'conflict')).data.reason, 'invitation_over')
      assert.equal((await invitation(made.id)).state, 'paused')
      await hero.users.update({ username: 'former', is_active: true, is_admin: true })
    }
    await coming()
    await hero.users.update({ username: 'former', is_admin: false })
    const taken = inviteIn((await hero.invitations.resend({ invitation: made.id })).link)
    assert.equal((await invitation(made.id)).state, 'open')
    await verify()
    assert.deepEqual(await groupsOf(waiting.username), ['groups.class'])
    await refused(coming(), 'unauthenticated')
    assert.deepEqual(await groupsOf((await join(taken)).user), ['groups.class'])
  })

  test('while registration is closed, no link lets anybody in; what has not ended works again afterwards', async () => {
    const made = await hero.invitations.add({ uses: 9 })
    const invite = inviteIn(made.link)
    const waiting = await begin(invite)
    await set('registration_mode', 'open')
    const username = newName()
    const email = `${username}@example.org`
    await hero.auth.register({ username, email })
    const alone = await verifyToken(email)
    const reasonOf = async (call: Promise<unknown>) => (await refused(call, 'conflict')).data.reason
    const confirm = (token: string) => hero.auth.verify_email({ token, password: ownPassword })
    await set('registration_mode', 'closed')
    const coming = { username: newName(), email: 'coming@example.org', invite }
    assert.equal(await reasonOf(hero.auth.register(coming)), 'registration_closed')
    for (const token of [waiting.token, alone])
      assert.equal(await reasonOf(confirm(token)), 'registration_closed')
    await hero.auth.request_password_reset({ email: waiting.email })
    const reset = new URL(linkIn(await smtp.mailTo(waiting.email, /new password/))).searchParams.get('token')!
    const chosen = { token: reset, password: ownPassword }
    assert.equal(await reasonOf(hero.auth.reset_password(chosen)), 'registration_closed')
    const home = daemon.config.public_url
    const shown = await new Person().open(`${home}/auth/register?invite=${invite}`)
    assert.equal(shown.status, 403)
    const guest = new Person()
    const form = await guest.open(`${home}/auth/verify?token=${waiting.token}`)
    const told = await guest.submit(form, '/auth/verify', { password: ownPassword })
    assert.match(told.text, /can’t create an account here yourself/)
    assert.equal((await invitation(made.id)).used, 0)
    await set('registration_mode', 'invite')
    assert.equal(await reasonOf(confirm(alone)), 'invitation_needed')
    await confirm(waiting.token)
    await login(waiting.username)
    assert.deepEqual(await hero.auth.register(coming), { next: 'verify' })
  })

  test('takes the right to invite, and for each group the right to change its members', async () => {
    await hero.services.add({ service: 'desk', unix_user: 'daemon', claims: ['proxy.users.write'] })
    const { access_token } = await hero.token.create({ service: 'desk', name: 'desk', scope: 'admin' })
    const desk = hero.as(access_token)
    const denied = await refused(desk.invitations.add({ groups: ['class'] }), 'claim_required', 'groups.0')
    assert.deepEqual(denied.data.claims, ['proxy.groups.write', 'groups.class.admin'])
    const { id, link } = await desk.invitations.add({ uses: 2 })
    await join(inviteIn(link))
    const mine = await hero.invitations.add({ groups: ['class'], approve: true })
    await refused(desk.invitations.resend({ invitation: mine.id }), 'claim_required')
    const { user } = await join(inviteIn(mine.link))
    await refused(desk.registrations.approve({ users: [user] }), 'claim_required')
    assert.equal((await hero.users.get({ username: user })).awaits_approval, true)
    const plain = await person(daemon, newName())
    for (const call of [
      () => plain.invitations.add({}),
      () => plain.invitations.list({}),
      () => plain.invitations.resend({ invitation: id }),
      () => plain.invitations.revoke({ invitation: id }),
      () => plain.registrations.list({}),
      () => plain.registrations.approve({ users: [user] }),
      () => plain.registrations.refuse({ users: [user] }),
    ])
      await refused(call(), 'claim_required')
    await hero.services.remove({ service: 'desk' })
    await refused(
      hero.auth.register({ username: newName(), email: 'x@example.org', invite: inviteIn(link) }),
      'unauthenticated',
    )
  })

  test('people who wait are nobody until somebody approves, many at once; the refused are gone', async () => {
    const invite = await linkFor({ groups: ['class'], uses: 9, approve: true })
    const joined = await Promise.all([join(invite), join(invite), join(invite)])
    assert.ok(joined.every(({ awaits_approval }) => awaits_approval))
    const [first, second, third] = joined.map(({ user }) => user)
    const { items } = await hero.registrations.list({})
    const shown = items.find(({ user }) => user === first)
    assert.partialDeepStrictEqual(shown, { email: `${first}@example.org`, groups: ['class'] })
    assert.ok([second, third].every((name) => items.some(({ user }) => user === name)))
    await refused(login(first!), 'unauthenticated')
    assert.deepEqual((await hero.claims.resolve({ user: first! })).claims, [])
    const unknown = await refused(hero.registrations.approve({ users: [first!, 'nobody'] }), 'not_found')
    assert.match(unknown.message, /nobody/)
    await refused(login(first!), 'unauthenticated')
    assert.deepEqual(await hero.registrations.approve({ users: [first!, second!, first!] }), {
      items: [first!, second!].map((user) => ({ user, groups: ['class'] })),
    })
    await login(first!)
    assert.match((await smtp.mailTo(`${second}@example.org`, /is ready/)).text!, /approved/)
    assert.equal(await hero.registrations.refuse({ users: [third!] }), null)
    await smtp.mailTo(`${third}@example.org`, /Your registration/)
    await refused(hero.users.get({ username: third! }), 'not_found')
    await refused(hero.registrations.refuse({ users: [first!] }), 'not_found')
    await hero.users.add({ username: third! })
  })

  test('ends when it is revoked, replaced or too old', async (t: TestContext) => {
    const made = await hero.invitations.add({ uses: 9 })
    const old = inviteIn(made.link)
    const waiting = await begin(old)
    const renewed = inviteIn((await hero.invitations.resend({ invitation: made.id })).link)
    const wanted = () => ({ username: newName(), email: `${newName()}@example.org` })
    await refused(hero.auth.register({ ...wanted(), invite: old }), 'unauthenticated')
    await hero.auth.register({ ...wanted(), invite: renewed })
    const clock = Date.now.bind(Date)
    const later = t.mock.method(Date, 'now', () => clock() + 8 * 86_400_000).mock
    await refused(hero.auth.register({ ...wanted(), invite: renewed }), 'unauthenticated')
    later.restore()
    await hero.invitations.revoke({ invitation: made.id })
    await refused(hero.auth.verify_email({ token: waiting.token, password: ownPassword }), 'conflict')
    await refused(hero.invitations.resend({ invitation: made.id }), 'conflict')
    await refused(hero.invitations.add({ expires_at: now() + 400 * 86_400 }), 'invalid_params', 'expires_at')
    await refused(hero.invitations.add({ ends_at: now() - 1 }), 'invalid_params', 'ends_at')
    await refused(hero.invitations.add({ email: 'a@example.org', uses: 2 }), 'invalid_params', 'uses')
  })

  test('to an address: mailed and mailed anew; shown with its QR where no mail server is set', async () => {
    const email = 'joan@example.org'
    const { id, link } = await hero.invitations.add({ email, groups: ['club'], display_name: 'Joan' })
    assert.equal(link, null)
    const first = inviteIn(linkIn(await smtp.mailTo(email, /invited/)))
    smtp.arrived.length = 0
    await hero.invitations.resend({ invitation: id })
    const second = inviteIn(linkIn(await smtp.mailTo(email, /invited/)))
    const wanted = { username: 'joan', password: ownPassword }
    await refused(hero.auth.register({ ...wanted, invite: first }), 'unauthenticated')
    const home = daemon.config.public_url
    const joan = new Person()
    const page = await joan.open(`${home}/auth/register?invite=${second}`)
    assert.match(page.text, /value="Joan"/)
    await joan.submit(page, '/auth/register', wanted)
    assert.deepEqual(await groupsOf('joan'), ['groups.club'])
    await set('smtp_host', '')
    const shown = await hero.invitations.add({ email: 'mary@example.org', approve: true })
    assert.deepEqual(
      await hero.auth.register({ ...wanted, username: 'mary', invite: inviteIn(shown.link) }),
      { next: 'wait' },
    )
    // Nothing confirms an address there, so an account by a link for several people has none.
    const invite = await linkFor({ groups: ['club'], uses: 2, approve: true })
    const guest = new Person()
    const form = await guest.open(`${home}/auth/register?invite=${invite}`)
    assert.match(form.text, /name="password"/)
    assert.doesNotMatch(form.text, /name="email"/)
    const told = await guest.submit(form, '/auth/register', { username: 'kid', password: ownPassword })
    assert.match(told.text, /awaits approval/)
    await refused(hero.auth.register({ username: 'kid2', invite }), 'invalid_params', 'password')
    await hero.registrations.approve({ users: ['kid', 'mary'] })
    await login('kid')
    assert.deepEqual(await groupsOf('kid'), ['groups.club'])
    await useServer(daemon, smtp)
    await refused(
      hero.auth.register({ username: 'kid2', password: ownPassword, invite }),
      'invalid_params',
      'email',
    )
  })

  test('default_groups are for those who sign up without one, and never lead to admin or a proof', async () => {
    await set('default_groups', 'club, strict, admin, nothing')
    await refused(set('default_groups', 'club; class'), 'invalid_params', 'value')
    const invited = await join(await linkFor({ groups: ['class'] }))
    assert.deepEqual(await groupsOf(invited.user), ['groups.class'])
    await set('registration_mode', 'open')
    const username = newName()
    const email = `${username}@example.org`
    await hero.auth.register({ username, email })
    assert.deepEqual(await groupsOf(username), [])
    await hero.auth.verify_email({ token: await verifyToken(email), password: ownPassword })
    assert.deepEqual(await groupsOf(username), ['groups.club'])
    await set('registration_mode', 'invite')
    await set('default_groups', '')
  })

  test('on pages: from the link to the waiting page, and in after the approval', async () => {
    const invite = await linkFor({ uses: 3, approve: true })
    const home = daemon.config.public_url
    const pupil = new Person()
    const username = newName()
    const form = await pupil.open(`${home}/auth/register?invite=${invite}`)
    assert.match(form.text, /somebody must approve/)
    await pupil.submit(form, '/auth/register', { username, email: `${username}@example.org` })
    const opened = await pupil.open(linkIn(await smtp.mailTo(`${username}@example.org`, /Confirm/)))
    const told = await pupil.submit(opened, '/auth/verify', { password: ownPassword })
    assert.match(told.text, /Your account awaits approval/)
    const early = await pupil.signIn(await pupil.open(`${home}/auth/login`), username, ownPassword)
    assert.match(early.text, /must still approve/)
    await hero.registrations.approve({ users: [username] })
    const inside = await pupil.signIn(await pupil.open(`${home}/auth/login`), username, ownPassword)
    assert.equal(inside.status, 200)
    assert.doesNotMatch(inside.text, /must still approve/)
    const dead = await pupil.open(`${home}/auth/register?invite=${'x'.repeat(43)}`)
    assert.equal(dead.status, 410)
  })
})
