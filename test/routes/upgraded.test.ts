import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { createLog } from '../../src/log/log.ts'
import { Home } from '../../src/contract/home.ts'
import { authModeNames, takesSessions } from '../../src/routes/auth_modes.ts'
import { Routes } from '../../src/routes/routes.ts'
import { migrate, migrations } from '../../src/storage/migrate.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { openSqlite } from '../../src/storage/sqlite.ts'
import { onBothDatabases } from '../support/databases.ts'

onBothDatabases('routes from before they had names', (newUrl, kind) => {
  /** What the routes become, given as domain, path prefix and mode, the oldest first. */
  const upgraded = async (old: readonly (readonly [string, string, string])[]) => {
    const url = newUrl('empty')
    const dialect =
      kind === 'sqlite'
        ? openSqlite(url.slice('sqlite:'.length)).dialect
        : new PostgresDialect({ pool: new Pool({ connectionString: url }) })
    const bare = new Kysely<Schema>({ dialect })
    await migrate(bare, Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '014')))
    for (const [i, [domain, path_prefix, auth_mode]] of old.entries())
      await sql`
        insert into routes (id, domain, path_prefix, target, auth_mode, strip_prefix, service, required_claims,
          audience, preserve_host, enabled, connect_timeout, response_timeout, created_at, updated_at)
        values (${`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`}, ${domain}, ${path_prefix},
          'http://127.0.0.1:3000', ${auth_mode}, 0, '', '[]', '', 1, 1, 5, 60, 1, 1)`.execute(bare)
    await bare.destroy()
    const database = await openDatabase(url, createLog('silent'))
    try {
      return (await new Routes(database, new Home('http://localhost')).list({})).items
    } finally {
      await database.close()
    }
  }

  test('each gets one of its own', async () => {
    const long = 'x'.repeat(70)
    const routes = await upgraded([
      ['a-b.test', '/', 'none'],
      ['a.b.test', '/', 'none'],
      ['a.b-test', '/', 'none'],
      ['a.b.test', '/2', 'none'],
      ['*.b.test', '/', 'none'],
      ['any.b.test', '/', 'none'],
      ['long.test', `/${long}a`, 'none'],
      ['long.test', `/${long}b`, 'none'],
    ])
    assert.deepEqual(
      routes.map(({ name }) => name),
      [
        'a-b-test',
        'a-b-test-2',
        'a-b-test-3',
        'a-b-test-2-2',
        'any-b-test',
        'any-b-test-2',
        `long-test-${'x'.repeat(53)}`,
        `long-test-${'x'.repeat(51)}-2`,
      ],
    )
  })

  test('sign_in_paths is on where people sign in', async () => {
    const routes = await upgraded(authModeNames.map((mode) => [`${mode}.test`, '/', mode]))
    assert.deepEqual(
      routes.map(({ sign_in_paths }) => sign_in_paths),
      authModeNames.map(takesSessions),
    )
    assert.ok(routes.every(({ listed, shares_home, rpc }) => listed && !shares_home && !rpc))
  })
})
