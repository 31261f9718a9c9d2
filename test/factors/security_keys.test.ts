import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Authenticator } from '../support/authenticator.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const touched = { verified: false }

onSqliteFirst('security keys without PIN', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl() })
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let count = 0
  /** A person whose only second factor is a key; it asks for a PIN if `verified`. */
  const withKey = async (verified = false) => {
    const name = `keyed${++count}`
    const hero = await person(daemon, name, { email: `${name}@example.org` })
    const key = new Authenticator(daemon.config.public_url)
    const attestation = key.create(await hero.factors.passkey_options(), { verified })
    const { id } = await hero.factors.add_passkey({ name: 'Key', attestation })
    return { name, hero, key, id }
  }
  const half = async (login: string) =>
    String(
      (await refused(daemon.hero.auth.login({ login, password: goodPassword }), 'factor_required')).data
        .sign_in,
    )

  test('are a second factor, named in the options of the second step', async () => {
    const { hero: operator } = daemon
    const { name, key, hero } = await withKey()
    const { passkeys } = await hero.factors.list()
    assert.equal(passkeys[0]!.verifies_user, false)
    const sign_in = await half(name)
    const options = await operator.auth.passkey_options({ sign_in })
    assert.equal(options.userVerification, 'preferred')
    assert.deepEqual(options.allowCredentials, [{ type: 'public-key', id: key.id.toString('base64url') }])
    const opened = await operator.auth.login_by_passkey({ sign_in, assertion: key.get(options, touched) })
    assert.equal(opened.user, name)
    const after = operator.as(opened.access_token)
    const again = await after.auth.passkey_options()
    assert.equal(again.allowCredentials.length, 1)
    await after.auth.prove({ assertion: key.get(again, touched) })
    await refused(operator.auth.passkey_options({ sign_in }), 'unauthenticated')
  })

  test('do not sign in alone, whatever the options said', async () => {
    const { hero: operator } = daemon
    const { name, key } = await withKey()
    const alone = await operator.auth.passkey_options()
    assert.deepEqual([alone.userVerification, alone.allowCredentials], ['required', []])
    const refusal = await refused(
      operator.auth.login_by_passkey({ assertion: key.get(alone, touched) }),
      'unauthenticated',
    )
    assert.equal(refusal.data.reason, 'key_not_alone')
    const named = await operator.auth.passkey_options({ sign_in: await half(name) })
    await refused(operator.auth.login_by_passkey({ assertion: key.get(named, touched) }), 'unauthenticated')
    // A key with a PIN that was not asked for it is no more than touched either.
    const other = await withKey(true)
    await refused(
      operator.auth.login_by_passkey({
        assertion: other.key.get(await operator.auth.passkey_options(), touched),
      }),
      'unauthenticated',
    )
    await operator.auth.login_by_passkey({ assertion: other.key.get(await operator.auth.passkey_options()) })
  })

  test('complete nobody else’s sign-in', async () => {
    const [one, other] = [await withKey(), await withKey()]
    const sign_in = await half(one.name)
    const options = await daemon.hero.auth.passkey_options({ sign_in })
    await refused(
      daemon.hero.auth.login_by_passkey({ sign_in, assertion: other.key.get(options, touched) }),
      'unauthenticated',
    )
  })

  test('are no last way in, until they have asked for a PIN', async () => {
    const { hero: operator } = daemon
    const { name, hero, key } = await withKey()
    const { id: userId } = await operator.users.get({ username: name })
    await byHand(daemon, ({ query }) =>
      query.deleteFrom('credentials').where('user_id', '=', userId).execute(),
    )
    await operator.providers
      .add({
        provider: 'forge',
        preset: 'forge',
        issuer: 'https://forge.test',
        client: 'x',
        client_secret: 'y',
      })
      .catch(() => {})
    await operator.settings.set({ key: 'magic_links', value: false })
    const identity = await operator.users.identities.add({ user: name, provider: 'forge', subject: name })
    await refused(hero.users.identities.remove({ user: name, id: identity.id }), 'conflict')
    // Its owner gives it a PIN.
    await operator.auth.login_by_passkey({ assertion: key.get(await operator.auth.passkey_options()) })
    assert.equal((await hero.factors.list()).passkeys[0]!.verifies_user, true)
    await hero.users.identities.remove({ user: name, id: identity.id })
    await operator.settings.set({ key: 'magic_links', value: true })
  })

  test('follow a mailed link, as any second factor', async () => {
    const { name, key } = await withKey()
    const { auth } = daemon.hero
    await auth.request_magic_link({ email: `${name}@example.org` })
    const mail = await smtp.mailTo(`${name}@example.org`, /Sign in/)
    const token = new URL(linkIn(mail)).searchParams.get('token')!
    const { data } = await refused(auth.login_by_link({ token }), 'factor_required')
    const sign_in = String(data.sign_in)
    const assertion = key.get(await auth.passkey_options({ sign_in }), touched)
    assert.equal((await auth.login_by_passkey({ sign_in, assertion })).user, name)
  })
})
