import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

onSqliteFirst('an address that the provider has replaced', (newUrl) => {
  let stage: Stage
  let peer: OidcPeer
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    stage = await startRelying({ database_url: newUrl() })
    peer = await startOidcPeer(stage.origin)
    await useServer(stage.daemon, smtp)
    const { hero } = stage
    await hero.settings.set({ key: 'magic_links', value: true })
    await hero.settings.set({ key: 'registration_mode', value: 'open' })
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      allow_signup: true,
      scopes: ['openid', 'email', 'profile'],
      ...peer.client,
    })
  })
  after(async () => {
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
    await smtp[Symbol.asyncDispose]()
  })

  let count = 0
  /** Signs a new person up, who then has another address at the provider, and signs them in again. */
  const moved = async (
    refresh_profile: boolean,
    to: { email?: string; email_verified?: boolean } = {},
    between: (username: string, email: string) => Promise<unknown> = async () => {},
  ) => {
    const username = `mover${++count}`
    const email = `${username}@old.example.org`
    const profile = { email, email_verified: true, preferred_username: username }
    peer.accounts.set(username, profile)
    await stage.hero.providers.update({ provider: 'peer', refresh_profile })
    await comeBy(new Person(), stage, 'peer', username)
    assert.equal((await stage.hero.users.get({ username })).email, email)
    await between(username, email)
    const next = { ...profile, email: `${username}@new.example.org`, ...to }
    peer.accounts.set(username, next)
    smtp.arrived.length = 0
    const person = new Person()
    await comeBy(person, stage, 'peer', username)
    assert.equal(await whoIs(person, stage.origin), username)
    return { username, old: email, fresh: next.email, user: await stage.hero.users.get({ username }) }
  }
  const mailsOf = (address: string, kind: string) =>
    byHand(stage.daemon, async ({ query }) =>
      query
        .selectFrom('mails')
        .select('state')
        .where('address', '=', address)
        .where('kind', '=', kind)
        .execute(),
    )

  test('with refresh_profile the new one is taken, and the old one is notified', async () => {
    const { user, old, fresh, username } = await moved(true)
    assert.equal(user.email, fresh)
    assert.ok(user.email_verified_at)
    assert.match((await smtp.mailTo(old, /was changed/)).text!, new RegExp(fresh))
    await stage.hero.auth.request_magic_link({ email: fresh })
    const token = new URL(linkIn(await smtp.mailTo(fresh, /Sign in/))).searchParams.get('token')!
    assert.equal((await stage.hero.auth.login_by_link({ token })).user, username)
  })

  test('without it, the old one counts for nothing any more', async () => {
    const { hero } = stage
    const { user, old, username } = await moved(false)
    assert.equal(user.email_verified_at, null)
    await hero.auth.request_password_reset({ email: old })
    await hero.auth.request_magic_link({ email: old })
    for (const kind of ['reset', 'magic'])
      assert.deepEqual(await mailsOf(old, kind), [{ state: 'decoy' }], kind)
    // The account lives on, and its new owner can have the address.
    assert.ok((await hero.claims.resolve({ user: username })).claims.includes(`users.${username}`))
    await hero.users.add({ username: `${username}-heir`, email: old })
  })

  test('links that were mailed to the old one are dead, and a pending change of address too', async () => {
    for (const refresh of [true, false]) {
      const links: string[] = []
      await moved(refresh, {}, async (username, email) => {
        const { auth } = stage.hero
        await stage.hero.auth.set_password({ user: username, password: goodPassword })
        await auth.request_password_reset({ email })
        await auth.request_magic_link({ email })
        const { access_token } = await auth.login({ login: username, password: goodPassword })
        await stage.hero.as(access_token).auth.change_email({ email: `${username}@third.example.org` })
        for (const [to, subject] of [
          [email, /new password/],
          [email, /Sign in to/],
          [`${username}@third.example.org`, /new address/],
        ] as const)
          links.push(new URL(linkIn(await smtp.mailTo(to, subject))).searchParams.get('token')!)
      })
      const [reset, magic, change] = links as [string, string, string]
      const { auth } = stage.hero
      await assert.rejects(
        auth.reset_password({ token: reset, password: 'velvet-harbor-93-comet' }),
        /no longer valid/,
      )
      await assert.rejects(auth.login_by_link({ token: magic }), /no longer valid/)
      await assert.rejects(auth.verify_email({ token: change }), /no longer valid/)
    }
  })

  test('one that is not verified, or that somebody else has, is never taken', async () => {
    const doubtful = await moved(true, { email_verified: false })
    assert.equal(doubtful.user.email, null)
    await stage.hero.users.add({ username: 'holder', email: 'holder@example.org' })
    const taken = await moved(true, { email: 'holder@example.org' })
    assert.equal(taken.user.email, null)
    assert.equal((await stage.hero.users.get({ email: 'holder@example.org' })).username, 'holder')
    // Somebody who only registered it does not keep it.
    await stage.hero.auth.register({ username: 'squatter', email: 'squat@example.org' })
    assert.equal((await moved(true, { email: 'squat@example.org' })).user.email, 'squat@example.org')
  })

  test('an address that was set here stays, and so does one that the provider still reports', async () => {
    for (const refresh of [true, false]) {
      const own = await moved(refresh, {}, (username) =>
        stage.hero.users.update({ username, email: `${username}@own.example.org` }),
      )
      assert.equal(own.user.email, `${own.username}@own.example.org`)
      const same = await moved(refresh, { email: `MOVER${count + 1}@old.example.org` })
      assert.equal(same.user.email, same.old)
    }
  })

  test('services do not get it, and allowed_emails does not accept it', async () => {
    const { hero, daemon } = stage
    await hero.proxy.routes.add({
      domain: 'by.mail.test',
      target: 'http://127.0.0.1:9',
      auth_mode: 'optional',
      allowed_emails: ['*@old.example.org'],
    })
    const { username } = await moved(false)
    const tested = await hero.proxy.routes.test({
      method: 'GET',
      url: 'http://by.mail.test/',
      user: username,
    })
    assert.notEqual(tested.act, 'forward')
    assert.doesNotMatch(JSON.stringify(tested.headers), /@old\.example\.org/)
    assert.ok(daemon.edge.port)
  })
})
