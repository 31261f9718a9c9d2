import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { readPage, type PageParams } from '../../src/storage/pager.ts'
import { onBothDatabases } from '../support/databases.ts'
import { refused } from '../support/refused.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('paging through a list', (newUrl) => {
  let database: Database
  before(async () => {
    database = await openDatabase(newUrl(), createLog('silent'))
    await database.write(async () => {
      for (const [i, name] of ['Beta', 'alpha', 'Delta', 'gamma'].entries())
        await database.query
          .insertInto('roles')
          .values({ id: `id${i}`, name, description: '', created_at: 10 - i, updated_at: 0 })
          .execute()
    })
  })
  after(() => database.close())

  const roles = () =>
    database.query.selectFrom('roles').select(['name', 'created_at']).where('updated_at', '=', 0)
  const byName = (page: PageParams) =>
    readPage(roles(), page, { by: sql`lower(name)`, keyOf: ({ name }) => name.toLowerCase() })
  const byNumber = (page: PageParams) =>
    readPage(roles(), page, {
      by: sql.ref('created_at'),
      descending: true,
      keyOf: (row) => String(row.created_at),
      readKey: Number,
    })

  for (const [order, read, names] of [
    ['by text, ascending', byName, ['alpha', 'Beta', 'Delta', 'gamma']],
    ['by number, descending', byNumber, ['Beta', 'alpha', 'Delta', 'gamma']],
  ] as const)
    test(`${order}: each page continues after the previous one, and the last one has no cursor`, async () => {
      for (const limit of [1, 2, 3, 4, 5]) {
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await read({ limit, ...(cursor !== undefined && { cursor }) })
          assert.ok(page.items.length > 0 && page.items.length <= limit)
          found.push(...page.items.map(({ name }) => name))
          cursor = page.next_cursor ?? undefined
        } while (cursor !== undefined)
        assert.deepEqual(found, names)
      }
    })

  test('a made-up cursor is refused', async () => {
    for (const cursor of ['', ' ', 'b', 'Yg==', '!!', 'Yg\n', '_w', 'AA', 'YQBi', 'DQo'])
      await refused(byName({ cursor }), 'invalid_params', 'cursor')
  })
})
