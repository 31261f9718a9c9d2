import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { AlreadyExists, ClaimRequired, Conflict, NotFound, type HeroProxy } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { byHand } from '../support/people.ts'

onSqliteFirst('group administrators', (newUrl) => {
  let daemon: TestDaemon
  let linus: HeroProxy

  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    const { users, groups } = daemon.hero
    for (const username of ['linus', 'ada', 'grace']) await users.add({ username, password: goodPassword })
    for (const slug of ['engineers', 'interns', 'writers']) await groups.add({ slug })
    await groups.add_admin({ group: 'engineers', user: 'linus' })
    const { access_token } = await daemon.hero.auth.login({ login: 'linus', password: goodPassword })
    linus = daemon.hero.as(access_token)
  })
  after(() => daemon.close())

  test('they change the members of their group, in any spelling', async () => {
    await linus.groups.add_member({ group: 'engineers', user: 'ada' })
    // Of a group that they do not administer, they know the name only.
    await assert.rejects(
      linus.groups.add_member({ group: 'engineers', member_group: 'interns' }),
      ClaimRequired,
    )
    await assert.rejects(
      linus.groups.add_member({ group: 'engineers', member_group: 'nothing' }),
      ClaimRequired,
    )
    await daemon.hero.groups.add_admin({ group: 'interns', user: 'linus' })
    await linus.groups.add_member({ group: 'ENGINEERS', member_group: 'Interns' })
    await daemon.hero.groups.remove_admin({ group: 'interns', user: 'linus' })
    await linus.groups.remove_member({ group: 'engineers', user: 'ada' })
    await linus.groups.members({ group: 'engineers' })
    assert.deepEqual((await linus.groups.get({ group: 'engineers' })).admins, ['linus'])
  })

  test('they change neither other groups nor what their group grants', async () => {
    const { groups } = linus
    const refused = [
      () => groups.add_member({ group: 'writers', user: 'ada' }),
      () => groups.remove_member({ group: 'interns', user: 'ada' }),
      () => groups.members({ group: 'writers' }),
      () => groups.add_claim({ group: 'engineers', claim: 'wiki.write' }),
      () => groups.add_role({ group: 'engineers', role: 'writer' }),
      () => groups.update({ group: 'engineers', name: 'x' }),
      () => groups.remove({ group: 'engineers' }),
      () => groups.add_admin({ group: 'engineers', user: 'grace' }),
      () => groups.remove_admin({ group: 'engineers', user: 'linus' }),
      () => groups.list(),
      () => linus.users.list(),
    ]
    for (const call of refused) await assert.rejects(call(), ClaimRequired)
  })

  test('the role is a claim that services see and claims.resolve explains, and does not imply membership', async () => {
    const { claims, why } = await daemon.hero.claims.resolve({ user: 'linus' })
    assert.deepEqual(claims, ['groups.engineers.admin', 'users.linus'])
    assert.deepEqual(why[0], {
      claim: 'groups.engineers.admin',
      because: 'group_admin',
      path: ['engineers'],
      role: null,
    })
  })

  test('the role covers neither outer nor inner groups, for members as well', async () => {
    const { groups, claims } = daemon.hero
    await groups.add({ slug: 'staff' })
    await groups.add_member({ group: 'staff', member_group: 'engineers' })
    await groups.add_member({ group: 'engineers', user: 'linus' })
    const held = ['groups.engineers', 'groups.engineers.admin', 'groups.staff', 'users.linus']
    assert.deepEqual((await claims.resolve({ user: 'linus' })).claims, held)
    await assert.rejects(linus.groups.add_member({ group: 'staff', user: 'ada' }), ClaimRequired)
    await assert.rejects(linus.groups.add_member({ group: 'interns', user: 'ada' }), ClaimRequired)
    await groups.remove_member({ group: 'engineers', user: 'linus' })
  })

  test('an inactive administrator has no claim, and a row for the admin group grants none', async () => {
    const { users, claims } = daemon.hero
    await users.add({ username: 'left' })
    await daemon.hero.groups.add_admin({ group: 'interns', user: 'left' })
    await users.update({ username: 'left', is_active: false })
    assert.deepEqual((await claims.resolve({ user: 'left' })).claims, [])
    await byHand(daemon, async (database) => {
      await sql`insert into group_admins (group_id, user_id, added_at) select groups.id, users.id, 1 from groups, users where slug = 'admin' and username = 'ada'`.execute(
        database.query,
      )
      database.changed('groups')
    })
    assert.deepEqual((await claims.resolve({ user: 'ada' })).claims, ['users.ada'])
  })

  test('the role ends at once when it is removed, and while the group is inactive', async () => {
    const { groups } = daemon.hero
    await groups.update({ group: 'engineers', is_active: false })
    await assert.rejects(linus.groups.add_member({ group: 'engineers', user: 'grace' }), ClaimRequired)
    await groups.update({ group: 'engineers', is_active: true })
    await groups.remove_admin({ group: 'engineers', user: 'linus' })
    await assert.rejects(linus.groups.add_member({ group: 'engineers', user: 'grace' }), ClaimRequired)
  })

  test('a duplicate, an unknown person and the reserved group are refused', async () => {
    const { groups } = daemon.hero
    await groups.add_admin({ group: 'writers', user: 'ada' })
    await assert.rejects(groups.add_admin({ group: 'writers', user: 'ADA' }), AlreadyExists)
    await assert.rejects(groups.add_admin({ group: 'writers', user: 'nobody' }), NotFound)
    await assert.rejects(groups.remove_admin({ group: 'writers', user: 'grace' }), NotFound)
    await assert.rejects(groups.add_admin({ group: 'admin', user: 'ada' }), Conflict)
  })

  test('of an inner group they see the name and nothing else, unless they may read it', async () => {
    const { users, groups } = daemon.hero
    for (const username of ['direct', 'inside', 'deep', 'both', 'known'])
      await users.add({ username, password: goodPassword })
    for (const slug of ['outer', 'secret', 'deeper', 'open']) await groups.add({ slug, name: `The ${slug}` })
    await groups.add_claim({ group: 'secret', claim: 'vault.open' })
    const within = [
      ['outer', 'direct'],
      ['outer', 'both'],
      ['secret', 'inside'],
      ['secret', 'both'],
      ['deeper', 'deep'],
      ['open', 'known'],
    ] as const
    for (const [group, user] of within) await groups.add_member({ group, user })
    for (const [group, member_group] of [
      ['outer', 'secret'],
      ['outer', 'open'],
      ['secret', 'deeper'],
      ['open', 'deeper'],
    ] as const)
      await groups.add_member({ group, member_group })
    await groups.add_admin({ group: 'outer', user: 'ada' })
    await groups.add_admin({ group: 'open', user: 'ada' })
    const { access_token } = await daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const ada = daemon.hero.as(access_token)
    const seen = async (by: HeroProxy) =>
      (await by.groups.members({ group: 'outer' })).items.map(({ user, path }) => `${user} ${path.join('/')}`)
    assert.deepEqual(await seen(daemon.hero), [
      'both outer',
      'deep outer/secret/deeper',
      'direct outer',
      'inside outer/secret',
      'known outer/open',
    ])
    assert.deepEqual(await seen(ada), ['both outer', 'direct outer', 'known outer/open'])
    // Pages tell no more: no cursor leads to people who are not shown.
    const first = await ada.groups.members({ group: 'outer', limit: 2 })
    const rest = await ada.groups.members({ group: 'outer', limit: 2, cursor: first.next_cursor! })
    assert.deepEqual([rest.items.map(({ user }) => user), rest.next_cursor], [['known'], null])
    const detail = await ada.groups.get({ group: 'outer' })
    assert.deepEqual(detail.groups, ['open', 'secret'])
    assert.doesNotMatch(JSON.stringify(detail), /vault|The secret|inside/)
    for (const call of [ada.groups.get({ group: 'secret' }), ada.groups.members({ group: 'deeper' })])
      await assert.rejects(call, ClaimRequired)
    // Who put a group inside makes no difference: it is theirs to read only while they administer it.
    await groups.add_admin({ group: 'secret', user: 'ada' })
    assert.ok((await seen(ada)).includes('inside outer/secret'))
    await groups.remove_admin({ group: 'secret', user: 'ada' })
    assert.ok(!(await seen(ada)).includes('inside outer/secret'))
    // No path leads through a group that they may not read, however short.
    await users.add({ username: 'zoe' })
    for (const [slug, outer] of [
      ['middle', 'open'],
      ['far', 'middle'],
    ] as const) {
      await groups.add({ slug })
      await groups.add_member({ group: outer, member_group: slug })
      await groups.add_admin({ group: slug, user: 'ada' })
    }
    await groups.add_member({ group: 'secret', member_group: 'far' })
    await groups.add_member({ group: 'far', user: 'zoe' })
    assert.ok((await seen(daemon.hero)).includes('zoe outer/secret/far'))
    assert.ok((await seen(ada)).includes('zoe outer/open/middle/far'))
    // They may take out what they see.
    await ada.groups.remove_member({ group: 'outer', member_group: 'secret' })
  })
})
