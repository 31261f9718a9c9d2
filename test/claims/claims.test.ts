import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HeroError } from '../../sdk/index.ts'
import { matchesClaim, satisfiesRule } from '../../src/claims/rule.ts'
import { newId } from '../../src/storage/ids.ts'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'

onBothDatabases('claims', (newUrl, kind) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    const { hero } = daemon
    await hero.users.add({ username: 'linus' })
    for (const slug of ['interns', 'engineers']) await hero.groups.add({ slug })
    await hero.groups.add_member({ group: 'engineers', member_group: 'interns' })
    await hero.groups.add_member({ group: 'interns', user: 'linus' })
    await hero.roles.add({ name: 'writer' })
    await hero.roles.add_claim({ role: 'writer', claim: 'wiki.pages.write' })
    await hero.groups.add_role({ group: 'engineers', role: 'writer' })
    await hero.groups.add_claim({ group: 'engineers', claim: 'engineers.deploy', service: 'ci' })
  })
  after(() => daemon.close())

  const claimsOf = async (user: string, where: { service?: string; context?: number } = {}) =>
    (await daemon.hero.claims.resolve({ user, ...where })).claims
  /** Returns until when a change may take to reach another node; on SQLite it is immediate. */
  const patience = () => (kind === 'postgres' ? Date.now() + 15_000 : 0)
  const usual = ['groups.engineers', 'groups.interns', 'users.linus', 'wiki.pages.write']

  test('resolve returns claims from groups, roles and their scope', async () => {
    assert.deepEqual(await claimsOf('LINUS'), usual)
    assert.deepEqual(await claimsOf('linus', { service: 'ci' }), ['engineers.deploy', ...usual])
    assert.deepEqual(await claimsOf('linus', { service: 'other' }), usual)
    await refused(daemon.hero.claims.resolve({ user: 'nobody' }), 'not_found')
  })

  test('the context of the person applies unless another is given', async () => {
    const { hero } = daemon
    await hero.groups.add_claim({ group: 'engineers', claim: 'engineers.inner', context: 0 })
    assert.deepEqual(await claimsOf('linus', { context: 0 }), ['engineers.inner', ...usual])
    assert.deepEqual(await claimsOf('linus'), usual)
    await hero.users.update({ username: 'linus', context: 0 })
    assert.deepEqual(await claimsOf('linus'), ['engineers.inner', ...usual])
    await hero.users.update({ username: 'linus', context: 1 })
    await hero.groups.remove_claim({ group: 'engineers', claim: 'engineers.inner', context: 0 })
  })

  test('check returns the claims that satisfy a rule, and the missing ones', async () => {
    const { hero } = daemon
    const yes = await hero.claims.check({ user: 'linus', rule: ['wiki.*', 'groups.interns', 'proxy.admin'] })
    assert.ok(yes.allowed)
    assert.deepEqual(
      yes.because.map(({ claim, path, role }) => ({ claim, path, role })),
      [
        { claim: 'groups.interns', path: ['interns'], role: null },
        { claim: 'wiki.pages.write', path: ['interns', 'engineers'], role: 'writer' },
      ],
    )
    const granter = { group: 'admin', role: 'admin', service: null, context: null }
    assert.deepEqual(yes.missing, [{ claim: 'proxy.admin', granted_by: [granter] }])
    for (const rule of [['wiki'], ['wiki.pages'], ['wik.*'], ['Wiki.*'], ['wiki.pages.write.*']]) {
      const no = await hero.claims.check({ user: 'linus', rule })
      assert.deepEqual(no, {
        allowed: false,
        because: [],
        missing: rule.map((claim) => ({ claim, granted_by: [] })),
        lack: 'claims',
        proof: 'any',
        proof_age: null,
      })
    }
    assert.ok((await hero.claims.check({ user: 'linus', rule: ['engineers.*'], service: 'ci' })).allowed)
    await refused(hero.claims.check({ user: 'linus', rule: [] }), 'invalid_params', 'rule')
    await refused(hero.claims.check({ user: 'linus', rule: ['*'] }), 'invalid_params', 'rule.0')
    await refused(hero.claims.check({ user: 'linus', rule: ['a', 'a.*.b'] }), 'invalid_params', 'rule.1')
  })

  test('each change takes effect at the next call', async () => {
    const { hero } = daemon
    const withoutWriting = usual.filter((claim) => claim !== 'wiki.pages.write')
    const changes: [() => Promise<unknown>, string[]][] = [
      [() => hero.groups.remove_role({ group: 'engineers', role: 'writer' }), withoutWriting],
      [() => hero.groups.add_role({ group: 'engineers', role: 'writer' }), usual],
      [() => hero.roles.remove_claim({ role: 'writer', claim: 'wiki.pages.write' }), withoutWriting],
      [() => hero.roles.add_claim({ role: 'writer', claim: 'wiki.pages.write' }), usual],
      [() => hero.groups.update({ group: 'engineers', is_active: false }), ['groups.interns', 'users.linus']],
      [() => hero.groups.update({ group: 'interns', is_active: false }), ['users.linus']],
      [() => hero.groups.update({ group: 'engineers', is_active: true }), ['users.linus']],
      [() => hero.groups.update({ group: 'interns', is_active: true }), usual],
      [() => hero.users.update({ username: 'linus', is_active: false }), []],
      [() => hero.users.update({ username: 'linus', is_active: true }), usual],
      [() => hero.groups.remove_member({ group: 'interns', user: 'linus' }), ['users.linus']],
      [() => hero.groups.add_member({ group: 'interns', user: 'linus' }), usual],
    ]
    for (const [change, expected] of changes) {
      await change()
      assert.deepEqual(await claimsOf('linus'), expected)
    }
    await hero.users.add({ username: 'root', is_admin: true })
    const administrator = await claimsOf('root')
    assert.ok(administrator.includes('admin') && administrator.includes('groups.admin'))
    assert.equal(administrator.filter((claim) => claim.startsWith('proxy.')).length, 11)
    await hero.users.add({ username: 'other-root', is_admin: true })
    await hero.users.update({ username: 'root', is_admin: false })
    assert.deepEqual(await claimsOf('root'), ['users.root'])
  })

  test('a second daemon on the same database sees changes, for its callers as well', async () => {
    const { data_dir, database_url } = daemon.config
    await using second = await startTestDaemon({ data_dir, database_url })
    const ada = await person(daemon, 'ada')
    const token = (await daemon.hero.auth.login({ login: 'ada', password: 'mosaic-lantern-42-orbit' }))
      .access_token
    const there = second.hero.as(token)
    const until = async (expected: boolean) => {
      const has = async () => (await there.auth.me()).claims.includes('groups.interns')
      for (const deadline = patience(); (await has()) !== expected && Date.now() < deadline;) await delay(5)
      assert.equal(await has(), expected)
    }
    await until(false)
    await daemon.hero.groups.add_member({ group: 'interns', user: 'ada' })
    await until(true)
    assert.ok((await ada.auth.me()).claims.includes('groups.interns'))
    await daemon.hero.groups.remove_member({ group: 'interns', user: 'ada' })
    await until(false)
    await daemon.hero.users.remove({ username: 'ada' })
    // Until the second daemon knows, it finds the session but not its user.
    const isSignedIn = () =>
      there.auth.me().then(
        () => true,
        (error: HeroError) => error.data.code !== 'unauthenticated',
      )
    for (const deadline = patience(); (await isSignedIn()) && Date.now() < deadline;) await delay(5)
    await refused(there.auth.me(), 'unauthenticated')
  })

  test('invalid claims and memberships written directly to the database grant nothing', async () => {
    const before = await claimsOf('linus')
    const invalid = [
      'x,admin',
      'x\r\nX-Hero-User: root',
      'admin',
      'Admin',
      'users.root',
      'groups.admin',
      'proxy.admin',
    ]
    await byHand(daemon, async (database) => {
      const { query } = database
      const engineers = await query
        .selectFrom('groups')
        .select('id')
        .where('slug', '=', 'engineers')
        .executeTakeFirstOrThrow()
      const writer = await query
        .selectFrom('roles')
        .select('id')
        .where('name', '=', 'writer')
        .executeTakeFirstOrThrow()
      const everywhere = { service: '', context: null }
      for (const claim of [...invalid, 'a b', '', 'a..b', 'x.*', 'ä', 'seen.by.hand']) {
        await query
          .insertInto('group_claims')
          .values({ group_id: engineers.id, claim, ...everywhere })
          .execute()
        await query
          .insertInto('role_claims')
          .values({ role_id: writer.id, claim, ...everywhere })
          .execute()
      }
      const admin = await query
        .selectFrom('roles')
        .select('id')
        .where('name', '=', 'admin')
        .executeTakeFirstOrThrow()
      await query
        .insertInto('group_roles')
        .values({ group_id: engineers.id, role_id: admin.id, ...everywhere })
        .execute()
      const at = { created_at: 1, updated_at: 1 }
      const linus = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', 'linus')
        .executeTakeFirstOrThrow()
      for (const slug of ['y,admin', 'y\r\nz', 'y z', 'y.z']) {
        const id = newId()
        await query
          .insertInto('groups')
          .values({ id, slug, name: '', description: '', is_active: 1, proof: 'any', ...at })
          .execute()
        await query
          .insertInto('group_users')
          .values({ group_id: id, user_id: linus.id, expires_at: null, added_at: 1 })
          .execute()
      }
      // Rows in the reserved group make nobody an administrator, and neither does a group inside it.
      const admins = await query
        .selectFrom('groups')
        .select('id')
        .where('slug', '=', 'admin')
        .executeTakeFirstOrThrow()
      await query
        .insertInto('group_users')
        .values({ group_id: admins.id, user_id: linus.id, expires_at: null, added_at: 1 })
        .execute()
      await query
        .insertInto('group_groups')
        .values({ group_id: admins.id, member_group_id: engineers.id, expires_at: null, added_at: 1 })
        .execute()
      database.changed('groups')
    })
    const seen = async () => (await claimsOf('linus')).includes('seen.by.hand')
    for (const deadline = patience(); !(await seen()) && Date.now() < deadline;) await delay(5)
    assert.deepEqual(await claimsOf('linus'), [...before, 'seen.by.hand'].sort())
  })
})

test('a pattern matches below its prefix, at a dot and in its case', () => {
  const held = ['engineers.tickets.read', 'engineers', 'engineersx.y']
  assert.ok(matchesClaim('engineers.*', held))
  assert.ok(!matchesClaim('engineers.*', ['engineers']))
  assert.ok(!matchesClaim('engineers.*', ['engineersx.y']))
  assert.ok(!matchesClaim('Engineers.*', held))
  assert.ok(matchesClaim('engineers', held))
  assert.ok(!matchesClaim('engineers.tickets', held))
  assert.ok(satisfiesRule([], []))
  assert.ok(!satisfiesRule(['a'], []))
})
