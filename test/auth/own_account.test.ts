import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Audit } from '../../src/audit/audit.ts'
import { ClosedAccounts } from '../../src/auth/closing.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { Sessions } from '../../src/sessions/sessions.ts'
import { Users } from '../../src/users/users.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { enrol } from '../support/factors.ts'
import { App, callback, newPerson, startAtHome } from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { noReactions } from '../support/reactions.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const day = 86_400

/** Parts of the file. */
interface Held {
  readonly account: { readonly external_id: string }
  readonly attributes: object
  readonly rights: { readonly member_of: readonly { readonly group: string }[] }
  readonly applications: { readonly tokens_to_keep: readonly { readonly name: string }[] }
  readonly ways_in: { readonly authenticator_apps: readonly object[] }
  readonly audit: readonly { readonly method: string }[]
}

onSqliteFirst('one’s own account as a whole', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let home: string
  before(async () => {
    smtp = await startSmtp()
    daemon = await startAtHome({ database_url: newUrl() })
    home = daemon.config.public_url
    await useServer(daemon, smtp)
    const { hero } = daemon
    await hero.settings.set({ key: 'self_delete', value: true })
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newUser = async (more: object = {}) => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword, ...more })
    return { username, email, as: await signedIn(daemon, username) }
  }
  const makeStale = () =>
    byHand(daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ proven_at: Math.floor(Date.now() / 1000) - 1000 })
        .execute()
      database.changed('sessions')
    })
  /** Everything that is due is so some days earlier. */
  const wait = (days: number) =>
    byHand(daemon, (database) =>
      database.query
        .updateTable('closed_accounts')
        .set((eb) => ({ removes_at: eb('removes_at', '-', days * day) }))
        .execute(),
    )
  const sweep = () =>
    byHand(daemon, (database) => {
      const seal = new Seal(readFileSync(join(daemon.config.data_dir, 'master.key'), 'utf8').trim())
      const parts = {
        database,
        audit: new Audit(database, seal.derive('audit chain')),
        users: new Users(database, async () => 1, noReactions),
        sessions: new Sessions(database, async () => 300, noReactions, 'localhost'),
      }
      return new ClosedAccounts(parts as never).sweep()
    })
  const isActive = async (username: string) => (await daemon.hero.users.get({ username })).is_active

  test('the file has what is held on the person, and no secret nor another address', async () => {
    const { hero } = daemon
    const { username, as } = await newUser({ external_id: 'hr-7' })
    await hero.users.add({ username: 'stranger', email: 'stranger@example.net' })
    const secret = await enrol(as)
    const { access_token } = await as.token.create({ user: username, name: 'Backup' })
    await hero.users.keys.add({
      user: username,
      pubkey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    })
    await hero.groups.add({ slug: 'choir' })
    await hero.groups.add_member({ group: 'choir', user: username })
    await hero.users.update({ username, attributes: { given_name: 'Seven' } })
    const held = (await as.auth.export()) as unknown as Held
    assert.equal(held.account.external_id, 'hr-7')
    assert.deepEqual(held.attributes, { given_name: 'Seven' })
    assert.equal(held.rights.member_of[0]?.group, 'choir')
    assert.equal(held.applications.tokens_to_keep[0]?.name, 'Backup')
    assert.equal(held.ways_in.authenticator_apps.length, 1)
    assert.ok(held.audit.some(({ method }) => method === 'token.create'))
    const text = JSON.stringify(held)
    assert.ok(!text.includes(secret) && !text.includes(access_token) && !text.includes('stranger@'))
    await byHand(daemon, async ({ query }) => {
      const hidden = [
        ...(await query.selectFrom('credentials').select('hash as it').execute()),
        ...(await query.selectFrom('sessions').select('token_hash as it').execute()),
        ...(await query.selectFrom('tokens').select('token_hash as it').execute()),
        ...(await query.selectFrom('totp').select('secret_sealed as it').execute()),
        ...(await query.selectFrom('recovery_codes').select('code_hash as it').execute()),
      ]
      assert.ok(hidden.length > 10)
      for (const { it } of hidden) assert.ok(!text.includes(it))
    })
    assert.deepEqual(Object.keys(held).sort(), [
      'account',
      'applications',
      'attributes',
      'audit',
      'made_at',
      'mails',
      'picture',
      'requests',
      'rights',
      'said_by_providers',
      'sessions',
      'ways_in',
    ])
  })

  test('both take a fresh proof of the person, never a token, and never while acting as somebody', async () => {
    const { username, as } = await newUser()
    const { access_token } = await as.token.create({ user: username, name: 'All', scope: 'admin' })
    const token = daemon.hero.as(access_token)
    const root = await signedIn(daemon, 'root')
    await root.auth.impersonate({ user: username })
    for (const method of ['export', 'close_account'] as const) {
      await refused(token.auth[method](), 'proof_required')
      await refused(root.auth[method](), 'conflict')
      await refused(daemon.hero.auth[method](), 'conflict')
    }
    await makeStale()
    for (const method of ['export', 'close_account'] as const)
      await refused(as.auth[method](), 'proof_required')
    assert.ok(await isActive(username))
  })

  test('closing switches off at once, and signs out of applications too', async () => {
    const { hero } = daemon
    const { username, email, as } = await newUser()
    const app = new App(
      home,
      await hero.clients.add({
        name: 'App',
        anyone: true,
        redirect_uris: [callback],
        backchannel_logout_uri: 'http://127.0.0.1:9/logout',
      }),
    )
    const { body } = await app.tokens(newPerson(), username, { scope: 'openid offline_access' })
    const { link_mailed } = await as.auth.close_account()
    assert.ok(link_mailed)
    assert.equal(await isActive(username), false)
    await refused(as.auth.me(), 'unauthenticated')
    await refused(hero.auth.login({ login: username, password: goodPassword }), 'unauthenticated')
    assert.equal((await app.userinfo(body.access_token)).status, 401)
    assert.equal((await app.refresh(body.refresh_token)).body.error, 'invalid_grant')
    await byHand(daemon, async ({ query }) =>
      assert.equal((await query.selectFrom('oidc_logouts').select('client').execute()).length, 1),
    )
    const mail = await smtp.mailTo(email, /will be deleted/)
    assert.match(mail.text!, /in 7 days/)
  })

  test('the mailed link takes it back, once, by a button', async () => {
    const { username, email, as } = await newUser()
    await as.auth.close_account()
    const link = linkIn(await smtp.mailTo(email, /will be deleted/))
    const browser = new Person()
    const page = await browser.open(link)
    assert.equal(await isActive(username), false)
    const done = await browser.submit(page, '/auth/reopen', {})
    assert.match(done.text, /Your account is back/)
    assert.ok(await isActive(username))
    await daemon.hero.auth.login({ login: username, password: goodPassword })
    assert.equal((await browser.open(link)).status, 410)
    await wait(8)
    await sweep()
    assert.ok(await isActive(username))
  })

  test('after some days the account is gone, its name is never given again, and the audit says so', async () => {
    const { hero } = daemon
    const { username, email, as } = await newUser()
    await as.auth.close_account()
    const link = linkIn(await smtp.mailTo(email, /will be deleted/))
    await wait(6)
    await sweep()
    assert.equal(await isActive(username), false)
    await wait(2)
    await sweep()
    await refused(hero.users.get({ username }), 'not_found')
    await refused(hero.users.add({ username }), 'already_exists')
    await hero.users.add({ username: `new${username}`, email })
    assert.equal((await new Person().open(link)).status, 410)
    const { items } = await hero.audit.list({ method: 'users.remove' } as never)
    assert.ok(items.some(({ target }) => target.includes(`username=${username}`)))
    assert.equal((await hero.audit.verify()).first_bad, null)
  })

  test('what an administrator decides meanwhile counts, not the clock', async () => {
    const { hero } = daemon
    const { username, email, as } = await newUser()
    await as.auth.close_account()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await hero.users.update({ username, is_active: true })
    await hero.users.update({ username, is_active: false })
    const link = linkIn(await smtp.mailTo(email, /will be deleted/))
    const token = new URL(link).searchParams.get('token')!
    await refused(hero.auth.reopen_account({ token }), 'unauthenticated')
    await wait(8)
    await sweep()
    assert.equal(await isActive(username), false)
  })

  test('the last administrator stays, and nobody goes where the setting is off', async () => {
    const { hero } = daemon
    const root = await signedIn(daemon, 'root')
    const error = await refused(root.auth.close_account(), 'conflict')
    assert.equal(error.data.reason, 'last_administrator')
    assert.ok(await isActive('root'))
    await hero.settings.set({ key: 'self_delete', value: false })
    const { username, as } = await newUser()
    await refused(as.auth.close_account(), 'conflict')
    assert.ok(await isActive(username))
    await as.auth.export()
    await hero.settings.set({ key: 'self_delete', value: true })
  })

  test('the page downloads the file by its form, asks before it deletes, and says what stays', async () => {
    const { username } = await newUser()
    const browser = new Person()
    await browser.signIn(await browser.open(`${home}/auth/login`), username, goodPassword)
    const page = await browser.open(`${home}/auth/data`)
    const file = await browser.submit(page, '/auth/account/export', {})
    assert.equal(file.headers.get('content-disposition'), 'attachment; filename="my-data.json"')
    assert.equal(file.headers.get('cache-control'), 'no-store')
    assert.equal((JSON.parse(file.text) as { account: { username: string } }).account.username, username)
    const question = await browser.open(`${home}/auth/account/close_account`)
    assert.match(question.text, /your username, which nobody gets again/)
    assert.ok(await isActive(username))
    const closed = await browser.submit(question, '/auth/account/close_account', {})
    assert.match(closed.text, /Your account is deleted/)
    assert.equal(await isActive(username), false)
  })
})
