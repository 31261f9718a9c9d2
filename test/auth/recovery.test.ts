import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const newPassword = 'velvet-harbor-93-comet'

onSqliteFirst('recovery links', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let hero: HeroProxy
  let root: HeroProxy
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({ database_url: newUrl(), listen: `127.0.0.1:${await freePort()}` })
    hero = daemon.hero
    await useServer(daemon, smtp)
    root = await person(daemon, 'root1', { is_admin: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })
  const tokenFor = async (user: string, by = root) =>
    new URL((await by.users.recovery_link({ user })).link).searchParams.get('token')!
  const use = (token: string, password = newPassword) => hero.auth.reset_password({ token, password })

  test('sets a password once, ends the sessions, and leaves the second factor and the address', async () => {
    const grace = await person(daemon, 'grace', { email: 'grace@example.org' })
    const secret = await enrol(grace)
    const before = await signedIn(daemon, 'grace').catch((error: { data: { sign_in: string } }) => error.data)
    const { link, qr, expires_at } = await root.users.recovery_link({ user: 'grace' })
    assert.match(qr, /^<svg /)
    assert.ok(Math.abs(expires_at - Date.now() / 1000 - 3600) < 30)
    assert.match((await smtp.mailTo('grace@example.org', /made a link/)).text!, /^root1 made a link/m)
    const browser = new Person()
    const page = await browser.open(link)
    assert.match(page.text, /the account grace/)
    const done = await browser.submit(page, '/auth/reset', { password: newPassword })
    assert.equal(done.status, 200)
    assert.equal((await browser.open(link)).status, 410, 'it works once')
    await refused(grace.auth.me({}), 'unauthenticated')
    const { data } = await refused(
      hero.auth.login({ login: 'grace', password: newPassword }),
      'factor_required',
    )
    assert.ok('sign_in' in before)
    const signIn = String(data.sign_in)
    const { access_token } = await hero.auth.login_by_code({ sign_in: signIn, code: codeOf(secret, 1) })
    assert.equal((await hero.as(access_token).auth.me({})).user, 'grace')
    const inside = await browser.signIn(
      await browser.open(`${daemon.config.public_url}/auth/login`),
      'grace',
      newPassword,
    )
    assert.match(inside.text, /One more step/)
  })

  test('names its maker on the account page', async () => {
    await person(daemon, 'lin')
    await root.users.recovery_link({ user: 'lin' })
    const lin = new Person()
    const home = daemon.config.public_url
    await lin.signIn(await lin.open(`${home}/auth/login`), 'lin', goodPassword)
    assert.match((await lin.open(`${home}/auth/me`)).text, /root1 made a link on/)
  })

  test('for an administrator takes proxy.admin when it is made, and when it is used', async () => {
    for (const username of ['helper', 'spare']) await person(daemon, username, { is_admin: true })
    const helper = await signedIn(daemon, 'helper')
    await hero.users.add({ username: 'plain' })
    await hero.users.add({ username: 'inner', context: 0 })
    const stays = await tokenFor('plain', helper)
    const risen = await tokenFor('inner', helper)
    await hero.users.update({ username: 'helper', is_admin: false })
    await refused(helper.users.recovery_link({ user: 'root1' }), 'claim_required')
    for (const token of [stays, risen]) await refused(use(token), 'unauthenticated')
    const link = await tokenFor('plain')
    await hero.users.update({ username: 'root1', is_active: false })
    await refused(use(link), 'unauthenticated')
    await hero.users.update({ username: 'root1', is_active: true })
    root = await signedIn(daemon, 'root1')
    // Without proxy.admin in the reserved role, helpers hold proxy.users.write alone.
    const setRole = (claims: 'all' | 'less') =>
      byHand(daemon, async (database) => {
        const { query } = database
        const role = await query
          .selectFrom('roles')
          .select('id')
          .where('name', '=', 'admin')
          .executeTakeFirstOrThrow()
        const row = { role_id: role.id, claim: 'proxy.admin', service: '', context: null }
        if (claims === 'all') await query.insertInto('role_claims').values(row).execute()
        else
          await query
            .deleteFrom('role_claims')
            .where('role_id', '=', role.id)
            .where('claim', '=', 'proxy.admin')
            .execute()
        database.changed('groups')
      })
    await setRole('less')
    await refused(root.users.recovery_link({ user: 'spare' }), 'claim_required')
    await refused(root.users.recovery_link({ user: 'inner' }), 'claim_required')
    const later = await tokenFor('plain')
    await hero.users.update({ username: 'plain', is_admin: true })
    await refused(use(later), 'unauthenticated')
    await hero.users.update({ username: 'plain', is_admin: false })
    assert.deepEqual(await use(later), { user: 'plain' })
    await setRole('all')
  })

  test('is made by people alone, for others who may sign in, and the newest one counts', async () => {
    await hero.users.add({ username: 'mary' })
    const first = await tokenFor('mary')
    const second = await tokenFor('mary')
    await refused(use(first), 'unauthenticated')
    await refused(root.users.recovery_link({ user: 'root1' }), 'conflict')
    const { access_token } = await hero.token.create({ user: 'root1', name: 'x', scope: 'admin' })
    await refused(hero.as(access_token).users.recovery_link({ user: 'mary' }), 'proof_required')
    await root.auth.impersonate({ user: 'mary' })
    const acting = await refused(root.users.recovery_link({ user: 'mary' }), 'conflict')
    assert.equal(acting.data.reason, 'impersonating')
    await root.auth.stop_impersonating()
    await hero.users.update({ username: 'mary', ends_at: 1 })
    await refused(tokenFor('mary'), 'conflict')
    await refused(use(second), 'unauthenticated')
    await refused(hero.auth.verify_email({ token: second }), 'unauthenticated')
  })
})
