import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

onSqliteFirst('ways in and names of power', (newUrl) => {
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

  test('changing the address takes a fresh proof, with the password or without it', async () => {
    const ada = await person(daemon, 'ada', { email: 'ada@example.org' })
    const stale = () =>
      byHand(daemon, async (database) => {
        await database.query.updateTable('sessions').set({ proven_at: 1 }).execute()
        database.changed('sessions')
      })
    await stale()
    const email = 'lovelace@example.org'
    await refused(ada.auth.change_email({ email }), 'proof_required')
    await refused(ada.auth.change_email({ email, current_password: goodPassword }), 'proof_required')
    await ada.auth.prove({ password: goodPassword })
    await refused(ada.auth.change_email({ email, current_password: 'wrong' }), 'unauthenticated')
    await ada.auth.change_email({ email })
    await smtp.mailTo(email, /new address/)
    const { access_token } = await daemon.hero.token.create({ user: 'ada', name: 'All', scope: 'admin' })
    await refused(daemon.hero.as(access_token).auth.change_email({ email }), 'proof_required')
  })

  test('admin_factor withholds groups.admin like admin and proxy.*', async () => {
    await daemon.hero.users.add({ username: 'root1', is_admin: true })
    const held = async () => (await daemon.hero.claims.resolve({ user: 'root1' })).claims
    assert.ok((await held()).includes('groups.admin'))
    await daemon.hero.settings.set({ key: 'admin_factor', value: true })
    assert.deepEqual(await held(), ['users.root1'])
    await daemon.hero.settings.set({ key: 'admin_factor', value: false })
  })

  test('a sign-in by mail that waits for its second factor ends when magic_links is turned off', async () => {
    const { hero } = daemon
    const secret = await enrol(await person(daemon, 'grace', { email: 'grace@example.org' }))
    const half = async () => {
      smtp.arrived.length = 0
      await hero.auth.request_magic_link({ email: 'grace@example.org' })
      const token = new URL(linkIn(await smtp.mailTo('grace@example.org', /Sign in/))).searchParams.get(
        'token',
      )!
      return String((await refused(hero.auth.login_by_link({ token }), 'factor_required')).data.sign_in)
    }
    const sign_in = await half()
    await hero.settings.set({ key: 'magic_links', value: false })
    await refused(hero.auth.login_by_code({ sign_in, code: codeOf(secret, 1) }), 'unauthenticated')
    // One that began with a password goes on.
    const { data } = await refused(
      hero.auth.login({ login: 'grace', password: goodPassword }),
      'factor_required',
    )
    await hero.auth.login_by_code({ sign_in: String(data.sign_in), code: codeOf(secret, 1) })
    await hero.settings.set({ key: 'magic_links', value: true })
  })

  test('nobody takes the name that the audit uses for the operator', async () => {
    const { hero } = daemon
    for (const client of ['system', 'System', 'SYSTEM'])
      await refused(
        hero.clients.add({ client, name: 'Wiki', grants: ['client_credentials'] }),
        'invalid_params',
        'client',
      )
    await refused(hero.users.add({ username: 'System' }), 'invalid_params', 'username')
    await refused(
      hero.services.add({ service: 'System', unix_user: 'nobody', claims: [] }),
      'invalid_params',
      'service',
    )
  })

  test('a membership given by hand hides no membership that a provider gives', async () => {
    const { hero } = daemon
    await person(daemon, 'linus')
    await hero.groups.add({ slug: 'choir' })
    const members = async () => (await hero.groups.members({ group: 'choir' })).items
    const sync = (...slugs: string[]) =>
      byHand(daemon, async (database) => {
        const { Groups } = await import('../../src/groups/groups.ts')
        const { Members } = await import('../../src/groups/members.ts')
        const { id } = await hero.users.get({ username: 'linus' })
        await new Members(database, new Groups(database)).syncFromProvider(id, 'forge', slugs)
      })
    const soon = Math.floor(Date.now() / 1000) + 2
    await hero.groups.add_member({ group: 'choir', user: 'linus', expires_at: soon })
    await sync('choir')
    assert.deepEqual(await members(), [{ user: 'linus', path: ['choir'], expires_at: null }])
    while (Date.now() / 1000 <= soon) await delay(100)
    assert.deepEqual(await members(), [{ user: 'linus', path: ['choir'], expires_at: null }])
    assert.ok((await hero.claims.resolve({ user: 'linus' })).claims.includes('groups.choir'))
    // By hand again, and removed by hand.
    await hero.groups.add_member({ group: 'choir', user: 'linus' })
    await refused(hero.groups.add_member({ group: 'choir', user: 'linus' }), 'already_exists')
    await hero.groups.remove_member({ group: 'choir', user: 'linus' })
    assert.equal((await members()).length, 1)
    // What the provider ends does not end what was given by hand.
    await hero.groups.add_member({ group: 'choir', user: 'linus' })
    await sync()
    assert.equal((await members()).length, 1)
    await hero.groups.remove_member({ group: 'choir', user: 'linus' })
    assert.deepEqual(await members(), [])
    // Without one by hand, the provider's is removed.
    await sync('choir')
    await hero.groups.remove_member({ group: 'choir', user: 'linus' })
    assert.deepEqual(await members(), [])
    await refused(hero.groups.remove_member({ group: 'choir', user: 'linus' }), 'not_found')
    await (await signedIn(daemon, 'linus')).auth.me()
  })
})
