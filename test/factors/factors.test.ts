import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Sessions } from '../../src/sessions/sessions.ts'
import { takesAdmin, takesSignIn } from '../contract/rights_table.ts'
import { Authenticator } from '../support/authenticator.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { now } from '../../src/storage/ids.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { codeOf, enrol, enrolled } from '../support/factors.ts'
import { openrpc, paramsOf } from '../support/openrpc.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { noReactions } from '../support/reactions.ts'

onSqliteFirst('second factors', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
  })
  after(() => daemon.close())

  let number = 0
  const newPerson = async (fields: { is_admin?: boolean } = {}) => {
    const name = `person${++number}`
    return { name, hero: await person(daemon, name, fields) }
  }
  const login = (name: string, password = goodPassword) => daemon.hero.auth.login({ login: name, password })
  /** The sign-in token that the password alone gets. */
  const half = async (name: string): Promise<string> =>
    String((await refused(login(name), 'factor_required')).data.sign_in)
  const byCode = (sign_in: string, code: string) => daemon.hero.auth.login_by_code({ sign_in, code })
  const winners = async (attempts: readonly Promise<unknown>[]) =>
    (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled').length
  /** Makes every rate limit expire. */
  const waitLong = () =>
    byHand(daemon, ({ query }) => query.updateTable('attempts').set({ full_until: 0 }).execute())

  const sweep = () =>
    byHand(daemon, (database) => new Sessions(database, async () => 300, noReactions, 'localhost').sweep())

  test('TOTP takes effect once confirmed, and then the password alone no longer signs in', async () => {
    const { name, hero } = await newPerson()
    const { secret, uri } = await hero.factors.add_totp()
    assert.match(uri, new RegExp(`^otpauth://totp/hero_proxy:${name}\\?`))
    await login(name)
    await refused(hero.factors.confirm_totp({ code: '000000' }), 'unauthenticated')
    // Computed once: the time step may change between two readings of the clock.
    const [code, next] = [codeOf(secret), codeOf(secret, 1)]
    const { recovery_codes } = await hero.factors.confirm_totp({ code })
    assert.equal(new Set(recovery_codes).size, 10)
    for (const code of recovery_codes) assert.match(code, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/)
    const { data } = await refused(login(name), 'factor_required')
    assert.deepEqual(data.factors, ['totp', 'recovery'])
    // The code that confirmed it is used up.
    await refused(byCode(String(data.sign_in), code), 'unauthenticated')
    const { user, access_token } = await byCode(String(data.sign_in), next)
    assert.equal(user, name)
    const [session] = (await daemon.hero.as(access_token).sessions.list()).items
    assert.deepEqual([session!.provider, session!.factor, session!.current], ['password', 'totp', true])
    await refused(byCode(String(data.sign_in), next), 'unauthenticated')
    // A second seed is refused, because it would replace the one that protects the account.
    await refused(hero.factors.add_totp(), 'conflict')
  })

  test('a wrong password reveals no factors, and the token of a pending sign-in works nowhere else', async () => {
    const { name, hero } = await newPerson()
    await enrol(hero)
    await refused(login(name, 'wrong'), 'unauthenticated')
    const token = await half(name)
    const as = daemon.hero.as(token)
    await refused(as.auth.me(), 'unauthenticated')
    const { origin, hero: operator } = daemon
    const rpc = await fetch(`${origin.replace('127.0.0.1', 'localhost')}/rpc`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.me' }),
    })
    assert.match(await rpc.text(), /unauthenticated/)
    await refused(operator.auth.verify_email({ token }), 'unauthenticated')
    await refused(
      operator.auth.reset_password({ token, password: 'velvet-harbor-93-comet' }),
      'unauthenticated',
    )
    await operator.settings.set({ key: 'magic_links', value: true })
    await refused(operator.auth.login_by_link({ token }), 'unauthenticated')
    await refused(operator.auth.refresh({ refresh_token: token }), 'unauthenticated')
    await refused(
      operator.auth.register({
        username: 'x',
        email: 'x@example.org',
        password: goodPassword,
        invite: token,
      }),
      'conflict',
    )
    // And no other token completes a sign-in.
    const { access_token, refresh_token } = await operator.auth.login({
      login: (await newPerson()).name,
      password: goodPassword,
    })
    for (const other of [access_token, refresh_token!, 'x'])
      await refused(byCode(other, '123456'), 'unauthenticated')
  })

  test('of concurrent attempts with one code, recovery code or sign-in token only one succeeds', async () => {
    const { name, hero } = await newPerson()
    const { secret, recovery_codes } = await enrolled(hero)
    const halves = await Promise.all(Array.from({ length: 5 }, () => half(name)))
    const code = codeOf(secret, 1)
    assert.equal(await winners(halves.map((token) => byCode(token, code))), 1)
    await waitLong()
    const again = await Promise.all(Array.from({ length: 5 }, () => half(name)))
    assert.equal(await winners(again.map((token) => byCode(token, recovery_codes[0]!))), 1)
    await waitLong()
    const one = await half(name)
    assert.equal(await winners(recovery_codes.slice(1, 6).map((code) => byCode(one, code))), 1)
    const { recovery_codes: left } = await hero.factors
      .list()
      .catch(() => daemon.hero.factors.list({ user: name }))
    // The attempts that lost the race were rolled back, so their codes are still valid.
    assert.equal(left, 8)
  })

  test('attempts are limited before they are verified: five, then one a minute, over all sign-in tokens', async () => {
    const { name, hero } = await newPerson()
    const { secret, recovery_codes } = await enrolled(hero)
    const tokens = await Promise.all(Array.from({ length: 4 }, () => half(name)))
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        byCode(tokens[i % 4]!, '000000').then(
          () => 'in',
          (error: { code: string }) => error.code,
        ),
      ),
    )
    assert.equal(codes.filter((code) => code === 'unauthenticated').length, 5)
    assert.equal(codes.filter((code) => code === 'rate_limited').length, 95)
    await refused(byCode(tokens[0]!, codeOf(secret, 1)), 'rate_limited')
    await refused(byCode(tokens[0]!, recovery_codes[0]!), 'rate_limited')
    await refused(hero.auth.prove({ code: codeOf(secret, 1) }), 'rate_limited')
    await waitLong()
    await byCode(tokens[0]!, codeOf(secret, 1))
  })

  test('after a hundred failures no attempt is accepted until an administrator clears the factor', async () => {
    const { name, hero } = await newPerson()
    const { secret } = await enrolled(hero)
    await byHand(daemon, async ({ query }) => {
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', name)
        .executeTakeFirstOrThrow()
      await query
        .insertInto('attempts')
        .values({ key: `factor ${id}`, full_until: 0, failures: 100, seen_at: 0 })
        .execute()
    })
    await refused(byCode(await half(name), codeOf(secret, 1)), 'rate_limited')
    await daemon.hero.factors.clear({ user: name })
    await refused(hero.auth.me(), 'unauthenticated')
    await login(name)
    assert.deepEqual(await daemon.hero.factors.list({ user: name }), {
      totp: null,
      passkeys: [],
      recovery_codes: 0,
    })
    assert.equal((await daemon.hero.users.get({ username: name })).has_factor, false)
  })

  test('the first factor ends other sessions, and removing the last one deletes the recovery codes', async () => {
    const { name, hero } = await newPerson()
    const other = daemon.hero.as((await login(name)).access_token)
    await enrol(hero)
    await refused(other.auth.me(), 'unauthenticated')
    await hero.auth.me()
    await hero.factors.remove_totp()
    assert.equal((await hero.factors.list()).recovery_codes, 0)
    await refused(hero.factors.renew_recovery_codes(), 'conflict')
    await login(name)
  })

  test('a password change or deactivation invalidates a pending sign-in', async () => {
    const { name, hero } = await newPerson()
    const { secret } = await enrolled(hero)
    const token = await half(name)
    await daemon.hero.auth.set_password({ user: name, password: 'velvet-harbor-93-comet' })
    await refused(byCode(token, codeOf(secret, 1)), 'unauthenticated')
    const later = String(
      (await refused(login(name, 'velvet-harbor-93-comet'), 'factor_required')).data.sign_in,
    )
    await daemon.hero.users.update({ username: name, is_active: false })
    await refused(byCode(later, codeOf(secret, 1)), 'unauthenticated')
  })

  test('a passkey signs in alone, and an altered, foreign or used assertion does not', async () => {
    const { name, hero } = await newPerson()
    const key = new Authenticator(daemon.config.public_url)
    const options = await hero.factors.passkey_options()
    assert.equal(options.rp.id, 'localhost')
    for (const wrong of [
      { origin: 'https://evil.example' },
      { rpId: 'evil.example' },
      { type: 'webauthn.get' },
    ])
      await refused(
        hero.factors.add_passkey({ name: 'Key', attestation: key.create(options, wrong) }),
        'unauthenticated',
      )
    // Created for one user, it is accepted for that user only, and once.
    const { hero: eve } = await newPerson()
    await refused(
      eve.factors.add_passkey({ name: 'Key', attestation: key.create(options) }),
      'unauthenticated',
    )
    const attestation = key.create(options)
    const { recovery_codes, id } = await hero.factors.add_passkey({ name: 'Key', attestation })
    assert.equal(recovery_codes.length, 10)
    await refused(hero.factors.add_passkey({ name: 'Key', attestation }), 'unauthenticated')
    const again = key.create(await hero.factors.passkey_options())
    await refused(hero.factors.add_passkey({ name: 'Again', attestation: again }), 'already_exists')

    const { auth } = daemon.hero
    const ask = () => auth.passkey_options()
    const signIn = (assertion: string) => auth.login_by_passkey({ assertion })
    const answer = key.get(await ask())
    assert.equal(await winners(Array.from({ length: 20 }, () => signIn(answer))), 1)
    await refused(signIn(answer), 'unauthenticated')
    const { data } = await refused(login(name), 'factor_required')
    assert.deepEqual(data.factors, ['passkey', 'recovery'])
    const bad: Parameters<typeof key.get>[1][] = [
      { verified: false },
      { origin: 'https://evil.example' },
      { origin: `${daemon.config.public_url}.evil.example` },
      { rpId: 'evil.example' },
      { type: 'webauthn.create' },
      { counter: 1 },
      { userHandle: Buffer.from('somebody else').toString('base64url') },
    ]
    for (const overrides of bad) await refused(signIn(key.get(await ask(), overrides)), 'unauthenticated')
    // A challenge for another purpose, for a session, or not issued by the daemon.
    await refused(signIn(key.get(await hero.auth.passkey_options())), 'unauthenticated')
    await refused(
      signIn(key.get({ ...(await ask()), challenge: Buffer.alloc(36).toString('base64url') })),
      'unauthenticated',
    )
    for (const garbage of [
      '{}',
      'null',
      '[]',
      '{"id":1}',
      '{"id":"x","rawId":"x","response":{}}',
      '{"response":null}',
    ])
      await refused(signIn(garbage), 'unauthenticated')
    // Two devices with one key at once: the counter of one of them did not rise.
    const twins = [key.get(await ask(), { counter: 50 }), key.get(await ask(), { counter: 50 })]
    assert.equal(await winners(twins.map(signIn)), 1)
    const { access_token } = await signIn(key.get(await ask(), { counter: 51 }))
    const [session] = (await daemon.hero.as(access_token).sessions.list()).items
    assert.deepEqual([session!.provider, session!.factor], ['passkey', 'passkey'])
    await refused(eve.factors.remove_passkey({ id }), 'not_found')
    await refused(eve.factors.rename_passkey({ id, name: 'Mine' }), 'not_found')
    await hero.factors.remove_passkey({ id })
    await refused(signIn(key.get(await ask(), { counter: 52 })), 'unauthenticated')
  })

  test('methods that grant access or rights need a proof of the last 15 minutes (stolen sessions)', async () => {
    const { name, hero: admin } = await newPerson({ is_admin: true })
    const age = () =>
      byHand(daemon, async (database) => {
        // Younger than admin_proof_age, within which administrators hold their claims.
        await database.query
          .updateTable('sessions')
          .set({ proven_at: now() - 1000 })
          .execute()
        database.changed('sessions')
      })
    await age()
    const dangerous = [...takesAdmin, ...takesSignIn].toSorted()
    const documented = openrpc.methods
      .filter((method) => method['x-fresh-proof'])
      .map((method) => method.name)
    assert.deepEqual(documented.toSorted(), dangerous)
    for (const method of openrpc.methods) {
      if (!dangerous.includes(method.name) || /^(users|groups)\.update$/.test(method.name)) continue
      const params = paramsOf(method.examples[0]!)
      await refused(admin.call(method.name as never, params as never), 'proof_required')
    }
    await refused(admin.users.update({ username: name, is_active: true }), 'proof_required')
    await admin.users.update({ username: name, display_name: 'Somebody' })
    await daemon.hero.groups.add({ slug: 'choir' })
    await refused(admin.groups.update({ group: 'choir', is_active: true }), 'proof_required')
    await admin.groups.update({ group: 'choir', name: 'The choir', is_active: false })
    await admin.auth.me()
    await refused(admin.auth.prove({ password: 'wrong' }), 'unauthenticated')
    await refused(admin.auth.prove({}), 'invalid_params', 'password')
    await admin.auth.prove({ password: goodPassword })
    const { secret } = await enrolled(admin)
    await age()
    // A user with a second factor must prove it: a stolen session and a guessed password are not enough to add one.
    await refused(admin.auth.prove({ password: goodPassword }), 'unauthenticated')
    await admin.auth.prove({ code: codeOf(secret, 1) })
    const key = new Authenticator(daemon.config.public_url)
    await admin.factors.add_passkey({
      name: 'Key',
      attestation: key.create(await admin.factors.passkey_options()),
    })
    await age()
    await refused(
      admin.auth.prove({ assertion: key.get(await daemon.hero.auth.passkey_options()) }),
      'unauthenticated',
    )
    await admin.auth.prove({ assertion: key.get(await admin.auth.passkey_options()) })
    await admin.keys.rotate()
    // The operator has no session that could be stolen.
    await daemon.hero.keys.rotate({ drop: true })
  })

  test('with admin_factor an administrator without a factor has no admin rights, and can add a factor', async () => {
    const { hero: admin, name } = await newPerson({ is_admin: true })
    await daemon.hero.settings.set({ key: 'admin_factor', value: true })
    await refused(admin.users.list(), 'proof_required')
    assert.deepEqual((await admin.auth.me()).claims, [`users.${name}`])
    const secret = await enrol(admin)
    await refused(admin.users.list(), 'proof_required')
    await admin.auth.prove({ code: codeOf(secret, 1) })
    await admin.users.list()
    assert.ok((await admin.auth.me()).claims.includes('proxy.admin'))
    await admin.factors.remove_totp()
    await refused(admin.users.list(), 'proof_required')
    await daemon.hero.settings.set({ key: 'admin_factor', value: false })
    await admin.users.list()
  })

  test('while impersonating, no factors can be changed', async () => {
    const { hero: admin } = await newPerson({ is_admin: true })
    const { name } = await newPerson()
    await admin.auth.impersonate({ user: name })
    await refused(admin.factors.add_totp(), 'conflict')
    await refused(admin.factors.passkey_options(), 'conflict')
    await refused(admin.auth.prove({ password: goodPassword }), 'conflict')
    await admin.auth.stop_impersonating()
    await refused(daemon.hero.factors.add_totp(), 'conflict')
  })

  test('seeds are sealed and recovery codes hashed, and neither is in the audit or the log', async () => {
    const { hero } = await newPerson()
    const { secret, recovery_codes } = await enrolled(hero)
    const tables = await byHand(daemon, async ({ query }) => ({
      totp: await query.selectFrom('totp').selectAll().execute(),
      codes: await query.selectFrom('recovery_codes').selectAll().execute(),
      audit: await query.selectFrom('audit').selectAll().execute(),
    }))
    const all = JSON.stringify([tables, daemon.logged])
    assert.ok(!all.includes(secret))
    for (const code of recovery_codes)
      assert.ok(!all.includes(code) && !all.includes(code.replaceAll('-', '')))
  })

  test('a refresh token works once, and late reuse ends the session', async () => {
    const { name } = await newPerson()
    const first = await login(name)
    const second = await daemon.hero.auth.refresh({ refresh_token: first.refresh_token! })
    assert.equal(second.user, name)
    await refused(daemon.hero.as(first.access_token).auth.me(), 'unauthenticated')
    await daemon.hero.as(second.access_token).auth.me()
    // The response was lost, or two calls raced: no token is issued, and the session goes on.
    await refused(daemon.hero.auth.refresh({ refresh_token: first.refresh_token! }), 'conflict')
    await daemon.hero.as(second.access_token).auth.me()
    assert.equal(
      await winners(
        Array.from({ length: 20 }, () => daemon.hero.auth.refresh({ refresh_token: second.refresh_token! })),
      ),
      1,
    )
    const third = await login(name)
    const fourth = await daemon.hero.auth.refresh({ refresh_token: third.refresh_token! })
    await byHand(daemon, ({ query }) =>
      query.updateTable('refresh_tokens').set({ used_at: 1 }).where('used_at', 'is not', null).execute(),
    )
    await refused(daemon.hero.auth.refresh({ refresh_token: third.refresh_token! }), 'unauthenticated')
    await refused(daemon.hero.as(fourth.access_token).auth.me(), 'unauthenticated')
    await refused(daemon.hero.auth.refresh({ refresh_token: fourth.refresh_token! }), 'unauthenticated')
    for (const garbage of ['x', 'A'.repeat(43), fourth.access_token])
      await refused(daemon.hero.auth.refresh({ refresh_token: garbage }), 'unauthenticated')
  })

  test('a refresh token outlives its access token, but not a logout, a new password, deactivation or refresh_lifetime', async () => {
    const expireAll = () =>
      byHand(daemon, async (database) => {
        await database.query.updateTable('sessions').set({ expires_at: 1 }).execute()
        database.changed('sessions')
      })
    const { name } = await newPerson()
    const opened = await login(name)
    await expireAll()
    await sweep()
    await refused(daemon.hero.as(opened.access_token).auth.me(), 'unauthenticated')
    const renewed = await daemon.hero.auth.refresh({ refresh_token: opened.refresh_token! })
    await daemon.hero.as(renewed.access_token).auth.logout()
    await refused(daemon.hero.auth.refresh({ refresh_token: renewed.refresh_token! }), 'unauthenticated')
    const ends: (() => Promise<unknown>)[] = [
      () => daemon.hero.auth.set_password({ user: name, password: goodPassword }),
      () =>
        byHand(daemon, ({ query }) => query.updateTable('refresh_tokens').set({ expires_at: 1 }).execute()),
      () => daemon.hero.users.update({ username: name, is_active: false }),
    ]
    for (const end of ends) {
      const { refresh_token } = await login(name)
      await end()
      await refused(daemon.hero.auth.refresh({ refresh_token: refresh_token! }), 'unauthenticated')
    }
  })

  test('an unused session ends after session_idle, one in use continues', async () => {
    const { name, hero } = await newPerson()
    const other = daemon.hero.as((await login(name)).access_token)
    const { id } = (await other.sessions.list()).items[0]!
    const unusedFor = (seconds: number) =>
      byHand(daemon, async (database) => {
        const last_used_at = Math.floor(Date.now() / 1000) - seconds
        await database.query.updateTable('sessions').set({ last_used_at }).where('id', '=', id).execute()
        database.changed('sessions')
      })
    await daemon.hero.settings.set({ key: 'session_idle', value: 300 })
    await unusedFor(290)
    await other.auth.me()
    await unusedFor(301)
    await refused(other.auth.me(), 'unauthenticated')
    await sweep()
    await hero.auth.me()
    const { items } = await daemon.hero.sessions.list({ user: name })
    assert.ok(!items.some((session) => session.id === id))
    await daemon.hero.settings.set({ key: 'session_idle', value: 604800 })
  })
})
