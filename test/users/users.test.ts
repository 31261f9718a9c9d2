import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { refused } from '../support/refused.ts'

const twoSegments = 'ada.lovelace'
const badUsernames = [
  twoSegments,
  'ada\r',
  'ada\n',
  'ada\r\nX-Hero-Claims: admin',
  'ada\0',
  'ada,admin',
  'ada;',
  'ada admin',
  'ädä',
  'ada\u200b',
  '-ada',
  '_ada',
  '',
  'a'.repeat(64),
  'users.*',
]
const badEmails = [
  'ada',
  'ada@',
  '@example.org',
  'ada@example.org\n',
  'ada@example.org\r\nBcc: x@example.org',
  'ada@evil@example.org',
  '"ada"@example.org',
  'ada,eve@example.org',
  'Ada <ada@example.org>',
  'ada@exämple.org',
  'ada@example.org\0',
  `${'a'.repeat(65)}@example.org`,
  `ada@${'e'.repeat(63)}.${'e'.repeat(63)}.${'e'.repeat(63)}.${'e'.repeat(63)}`,
]

onBothDatabases('users', (newUrl) => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon({ database_url: newUrl() })))
  after(() => daemon.close())

  test('add returns the user with its defaults, and get finds it by each identifier', async () => {
    const { hero } = daemon
    const added = await hero.users.add({ username: 'Ada', email: 'Ada@Example.org', external_id: 'hr-1' })
    const { id, created_at, updated_at, ...rest } = added
    assert.deepEqual(rest, {
      username: 'Ada',
      display_name: 'Ada',
      email: 'Ada@Example.org',
      email_verified_at: added.created_at,
      external_id: 'hr-1',
      is_active: true,
      is_admin: false,
      has_factor: false,
      ends_at: null,
      awaits_approval: false,
      context: 1,
    })
    assert.ok(Math.abs(created_at - Date.now() / 1000) < 60)
    assert.equal(created_at, updated_at)
    for (const lookup of [
      { username: 'ada' },
      { username: 'ADA' },
      { email: 'ada@EXAMPLE.org' },
      { external_id: 'hr-1' },
      { id },
    ])
      assert.deepEqual(await hero.users.get(lookup), added)
    await refused(hero.users.get({ username: 'nobody' }), 'not_found')
    await refused(hero.users.get({ external_id: 'HR-1' }), 'not_found')
    await refused(hero.users.get({}), 'invalid_params', 'username')
    await refused(hero.users.get({ username: 'ada', id }), 'invalid_params', 'username')
  })

  test('username and email are unique in any case, and external_id as written', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'Grace', email: 'grace@example.org', external_id: 'X' })
    await refused(hero.users.add({ username: 'grace' }), 'already_exists', 'username')
    await refused(hero.users.add({ username: 'GRACE' }), 'already_exists', 'username')
    await refused(hero.users.add({ username: 'g2', email: 'GRACE@example.ORG' }), 'already_exists', 'email')
    await refused(hero.users.add({ username: 'g2', external_id: 'X' }), 'already_exists', 'external_id')
    await hero.users.add({ username: 'g2', email: 'g2@example.org', external_id: 'x' })
    await refused(
      hero.users.update({ username: 'g2', email: 'Grace@example.org' }),
      'already_exists',
      'email',
    )
    await refused(hero.users.update({ username: 'g2', external_id: 'X' }), 'already_exists', 'external_id')
    // Changing the case of one's own address is no conflict.
    assert.equal(
      (await hero.users.update({ username: 'g2', email: 'G2@example.org' })).email,
      'G2@example.org',
    )
  })

  test('one of many concurrent requests for a username gets it', async () => {
    const { hero } = daemon
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => hero.users.add({ username: i % 2 ? 'race' : 'RACE' })),
    )
    assert.equal(attempts.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test('a username is never assigned again, in any case', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'Gone' })
    assert.equal(await hero.users.remove({ username: 'gone' }), null)
    await refused(hero.users.get({ username: 'gone' }), 'not_found')
    await refused(hero.users.remove({ username: 'gone' }), 'not_found')
    for (const username of ['Gone', 'gone', 'GONE'])
      await refused(hero.users.add({ username }), 'already_exists', 'username')
  })

  test('the operator’s name in the audit log is reserved', async () => {
    for (const username of ['system', 'System'])
      await refused(daemon.hero.users.add({ username }), 'invalid_params', 'username')
  })

  test('names and addresses that could split a header or a claim are refused with their path', async () => {
    const { hero } = daemon
    const before = await hero.users.list({ limit: 1000 })
    for (const username of badUsernames)
      await refused(hero.users.add({ username }), 'invalid_params', 'username')
    for (const email of badEmails)
      await refused(hero.users.add({ username: 'mail', email }), 'invalid_params', 'email')
    for (const text of ['a\nb', 'a\0b', 'a\x7f', 'x'.repeat(201)])
      await refused(
        hero.users.add({ username: 'line', display_name: text }),
        'invalid_params',
        'display_name',
      )
    for (const context of [-1, 1.5, 2 ** 31])
      await refused(hero.users.add({ username: 'ctx', context }), 'invalid_params', 'context')
    assert.deepEqual(await hero.users.list({ limit: 1000 }), before)
    await hero.users.add({ username: 'a'.repeat(63) })
  })

  test('a weak password leaves no user behind', async () => {
    const { hero } = daemon
    for (const password of ['short', 'password1', 'halfway halfway', 'x'.repeat(257)])
      await refused(hero.users.add({ username: 'halfway', password }), 'invalid_params', 'password')
    await refused(hero.users.get({ username: 'halfway' }), 'not_found')
    await refused(
      hero.users.add({ username: 'halfway', email: 'grace@example.org', password: 'mosaic-lantern-42' }),
      'already_exists',
      'email',
    )
    await refused(hero.users.get({ username: 'halfway' }), 'not_found')
  })

  test('update changes the given fields alone, and a new address is unverified', async () => {
    const { hero } = daemon
    const before = await hero.users.add({ username: 'upd', email: 'upd@example.org', external_id: 'e' })
    const after = await hero.users.update({ username: 'UPD', display_name: 'Ü', context: 7 })
    assert.deepEqual(after, { ...before, display_name: 'Ü', context: 7, updated_at: after.updated_at })
    const cleared = await hero.users.update({ username: 'upd', email: null, external_id: null })
    assert.equal(cleared.email, null)
    assert.equal(cleared.external_id, null)
    assert.deepEqual(await hero.users.get({ username: 'upd' }), cleared)
    await refused(hero.users.update({ username: 'nobody', display_name: 'x' }), 'not_found')
  })

  test('unknown fields are refused', async () => {
    const { hero } = daemon
    const call = (params: object) => hero.call('users.update', params as never)
    for (const [key, value] of [
      ['id', '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a01'],
      ['email_verified_at', 1],
      ['created_at', 1],
      ['password', 'x'],
      ['__proto__', { is_admin: true }],
      ['constructor', {}],
    ] as const)
      await refused(
        call(
          Object.fromEntries([
            ['username', 'upd'],
            [key, value],
          ] as const),
        ),
        'invalid_params',
        key,
      )
  })

  test('list returns pages by username, filters and searches', async () => {
    const { hero } = daemon
    for (const username of ['page-C', 'page-a', 'page-B', 'page_D']) await hero.users.add({ username })
    await hero.users.update({ username: 'page-a', is_active: false, display_name: 'Åsa 100%' })
    const search = 'PAGE'
    const whole = await hero.users.list({ search })
    const names = whole.items.map(({ username }) => username)
    assert.deepEqual(new Set(names), new Set(['page-a', 'page-B', 'page-C', 'page_D']))
    assert.equal(whole.next_cursor, null)
    const paged: string[] = []
    for (let cursor: string | undefined; ;) {
      const page = await hero.users.list({ search, limit: 1, cursor })
      assert.equal(page.items.length, 1)
      paged.push(page.items[0]!.username)
      if (page.next_cursor === null) break
      cursor = page.next_cursor
    }
    assert.deepEqual(paged, names)
    const found = async (filter: object) => (await hero.users.list(filter)).items.map((u) => u.username)
    assert.deepEqual(await found({ search, is_active: false }), ['page-a'])
    assert.deepEqual(await found({ search: 'page_' }), ['page_D'])
    assert.deepEqual(await found({ search: '100%' }), ['page-a'])
    assert.deepEqual(await found({ search: 'Åsa' }), ['page-a'])
    assert.deepEqual(await found({ search: '\\' }), [])
    assert.deepEqual(await found({ search, is_admin: true }), [])
  })

  test('made-up cursors and limits out of range are refused', async () => {
    const { hero } = daemon
    for (const cursor of ['', '!', 'AA', 'Zm9v=', '_w', 'x'.repeat(1025)])
      await refused(hero.users.list({ cursor }), 'invalid_params', 'cursor')
    for (const limit of [0, -1, 1001, 1.5])
      await refused(hero.users.list({ limit }), 'invalid_params', 'limit')
  })
})
