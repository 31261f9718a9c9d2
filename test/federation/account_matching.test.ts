import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Authenticator } from '../support/authenticator.ts'
import { goodPassword } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { startOidcPeer, type Account, type OidcPeer } from '../support/openid_peer.ts'
import {
  byPassword,
  comeBy,
  auditLines,
  startRelying,
  whoIs,
  type Page,
  type Stage,
} from '../support/provider_stage.ts'

onSqliteFirst('matching provider identities to accounts', (newUrl) => {
  let stage: Stage
  let peer: OidcPeer
  let count = 0
  before(async () => {
    stage = await startRelying({ database_url: newUrl() })
    peer = await startOidcPeer(stage.origin)
    const { hero } = stage
    await hero.groups.add({ slug: 'staff' })
    await hero.groups.add({ slug: 'makers' })
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      allow_signup: true,
      scopes: ['openid', 'email', 'profile', 'groups'],
      groups_claim: 'groups',
      groups: [
        { value: 'acme:all', group: 'staff' },
        { value: 'acme:makers', group: 'makers' },
      ],
      ...peer.client,
    })
  })
  after(async () => {
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** Adds an account at the peer and returns its subject. */
  const account = (fields: Account): string => {
    const subject = `s${++count}`
    peer.accounts.set(subject, fields)
    return subject
  }
  const newSignIn = async (fields: Account): Promise<{ person: Person; page: Page; subject: string }> => {
    const person = new Person()
    const subject = account(fields)
    return { person, subject, page: await comeBy(person, stage, 'peer', subject) }
  }
  const groupsOf = async (user: string) =>
    (await stage.hero.claims.resolve({ user })).claims.filter((claim) => claim.startsWith('groups.'))
  /** Starts linking on the account page of a signed-in person, and returns the confirmation page. */
  const startLink = async (person: Person, subject: string, seen?: Page): Promise<Page> => {
    const security = seen ?? (await person.open(`${stage.origin}/auth/security`))
    const page = await person.submit(security, '/auth/link/begin', { provider: 'peer' })
    return page.url.pathname.startsWith('/who/') ? person.submit(page, '/who/', { sub: subject }) : page
  }

  const unlink = async (person: Person): Promise<Page> => {
    const page = await person.open(`${stage.origin}/auth/security`)
    return person.submit(await person.follow(page, '/auth/account/unlink'), '/auth/account/unlink', {})
  }

  test('a first sign-in creates an account if allow_signup is set', async () => {
    const { person, subject } = await newSignIn({
      email: 'Zoë.new@Example.ORG'.replace('ë', 'e'),
      email_verified: true,
      preferred_username: 'Zoë van Dam!',
      name: 'Zoë van Dam',
      groups: ['acme:all'],
    })
    assert.equal(await whoIs(person, stage.origin), 'zoe-van-dam')
    const user = await stage.hero.users.get({ username: 'zoe-van-dam' })
    assert.equal(user.email, 'zoe.new@example.org')
    assert.ok(user.email_verified_at)
    assert.equal(user.display_name, 'Zoë van Dam')
    assert.equal(user.is_admin, false)
    assert.deepEqual(await groupsOf('zoe-van-dam'), ['groups.staff'])
    const again = new Person()
    await comeBy(again, stage, 'peer', subject)
    assert.equal(await whoIs(again, stage.origin), 'zoe-van-dam', 'the second sign-in finds the same account')
  })

  test('a new account gets the default groups of its provider, and no more than that', async () => {
    const { hero } = stage
    await hero.groups.add({ slug: 'guests' })
    await hero.groups.add({ slug: 'guarded', proof: 'second' })
    await hero.providers.update({ provider: 'peer', default_groups: ['guests', 'guarded'] })
    const { subject } = await newSignIn({ preferred_username: 'newcomer' })
    assert.deepEqual(await groupsOf('newcomer'), ['groups.guests'])
    // By hand it can be taken away: the next sign-in does not bring it back.
    await hero.groups.remove_member({ group: 'guests', user: 'newcomer' })
    await comeBy(new Person(), stage, 'peer', subject)
    assert.deepEqual(await groupsOf('newcomer'), [])
    await refused(hero.providers.update({ provider: 'peer', default_groups: ['nothing'] }), 'not_found')
    await refused(
      hero.providers.update({ provider: 'peer', default_groups: ['admin'] }),
      'invalid_params',
      'default_groups.0',
    )
    await hero.providers.update({ provider: 'peer', default_groups: [] })
  })

  test('a login becomes a valid claim segment, and a name in use now or earlier gets a number', async () => {
    await stage.hero.users.add({ username: 'gone' })
    await stage.hero.users.remove({ username: 'gone' })
    for (const [login, wanted] of [
      ['ada', 'ada-2'],
      ['ADA', 'ada-3'],
      ['gone', 'gone-2'],
      // Services and people would take these for privileged accounts.
      ['admin', 'from-mail'],
      ['Root', 'from-mail-2'],
      ['ｓｕｐｐｏｒｔ', 'from-mail-3'],
      ['system', 'from-mail-4'],
      ['users.admin', 'users-admin'],
      ['a,b\r\nX-Hero-User: root', 'a-b-x-hero-user-root'],
      ['Łukasz Śmigły', 'lukasz-smigly'],
      ['李', 'from-mail-5'],
      ['x'.repeat(90), 'x'.repeat(63)],
    ] as const) {
      const email = `from.mail@n${count}.example.org`
      const { person, page } = await newSignIn({ email, email_verified: true, preferred_username: login })
      assert.equal(await whoIs(person, stage.origin), wanted, `${login}: ${page.text.slice(0, 2000)}`)
    }
  })

  test('mapped groups follow the provider at each sign-in, and memberships given by hand stay (D39)', async () => {
    const { subject, person } = await newSignIn({
      email: 'm@example.org',
      email_verified: true,
      preferred_username: 'mia',
      groups: ['acme:makers', 'admin', 'groups.admin'],
    })
    assert.equal(await whoIs(person, stage.origin), 'mia')
    assert.deepEqual(await groupsOf('mia'), ['groups.makers'])
    await stage.hero.groups.add_member({ group: 'staff', user: 'mia' })
    peer.accounts.set(subject, { email: 'm@example.org', email_verified: true, groups: [] })
    await comeBy(new Person(), stage, 'peer', subject)
    assert.deepEqual(await groupsOf('mia'), ['groups.staff'])
    await refused(
      stage.hero.providers.update({ provider: 'peer', groups: [{ value: 'root', group: 'admin' }] }),
      'invalid_params',
    )
  })

  test('removing a mapping removes the memberships that it gave at once, and no others', async () => {
    const { hero } = stage
    const table = (await hero.providers.get({ provider: 'peer' })).groups
    const made = async (login: string) => {
      await newSignIn({ preferred_username: login, groups: ['acme:all', 'acme:makers'] })
      return login
    }
    const [one, two] = [await made('mapped-one'), await made('mapped-two')]
    await hero.groups.remove_member({ group: 'makers', user: two })
    await hero.groups.add_member({ group: 'makers', user: two })
    const both = ['groups.makers', 'groups.staff']
    const update = (fields: object) => hero.providers.update({ provider: 'peer', ...fields })
    await update({ title: 'The peer', groups: [...table, { value: 'acme:more', group: 'makers' }] })
    await update({
      groups: table.filter(({ value }) => value !== 'acme:makers').concat({ value: 'x', group: 'makers' }),
    })
    assert.deepEqual(await groupsOf(one), both, 'another mapping gives the same group')
    await update({ groups: table.filter(({ group }) => group !== 'makers') })
    assert.deepEqual(await groupsOf(one), ['groups.staff'])
    assert.deepEqual(await groupsOf(two), both, 'the membership was given by hand')
    await update({ groups_claim: null })
    assert.deepEqual(await groupsOf(one), [])
    await update({ groups_claim: 'groups', groups: table })
  })

  test('an unverified or malformed address neither creates an account nor matches one', async () => {
    for (const [email, email_verified] of [
      ['ada@example.org', false],
      ['fresh@example.org', false],
      ['fresh@example.org', undefined],
      ['a@evil@example.org', true],
      ['ada@example.org\u0000', true],
      ['ad\u0430@example.org', true],
      ['ada@exam\u017fle.org', true],
      ['"ada"@example.org', true],
    ] as const) {
      const { person, page } = await newSignIn({
        email,
        ...(email_verified !== undefined && { email_verified }),
      } as Account)
      assert.equal(page.status, 403, email)
      assert.match(page.text, /has not verified your address|not verified/i)
      assert.equal(await whoIs(person, stage.origin), undefined)
    }
    for (const email_verified of ['false', 0, 'yes'] as unknown as boolean[])
      assert.equal((await newSignIn({ email: 'ada@example.org', email_verified })).page.status, 403)
  })

  test('a matching address links nothing until the person confirms while signed in (D39)', async () => {
    const { person, subject, page } = await newSignIn({
      email: 'GRACE@example.org',
      email_verified: true,
      preferred_username: 'gh',
    })
    assert.equal(page.url.pathname, '/auth/link')
    assert.equal(await whoIs(person, stage.origin), undefined)
    assert.deepEqual((await stage.hero.users.identities.list({ user: 'grace' })).items, [])
    // Another person cannot confirm: the address is not theirs.
    await byPassword(person, stage.origin, 'ada')
    const asAda = await person.submit(await person.open(`${stage.origin}/auth/link`), '/auth/link', {
      answer: 'link',
    })
    assert.equal(asAda.status, 409, asAda.text)
    assert.match(asAda.text, /different address than yours/)
    assert.deepEqual((await stage.hero.users.identities.list({ user: 'ada' })).items, [])

    const second = new Person()
    await comeBy(second, stage, 'peer', subject)
    const signIn = await second.open(`${stage.origin}/auth/login?return_to=/auth/link`)
    const asks = await second.signIn(signIn, 'grace', goodPassword)
    assert.equal(asks.url.pathname, '/auth/link')
    assert.match(asks.text, /signed in here as <strong>grace/)
    const done = await second.submit(asks, '/auth/link', { answer: 'link' })
    assert.match(done.text, /now linked/)
    assert.equal((await stage.hero.users.identities.list({ user: 'grace' })).items[0]!.subject, subject)
    const third = new Person()
    await comeBy(third, stage, 'peer', subject)
    assert.equal(await whoIs(third, stage.origin), 'grace')
    assert.ok((await auditLines(stage)).includes('users.identities.link user=grace provider=peer ok'))
  })

  test('an identity cannot be linked at the host of a service, whose pages could submit the form', async () => {
    const { hero, origin } = stage
    const app = `http://app.localhost:${new URL(origin).port}`
    await hero.proxy.routes.add({
      domain: 'app.localhost',
      target: 'http://127.0.0.1:1',
      auth_mode: 'optional',
    })
    const person = new Person()
    const subject = account({ email: 'ada@example.org', email_verified: true })
    const signIn = await person.open(`${app}/login?next=/`)
    assert.equal(signIn.url.origin, origin)
    const there = await comeBy(person, stage, 'peer', subject, signIn.url.pathname + signIn.url.search)
    assert.equal(there.url.href, `${origin}/auth/link`)
    const toLink = await person.open(`${origin}/auth/login?return_to=/auth/link`)
    const asks = await person.signIn(toLink, 'ada', goodPassword)
    assert.match(asks.text, /signed in here as <strong>ada/)
    assert.ok(!person.cookiesAt(new URL(app)).includes('link'))
    // The cookies of home do not reach the service in a browser. Even with them, the paths are those of the service.
    const cookie = person
      .cookiesAt(new URL(origin))
      .split('; ')
      // With our form cookie, a service would not even get the request.
      .filter((pair) => !pair.includes('form='))
      .join('; ')
    assert.match(cookie, /link=/)
    const token = /name="form_token" value="([^"]+)"/.exec(asks.text)![1]!
    const body = new URLSearchParams({ form_token: token, answer: 'link' }).toString()
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded', origin: app }
    for (const init of [{}, { method: 'POST', body }])
      for (const path of ['/auth/link', '/auth/link/begin'])
        assert.equal((await new Person().open(`${app}${path}`, { ...init, headers })).status, 502, path)
    assert.deepEqual((await hero.users.identities.list({ user: 'ada' })).items, [])
  })

  test('a confirmation is bound to its browser, works once and needs a fresh proof', async () => {
    const { hero, origin } = stage
    await hero.users.add({ username: 'iris', email: 'iris@example.org', password: goodPassword })
    const { person } = await newSignIn({ email: 'iris@example.org', email_verified: true })
    const victim = new Person()
    await byPassword(victim, origin, 'iris')
    assert.equal(
      (await victim.open(`${origin}/auth/link`)).status,
      400,
      'another browser has no pending link',
    )
    const asks = await person.signIn(
      await person.open(`${origin}/auth/login?return_to=/auth/link`),
      'iris',
      goodPassword,
    )
    await person.submit(asks, '/auth/link', { answer: 'link' })
    const twice = await person.submit(asks, '/auth/link', { answer: 'link' })
    assert.equal(twice.status, 400)
    const { items } = await hero.users.identities.list({ user: 'iris' })
    assert.equal(items.length, 1)
    const iris = hero.as((await hero.auth.login({ login: 'iris', password: goodPassword })).access_token)
    await refused(iris.users.identities.link({ link: 'made-up' }), 'not_found')
    await refused(hero.users.identities.link({ link: 'made-up' }), 'conflict')
  })

  test('an identity is linked and unlinked on the page about security, and the last way to sign in stays', async () => {
    const { hero, origin } = stage
    await hero.users.add({ username: 'kim', email: 'kim@example.org', password: goodPassword })
    const person = new Person()
    await byPassword(person, origin, 'kim')
    const other = account({ email: 'kim@elsewhere.org', email_verified: true })
    const wrong = await startLink(person, other)
    assert.equal(wrong.status, 403, wrong.text)
    assert.match(wrong.text, /The addresses differ/)
    const own = account({ email: 'kim@example.org', email_verified: true, preferred_username: 'kimmy' })
    // The peer keeps its own session, so this starts in a new browser.
    const fresh = new Person()
    await byPassword(fresh, origin, 'kim')
    const before = await fresh.open(`${origin}/auth/security`)
    const asks = await startLink(fresh, own, before)
    assert.equal(asks.url.pathname, '/auth/link', asks.text)
    assert.deepEqual(
      (await hero.users.identities.list({ user: 'kim' })).items,
      [],
      'nothing is linked before the confirmation',
    )
    const done = await fresh.submit(asks, '/auth/link', { answer: 'link' })
    assert.match(done.text, /<strong>The peer<\/strong>: kimmy/)
    const again = await startLink(fresh, own, before)
    assert.match(again.text, /already linked/i)

    const byPeer = new Person()
    await comeBy(byPeer, stage, 'peer', own)
    assert.equal(await whoIs(byPeer, origin), 'kim')
    await unlink(fresh)
    assert.deepEqual((await hero.users.identities.list({ user: 'kim' })).items, [])
    assert.equal(await whoIs(byPeer, origin), undefined, 'the session that the identity opened has ended')
    assert.equal(await whoIs(fresh, origin), 'kim')

    const { person: only, subject } = await newSignIn({
      email: 'only@example.org',
      email_verified: true,
      preferred_username: 'only',
    })
    const form = await only.open(`${origin}/login?provider=peer&prompt=login`)
    await only.submit(form, '/who/', { sub: subject })
    const refusal = await unlink(only)
    assert.equal(refusal.status, 409)
    assert.match(refusal.text, /last way to sign in/)
    const [identity] = (await hero.users.identities.list({ user: 'only' })).items
    await hero.users.identities.remove({ user: 'only', id: identity!.id })
    assert.equal(await whoIs(only, origin), undefined, 'an administrator may remove the last one')
  })

  test('unlinking one of two identities at a provider ends the sessions that either may have opened', async () => {
    const { hero, origin } = stage
    const profile = { email: 'twice@example.org', email_verified: true, preferred_username: 'twice' }
    const { person: own, subject } = await newSignIn(profile)
    const theirs = account({})
    await hero.users.identities.add({ user: 'twice', provider: 'peer', subject: theirs })
    const stranger = new Person()
    await comeBy(stranger, stage, 'peer', theirs)
    assert.equal(await whoIs(stranger, origin), 'twice')
    const { items } = await hero.users.identities.list({ user: 'twice' })
    const wrong = items.find((identity) => identity.subject === theirs)!
    await hero.users.identities.remove({ user: 'twice', id: wrong.id })
    assert.equal(await whoIs(stranger, origin), undefined)
    await comeBy(own, stage, 'peer', subject)
    assert.equal(await whoIs(own, origin), 'twice')
  })

  test('of a passkey and an identity as the only ways to sign in, one stays even if both are removed at once', async () => {
    const { hero, origin } = stage
    await hero.users.add({ username: 'pat', password: goodPassword })
    const pat = hero.as((await hero.auth.login({ login: 'pat', password: goodPassword })).access_token)
    await hero.users.identities.add({ user: 'pat', provider: 'peer', subject: 'pat' })
    const authenticator = new Authenticator(origin)
    const add = async () => {
      const attestation = authenticator.create(await pat.factors.passkey_options())
      return pat.factors.add_passkey({ name: 'Key', attestation })
    }
    const key = await add()
    await byHand(stage.daemon, async (database) => {
      await database.query
        .deleteFrom('credentials')
        .where('user_id', 'in', (query) =>
          query.selectFrom('users').select('id').where('username', '=', 'pat'),
        )
        .execute()
      // A round to the provider, which the first factor takes without a password.
      await database.query
        .updateTable('sessions')
        .set({ mailed_at: Math.floor(Date.now() / 1000) })
        .execute()
    })
    const [identity] = (await hero.users.identities.list({ user: 'pat' })).items
    const both = await Promise.allSettled([
      pat.users.identities.remove({ user: 'pat', id: identity!.id }),
      pat.factors.remove_passkey({ id: key.id }),
    ])
    assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
    if (both[1].status === 'fulfilled') {
      await add()
      await pat.users.identities.remove({ user: 'pat', id: identity!.id })
    }
    const [left] = (await pat.factors.list({})).passkeys
    const refusal = await refused(pat.factors.remove_passkey({ id: left!.id }), 'conflict')
    assert.match(refusal.message, /last way to sign in/)
    assert.equal((await pat.factors.list({})).passkeys.length, 1)
    await hero.factors.clear({ user: 'pat' })
  })

  test('an identity of another account cannot be linked', async () => {
    const { subject } = await newSignIn({
      email: 'first@example.org',
      email_verified: true,
      preferred_username: 'first',
    })
    await stage.hero.users.add({ username: 'thief', email: 'thief@example.org', password: goodPassword })
    const thief = new Person()
    await byPassword(thief, stage.origin, 'thief')
    peer.accounts.set(subject, { email: 'thief@example.org', email_verified: true })
    const page = await startLink(thief, subject)
    assert.equal(page.status, 409)
    assert.match(page.text, /is linked to another account/)
  })

  test('a second factor is required after a provider sign-in, and the session records the provider', async () => {
    const { hero, origin } = stage
    const { subject, person: first } = await newSignIn({
      email: 'two@example.org',
      email_verified: true,
      preferred_username: 'two',
    })
    assert.equal(await whoIs(first, origin), 'two')
    await hero.auth.set_password({ user: 'two', password: goodPassword })
    const two = hero.as((await hero.auth.login({ login: 'two', password: goodPassword })).access_token)
    const secret = await enrol(two)
    const person = new Person()
    const step = await comeBy(person, stage, 'peer', subject, '/auth/me?after=factor')
    assert.match(step.text, /One more step/)
    assert.equal(await whoIs(person, origin), undefined)
    const done = await person.submit(step, '/auth/factor', { code: codeOf(secret, 1) })
    assert.equal(done.url.search, '?after=factor')
    assert.equal(await whoIs(person, origin), 'two')
    const [newest] = (await hero.sessions.list({ user: 'two' })).items
    assert.deepEqual([newest!.provider, newest!.factor], ['peer', 'totp'])
  })

  test('a passkey of the same person works as the second factor, and the session records the provider', async () => {
    const { hero, origin } = stage
    const { subject } = await newSignIn({
      email: 'key@example.org',
      email_verified: true,
      preferred_username: 'key',
    })
    for (const user of ['key', 'grace']) await hero.auth.set_password({ user, password: goodPassword })
    const authenticators = await Promise.all(
      ['key', 'grace'].map(async (login) => {
        const authenticator = new Authenticator(origin)
        const person = hero.as((await hero.auth.login({ login, password: goodPassword })).access_token)
        const attestation = authenticator.create(await person.factors.passkey_options())
        await person.factors.add_passkey({ name: 'Key', attestation })
        return authenticator
      }),
    )
    for (const [authenticator, wanted] of [
      [authenticators[1]!, undefined],
      [authenticators[0]!, 'key'],
    ] as const) {
      const person = new Person()
      const step = await comeBy(person, stage, 'peer', subject)
      const options = JSON.parse(
        /data-options="([^"]*)"/.exec(step.text)![1]!.replaceAll('&quot;', '"'),
      ) as Parameters<Authenticator['get']>[0]
      await person.submit(step, '/auth/passkey', { answer: authenticator.get(options) })
      assert.equal(await whoIs(person, origin), wanted)
    }
    const [newest] = (await hero.sessions.list({ user: 'key' })).items
    assert.deepEqual([newest!.provider, newest!.factor], ['peer', 'passkey'])
    await hero.factors.clear({ user: 'grace' })
  })

  test('a deactivated person sees an error and gets no session', async () => {
    const { subject } = await newSignIn({
      email: 'off@example.org',
      email_verified: true,
      preferred_username: 'off',
    })
    await stage.hero.users.update({ username: 'off', is_active: false })
    const person = new Person()
    const page = await comeBy(person, stage, 'peer', subject)
    assert.equal(page.status, 403)
    assert.equal(await whoIs(person, stage.origin), undefined)
    assert.equal((await auditLines(stage))[0], 'auth.login_by_provider user=off provider=peer inactive')
  })

  test('concurrent first sign-ins create one account', async () => {
    const subject = account({ email: 'tabs@example.org', email_verified: true, preferred_username: 'tabs' })
    const [one, two] = [new Person(), new Person()]
    await Promise.all([comeBy(one, stage, 'peer', subject), comeBy(two, stage, 'peer', subject)])
    assert.deepEqual(await Promise.all([whoIs(one, stage.origin), whoIs(two, stage.origin)]), [
      'tabs',
      'tabs',
    ])
    assert.equal((await stage.hero.users.list({ search: 'tabs' })).items.length, 1)
  })

  test('removing a provider removes its identities, sessions and memberships', async () => {
    const { hero, origin } = stage
    const { person } = await newSignIn({
      email: 'late@example.org',
      email_verified: true,
      preferred_username: 'late',
      groups: ['acme:all'],
    })
    assert.equal(await whoIs(person, origin), 'late')
    await hero.providers.remove({ provider: 'peer' })
    assert.equal(await whoIs(person, origin), undefined)
    assert.deepEqual((await hero.users.identities.list({ user: 'late' })).items, [])
    assert.deepEqual(await groupsOf('late'), [])
  })
})

describe('allowed domains (D41)', () => {
  test('the domain of a verified address must match completely', async () => {
    await using stage = await startRelying()
    await using peer = await startOidcPeer(stage.origin)
    await stage.hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      allow_signup: true,
      allowed_domains: ['Good.com'],
      ...peer.client,
    })
    let n = 0
    const attempt = async (email: string, email_verified: boolean) => {
      const person = new Person()
      const subject = `d${++n}`
      peer.accounts.set(subject, { email, email_verified, preferred_username: subject })
      const page = await comeBy(person, stage, 'peer', subject)
      return { user: await whoIs(person, stage.origin), page }
    }
    for (const [email, verified] of [
      ['a@evil@good.com', true],
      ['a@evilgood.com', true],
      ['a@good.com.evil.org', true],
      ['a@sub.good.com', true],
      ['a@good.com.', true],
      ['a@good.com ', true],
      ['a@GOOD.COM@evil.org', true],
      ['a@g\u043eod.com', true],
      ['a@good.com\u0000.evil.org', true],
      ['a@good\u3002com', true],
      ['good.com', true],
      ['@good.com', true],
      ['a@good.com', false],
      ['', true],
    ] as const) {
      const { user, page } = await attempt(email, verified)
      assert.equal(user, undefined, email)
      assert.equal(page.status, 403, email)
      assert.match(page.text, /certain domains/)
    }
    assert.equal((await attempt('a@GOOD.com', true)).user, `d${n}`)
    // The domain is checked again at a later sign-in.
    const person = new Person()
    peer.accounts.set(`d${n}`, { email: 'a@elsewhere.org', email_verified: true })
    assert.match((await comeBy(person, stage, 'peer', `d${n}`)).text, /certain domains/)
  })
})
