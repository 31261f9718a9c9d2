import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { sql } from 'kysely'
import { operator } from '../../src/contract/caller.ts'
import { Groups } from '../../src/groups/groups.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { createSearchIndexes } from '../../src/storage/search_index.ts'
import { Users } from '../../src/users/users.ts'
import { onBothDatabases } from '../support/databases.ts'
import { noReactions } from '../support/reactions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const log = createLog('silent')
const caller = operator({ via: 'socket' })
const titles = [
  'Ada Lovelace',
  'Grace "Amazing" Hopper',
  "O'Brien",
  '100% of *all*',
  'under_score and back\\slash',
  'Ünïcödé Ångström',
  'ÅNGSTRÖM',
  'AND OR NOT NEAR(a b)',
  '-minus --double',
  '日本語の名前',
  'a',
  'zz',
  'emoji 🦊🦊🦊',
]

/** Lowercases ASCII only, as lower() of SQLite does, and of PostgreSQL in the C locale. */
const lower = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

onBothDatabases('search', (newUrl, kind) => {
  let database: Database
  let users: Users
  let groups: Groups
  before(async () => {
    database = await openDatabase(newUrl(), log)
    users = new Users(database, async () => 1, noReactions)
    groups = new Groups(database)
    for (const [i, display_name] of titles.entries()) {
      const email = i % 2 ? `box${i}@example.org` : null
      await users.add({ username: `Person.${i}`, display_name, email }, caller)
      await groups.add({ slug: `Team-${i}`, name: display_name })
    }
  })
  after(() => database.close())

  /** Returns whether a scan of all rows would find this row. */
  const found = (fields: readonly (string | null)[], title: string, text: string) => {
    const short = [...text].length < 3
    const holds = (whole: string, part: string) => (short ? whole.startsWith(part) : whole.includes(part))
    return (
      [...fields, title].some((field) => field !== null && holds(lower(field), text.toLowerCase())) ||
      // LIKE of SQLite ignores the case of ASCII letters.
      holds(title, text) ||
      (kind === 'sqlite' && !short && lower(title).includes(lower(text)))
    )
  }
  const matchesScan = async (text: string) => {
    const people = await users.list({ search: text })
    const all = await users.list({})
    const wanted = all.items.filter(({ username, email, display_name }) =>
      found([username, email], display_name, text),
    )
    assert.deepEqual(
      people.items.map(({ username }) => username),
      wanted.map(({ username }) => username),
      `people by ${JSON.stringify(text)}`,
    )
    const teams = await groups.list({ search: text })
    const wantedTeams = (await groups.list({})).items.filter(({ slug, name }) => found([slug], name, text))
    assert.deepEqual(
      teams.items.map(({ slug }) => slug),
      wantedTeams.map(({ slug }) => slug),
      `groups by ${JSON.stringify(text)}`,
    )
    return wanted.length
  }
  const part = fc.constantFrom(...titles).chain((title) => {
    const letters = [...title]
    return fc
      .tuple(fc.nat(letters.length - 1), fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, 1, 2))
      .map(([from, length, way]) => {
        const text = letters.slice(from, from + length).join('')
        return way === 0 ? text : way === 1 ? text.toUpperCase() : text.toLowerCase()
      })
  })
  const matchesScanAlways = async () => {
    let hits = 0
    for (const text of [
      '"',
      '*',
      '-',
      '%',
      '%%%',
      '___',
      '"""',
      '*all*',
      'a*b',
      '\\',
      'AND',
      'NOT',
      "'''",
      'box',
      'person.',
      'tea',
      '@example',
    ])
      hits += await matchesScan(text)
    await fc.assert(
      fc.asyncProperty(fc.oneof(part, fc.string({ minLength: 1, maxLength: 6 })), async (text) => {
        // PostgreSQL does not store NUL, and callers cannot send it.
        if (!/[\u0000-\u001f]/.test(text) && text.isWellFormed()) hits += await matchesScan(text)
      }),
      { numRuns: 150 },
    )
    assert.ok(hits > 50, `${hits} found`)
  }

  test('without an index it finds what a scan of all rows finds', matchesScanAlways)

  test('with the index it finds the same', async () => {
    await createSearchIndexes(database, log)
    await matchesScanAlways()
    // Creating the index again changes nothing.
    await createSearchIndexes(database, log)
    assert.equal(await matchesScan('Hopper'), 1)
  })

  test('the index follows rows that are added, changed and removed', async () => {
    await users.add({ username: 'late.comer', display_name: 'Very late' }, caller)
    assert.equal(await matchesScan('very late'), 1)
    await users.update('late.comer', { display_name: 'Quite early' }, caller)
    assert.equal(await matchesScan('very late'), 0)
    assert.equal(await matchesScan('quite early'), 1)
    await users.remove('late.comer', caller)
    assert.equal(await matchesScan('quite early'), 0)
    if (kind === 'sqlite') {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from users_search_rows`.execute(database.query)
      assert.equal(rows[0]!.count, titles.length)
    }
  })

  test('an interrupted index creation continues at the next start', async () => {
    const url = newUrl()
    const other = await openDatabase(url, log)
    const many = new Users(other, async () => 1, noReactions)
    for (let i = 0; i < 20; i++) await many.add({ username: `many${i}` }, caller)
    const stop = new AbortController()
    const creating = createSearchIndexes(other, log, stop.signal).catch(() => {})
    stop.abort()
    await creating
    await other.close()
    const again = await openDatabase(url, log)
    await createSearchIndexes(again, log)
    const found = await new Users(again, async () => 1, noReactions).list({ search: 'many1' })
    assert.equal(found.items.length, 11)
    await again.close()
  })

  // PostgreSQL uses no index of ours.
  if (kind === 'sqlite')
    test('the index includes people who are added while it is created', async () => {
      await sql`delete from instance where key = 'search_users'`.execute(database.query)
      const creating = createSearchIndexes(database, log)
      for (let i = 0; i < 20; i++) await users.add({ username: `meanwhile${i}` }, caller)
      await creating
      assert.equal(await matchesScan('meanwhile'), 20)
    })
})
