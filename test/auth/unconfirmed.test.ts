import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword } from '../support/daemon.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'
import { ask } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { draft, headersOf, host as signedHost, pubkey, signDraft } from '../support/signing.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { valuesOf } from '../support/upstream.ts'

const otherPassword = 'velvet-harbor-93-comet'

onSqliteFirst('an account that nobody has confirmed', (newUrl) => {
  let stage: Stage
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    stage = await startStage({ database_url: newUrl(), trusted_proxies: '127.0.0.1' })
    await useServer(stage.daemon, smtp)
    const { settings } = stage.daemon.hero
    await settings.set({ key: 'registration_mode', value: 'open' })
    await settings.set({ key: 'network_login', value: true })
    await settings.set({ key: 'magic_links', value: true })
    await stage.daemon.hero.users.update({ username: 'ada', is_admin: true })
    await stage.route({ domain: 'near.localhost', auth_mode: 'optional' })
    await stage.route({ domain: signedHost, auth_mode: 'signature' })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await stage.close()
  })

  const register = async (username: string) => {
    const email = `${username}@example.org`
    const { hero } = stage.daemon
    assert.deepEqual(await hero.auth.register({ username, email, password: goodPassword }), {
      next: 'verify',
    })
    return email
  }
  const tokenTo = async (address: string, subject: RegExp): Promise<string> => {
    const token = new URL(linkIn(await smtp.mailTo(address, subject))).searchParams.get('token')!
    smtp.arrived.length = 0
    return token
  }
  const login = (name: string, password: string) => stage.daemon.hero.auth.login({ login: name, password })
  const knownAt = async (address: string): Promise<string | undefined> => {
    const answer = await ask(stage.daemon, 'near.localhost', '/', { headers: ['X-Forwarded-For', address] })
    return valuesOf(got(answer).rawHeaders, 'x-hero-user')[0]
  }
  const signed = async (): Promise<number> => {
    const text = draft()
    const { status } = await ask(stage.daemon, signedHost, text.path, {
      method: 'POST',
      headers: headersOf(text, signDraft(text)).flat(),
      body: text.body,
    })
    return status
  }

  test('is known neither by its network, its key nor its token, until a mailed link confirms it', async () => {
    const { hero } = stage.daemon
    await register('pending')
    await hero.users.networks.add({ user: 'pending', network: '192.0.2.0/24' })
    await hero.users.keys.add({ user: 'pending', pubkey })
    const { access_token } = await hero.token.create({ user: 'pending', name: 'Backup' })
    assert.equal(await knownAt('192.0.2.7'), undefined)
    assert.equal(await signed(), 403)
    await refused(hero.as(access_token).auth.me(), 'unauthenticated')
    assert.deepEqual(await hero.token.validate({ token: access_token }), { active: false })
    await hero.auth.request_magic_link({ email: 'pending@example.org' })
    await hero.auth.login_by_link({ token: await tokenTo('pending@example.org', /Sign in/) })
    assert.equal(await knownAt('192.0.2.7'), 'pending')
    assert.equal(await signed(), 200)
  })

  test('holds no claims, and is no member and no administrator of a group', async () => {
    const { hero } = stage.daemon
    await register('joiner')
    await hero.groups.add({ slug: 'choir' })
    await hero.groups.add_member({ group: 'choir', user: 'joiner' })
    await hero.groups.add_admin({ group: 'choir', user: 'joiner' })
    await hero.users.update({ username: 'joiner', is_admin: true })
    const check = await hero.claims.check({ user: 'joiner', rule: ['groups.choir', 'admin'] })
    assert.equal(check.allowed, false)
    assert.deepEqual((await hero.claims.resolve({ user: 'joiner' })).claims, [])
    const members = async (group: string) =>
      (await hero.groups.members({ group })).items.map(({ user }) => user)
    assert.deepEqual(await members('admin'), ['ada'])
    assert.deepEqual((await hero.groups.get({ group: 'choir' })).admins, [])
    assert.deepEqual(await members('choir'), [])
    await hero.auth.request_magic_link({ email: 'joiner@example.org' })
    await hero.auth.login_by_link({ token: await tokenTo('joiner@example.org', /Sign in/) })
    assert.deepEqual(await members('choir'), ['joiner'])
    assert.ok((await hero.claims.resolve({ user: 'joiner' })).claims.includes('proxy.admin'))
    await hero.users.remove({ username: 'joiner' })
  })

  test('is nobody to services that ask for people', async () => {
    const { hero } = stage.daemon
    await register('unseen')
    const { id } = await hero.users.get({ username: 'unseen' })
    await hero.services.add({ service: 'wiki', unix_user: 'nobody', claims: ['proxy.users.read'] })
    const { access_token } = await hero.token.create({ service: 'wiki', scope: 'admin' })
    const { client_id, client_secret } = await hero.clients
      .add({
        client: 'robot',
        name: 'Robot',
        grants: ['client_credentials'],
        scopes: ['admin'],
        claims: ['proxy.users.read'],
      })
      .then(({ client, client_secret }) => ({ client_id: client, client_secret: client_secret! }))
    const robot = await hero.token.create({ client_id, client_secret, scope: 'admin' })
    for (const token of [access_token, robot.access_token]) {
      const program = hero.as(token)
      await refused(program.users.get({ username: 'unseen' }), 'not_found')
      await refused(program.users.get({ email: 'unseen@example.org' }), 'not_found')
      await refused(program.users.get({ id }), 'not_found')
      assert.equal((await program.users.get({ username: 'bob' })).username, 'bob')
      const { items } = await program.users.list({ search: 'unseen' })
      assert.deepEqual(items, [])
    }
    // Administrators see it: they may have to remove it.
    assert.equal((await hero.users.list({ search: 'unseen' })).items.length, 1)
  })

  test('leaves nothing to the next holder of its name, or to another name for its address', async () => {
    const { hero } = stage.daemon
    const give = async (user: string, network: string) => {
      await hero.users.networks.add({ user, network })
      await hero.users.update({ username: user, is_admin: true })
      await hero.groups.add({ slug: `of-${user}` })
      await hero.groups.add_member({ group: `of-${user}`, user })
    }
    await register('ghost')
    await give('ghost', '198.51.100.0/25')
    await hero.users.remove({ username: 'ghost' })
    await hero.users.add({ username: 'ghost', email: 'heir-of-ghost@example.org' })
    assert.equal(await knownAt('198.51.100.7'), undefined)
    assert.deepEqual((await hero.claims.resolve({ user: 'ghost' })).claims, ['users.ghost'])
    // A stranger registered the address under one name, its owner under another.
    const email = await register('alias')
    await give('alias', '198.51.100.128/25')
    await tokenTo(email, /Confirm/)
    smtp.arrived.length = 0
    await hero.auth.register({ username: 'true-name', email })
    const token = await tokenTo(email, /Confirm/)
    assert.deepEqual(await hero.auth.verify_email({ token, password: otherPassword }), { user: 'true-name' })
    assert.equal(await knownAt('198.51.100.129'), undefined)
    assert.deepEqual((await hero.claims.resolve({ user: 'true-name' })).claims, ['users.true-name'])
    await refused(hero.users.get({ username: 'alias' }), 'not_found')
    await login('true-name', otherPassword)
  })

  test('is not the administrator who is left', async () => {
    const { hero } = stage.daemon
    await register('heir')
    await hero.users.update({ username: 'heir', is_admin: true })
    await refused(hero.users.update({ username: 'ada', is_admin: false }), 'conflict')
    await refused(hero.users.update({ username: 'ada', is_active: false }), 'conflict')
    await refused(hero.users.remove({ username: 'ada' }), 'conflict')
    await register('heir').catch(() => {})
    await refused(hero.users.update({ username: 'ada', is_admin: false }), 'conflict')
  })

  test('loses what was set before its address was proved: password, factors, tokens and sessions', async () => {
    const { hero } = stage.daemon
    for (const way of ['magic', 'reset'] as const) {
      const name = `victim-${way}`
      const email = await register(name)
      const { access_token } = await hero.token.create({ user: name, name: 'Backup' })
      const { id } = await hero.users.get({ username: name })
      await byHand(stage.daemon, async (database) => {
        const bobs = await database.query
          .selectFrom('credentials')
          .innerJoin('users', 'users.id', 'credentials.user_id')
          .select(['kind', 'hash', 'credentials.updated_at'])
          .where('username', '=', 'bob')
          .executeTakeFirstOrThrow()
        await database.query.deleteFrom('credentials').where('user_id', '=', id).execute()
        await database.query
          .insertInto('credentials')
          .values({ ...bobs, user_id: id })
          .execute()
        await database.query
          .insertInto('totp')
          .values({ user_id: id, secret_sealed: 'sealed', confirmed_at: 1, last_step: 0, created_at: 1 })
          .execute()
        await database.query.updateTable('users').set({ has_factor: 1 }).where('id', '=', id).execute()
        database.changed('users')
      })
      await refused(login(name, goodPassword), 'unauthenticated')
      if (way === 'magic') {
        await hero.auth.request_magic_link({ email })
        await hero.auth.login_by_link({ token: await tokenTo(email, /Sign in/) })
      } else {
        await hero.auth.request_password_reset({ email })
        const token = await tokenTo(email, /new password/)
        await hero.auth.reset_password({ token, password: otherPassword })
      }
      await refused(login(name, goodPassword), 'unauthenticated')
      const user = await hero.users.get({ username: name })
      assert.ok(user.email_verified_at !== null && !user.has_factor, way)
      assert.equal((await hero.factors.list({ user: name })).totp, null)
      assert.deepEqual(await hero.token.validate({ token: access_token }), { active: false })
      if (way === 'reset') await login(name, otherPassword)
    }
  })

  /** A stranger registers an address. Returns a way to use each kind of link to it. */
  const squat = async (name: string) => {
    const { hero } = stage.daemon
    const email = `owner-of-${name}@example.org`
    await hero.auth.register({ username: name, email, display_name: 'Evil Corp' })
    await hero.groups.add({ slug: `of-${name}` })
    await hero.groups.add_member({ group: `of-${name}`, user: name })
    const use = {
      magic: async (names: { username?: string; display_name?: string }, token?: string) => {
        if (token === undefined) await hero.auth.request_magic_link({ email })
        token ??= await tokenTo(email, /Sign in/)
        return { token, done: hero.auth.login_by_link({ token, ...names }) }
      },
      reset: async (names: { username?: string; display_name?: string }, token?: string) => {
        if (token === undefined) await hero.auth.request_password_reset({ email })
        token ??= await tokenTo(email, /new password/)
        return { token, done: hero.auth.reset_password({ token, password: otherPassword, ...names }) }
      },
    }
    return { email, use }
  }

  test('gets its names from the person who opens a link, not from who registered the address', async () => {
    const { hero } = stage.daemon
    for (const way of ['magic', 'reset'] as const) {
      // Who chooses nothing keeps the username at most.
      const kept = await squat(`kept-${way}`)
      assert.equal((await (await kept.use[way]({})).done).user, `kept-${way}`)
      const user = await hero.users.get({ email: kept.email })
      assert.deepEqual([user.username, user.display_name], [`kept-${way}`, `kept-${way}`])
      // The same username keeps the account; another one begins anew, without what the first was given.
      const same = await squat(`same-${way}`)
      await (
        await same.use[way]({ username: `same-${way}`, display_name: 'Own Name' })
      ).done
      assert.equal((await hero.users.get({ email: same.email })).display_name, 'Own Name')
      assert.ok((await hero.claims.resolve({ user: `same-${way}` })).claims.includes(`groups.of-same-${way}`))
      const other = await squat(`other-${way}`)
      // A name that cannot be had leaves the link as it is.
      const { token, done } = await other.use[way]({ username: 'Bob' })
      await refused(done, 'already_exists', 'username')
      for (const [names, path] of [
        [{ username: 'root' }, 'username'],
        [{ username: 'system' }, 'username'],
        [{ username: 'a b' }, 'username'],
        [{ username: 'free', display_name: '\u202eEvil' }, 'display_name'],
      ] as const)
        await refused((await other.use[way](names, token)).done, 'invalid_params', path)
      const { done: chosen } = await other.use[way]({ username: `own-${way}` }, token)
      assert.equal((await chosen).user, `own-${way}`)
      const own = await hero.users.get({ email: other.email })
      assert.deepEqual([own.username, own.display_name], [`own-${way}`, `own-${way}`])
      assert.deepEqual((await hero.claims.resolve({ user: `own-${way}` })).claims, [`users.own-${way}`])
      await refused(hero.users.get({ username: `other-${way}` }), 'not_found')
      await refused((await other.use[way]({}, token)).done, 'unauthenticated')
      // Nobody renames an account that is confirmed.
      await (
        await other.use[way]({ username: `third-${way}`, display_name: 'Third' })
      ).done
      const still = await hero.users.get({ email: other.email })
      assert.deepEqual(
        [still.id, still.username, still.display_name],
        [own.id, own.username, own.display_name],
      )
    }
  })

  test('asks for its names on the page behind each link, and shows none that a stranger chose', async () => {
    const { hero } = stage.daemon
    const home = `http://localhost:${stage.daemon.edge.port}`
    for (const way of ['magic', 'reset'] as const) {
      const { email } = await squat(`page-${way}`)
      await (way === 'magic'
        ? hero.auth.request_magic_link({ email })
        : hero.auth.request_password_reset({ email }))
      const token = await tokenTo(email, way === 'magic' ? /Sign in/ : /new password/)
      const person = new Person()
      let page = await person.open(`${home}/auth/${way}?token=${token}`)
      assert.match(
        page.text,
        /nobody has confirmed it yet[^]*<input id="username"[^>]* value=""[^>]* required/,
      )
      assert.doesNotMatch(page.text, /Evil Corp|[">]page-/)
      const password: Record<string, string> = way === 'reset' ? { password: otherPassword } : {}
      page = await person.submit(page, `/auth/${way}`, { username: 'bob', ...password })
      assert.equal(page.status, 409)
      assert.match(page.text, /<input id="username"[^>]* value="bob"/)
      const names = { username: `chosen-${way}`, display_name: 'Chosen Name' }
      await person.submit(page, `/auth/${way}`, { ...names, ...password })
      assert.equal((await hero.users.get({ email })).display_name, 'Chosen Name')
      // A confirmed account is not asked.
      await (way === 'magic'
        ? hero.auth.request_magic_link({ email })
        : hero.auth.request_password_reset({ email }))
      const again = await tokenTo(email, way === 'magic' ? /Sign in/ : /new password/)
      assert.doesNotMatch((await person.open(`${home}/auth/${way}?token=${again}`)).text, /id="username"/)
    }
  })
})
