import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { Audit } from '../../src/audit/audit.ts'
import { operator } from '../../src/contract/caller.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate, migrations } from '../../src/storage/migrate.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { openSqlite } from '../../src/storage/sqlite.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const log = createLog('silent')

onBothDatabases('migrations', (newUrl, kind) => {
  const opened: Kysely<Schema>[] = []
  after(() => Promise.all(opened.map((kysely) => kysely.destroy())))

  /** Opens the tables without migrating them. */
  const bare = (url: string): Kysely<Schema> => {
    const dialect =
      kind === 'sqlite'
        ? openSqlite(url.slice('sqlite:'.length)).dialect
        : new PostgresDialect({ pool: new Pool({ connectionString: url }) })
    const kysely = new Kysely<Schema>({ dialect })
    opened.push(kysely)
    return kysely
  }

  /** Returns each table with its rows as text. */
  const everything = async (kysely: Kysely<Schema>): Promise<string> => {
    const tables = await kysely.introspection.getTables({ withInternalKyselyTables: true })
    const rows = await Promise.all(
      tables.map(async ({ name }) => [name, await sql`select * from ${sql.table(name)}`.execute(kysely)]),
    )
    return JSON.stringify(rows.sort())
  }

  test('an empty database gets its tables and seed', async () => {
    const database = await openDatabase(newUrl('empty'), log)
    const { query } = database
    const groups = await query.selectFrom('groups').select('slug').execute()
    const roles = await query.selectFrom('roles').select('name').execute()
    const claims = await query.selectFrom('role_claims').select('claim').orderBy('claim').execute()
    assert.deepEqual(groups, [{ slug: 'admin' }])
    assert.deepEqual(roles, [{ name: 'admin' }])
    assert.deepEqual(
      claims.map(({ claim }) => claim),
      [
        'proxy.admin',
        'proxy.audit.read',
        'proxy.groups.read',
        'proxy.groups.write',
        'proxy.impersonate',
        'proxy.oauth.read',
        'proxy.oauth.write',
        'proxy.roles.read',
        'proxy.roles.write',
        'proxy.users.read',
        'proxy.users.write',
      ],
    )
    await database.close()
  })

  test('opening a database again changes nothing', async () => {
    const url = newUrl('empty')
    await (await openDatabase(url, log)).close()
    const before = await everything(bare(url))
    await (await openDatabase(url, log)).close()
    assert.equal(await everything(bare(url)), before)
  })

  test('an audit log from before its marks were sealed still verifies', async () => {
    const url = newUrl('empty')
    const kysely = bare(url)
    const older = Object.entries(migrations).filter(([name]) => name < '003')
    await migrate(kysely, Object.fromEntries(older))
    await sql`insert into audit (id, at, actor, caller, via, address, method, target, outcome, seq, seal) values ('a', 1, '', '', '', '', '', '', '', 1, 'sealed')`.execute(
      kysely,
    )
    await sql`insert into instance (key, value) values ('audit_head', '1:sealed')`.execute(kysely)
    await kysely.destroy()
    const database = await openDatabase(url, log)
    const audit = new Audit(database, Buffer.alloc(32, 7))
    await audit.append(operator({ via: 'socket' }), 'users.add', 'username=ada', 'ok')
    assert.deepEqual(await audit.verify(), { rows: 1, first_bad: null })
    await database.close()
  })

  test('a newer schema is refused with a one-line error and left unchanged', async () => {
    const url = newUrl('empty')
    const database: Database = await openDatabase(url, log)
    await sql`insert into schema_migrations (name, timestamp) values ('999_future', '2030-01-01')`.execute(
      database.query,
    )
    await database.close()
    const before = await everything(bare(url))
    await assert.rejects(
      openDatabase(url, log),
      /^Error: the database has the migration 999_future, which [^\n]+$/,
    )
    assert.equal(await everything(bare(url)), before)
  })

  test('a failing step rolls back all steps of the migration', async () => {
    const url = newUrl('empty')
    const broken = {
      up: async (db: Kysely<never>) => {
        await db.schema.createTable('half').addColumn('id', 'text').execute()
        await sql`insert into half (id) values ('x')`.execute(db)
        throw new Error('the step failed')
      },
    }
    const kysely = bare(url)
    await assert.rejects(migrate(kysely, { ...migrations, '998_broken': broken }), /the step failed/)
    const tables = await kysely.introspection.getTables()
    // The two tables of the migrator remain, without an entry.
    assert.deepEqual(
      tables.map(({ name }) => name).filter((name) => !name.startsWith('schema_migrations')),
      [],
    )

    const database = await openDatabase(url, log)
    assert.equal((await database.query.selectFrom('groups').selectAll().execute()).length, 1)
    await database.close()

    const again = bare(url)
    const before = await everything(again)
    await assert.rejects(migrate(again, { ...migrations, '998_broken': broken }), /the step failed/)
    assert.equal(await everything(again), before)
  })

  // The socket prevents a second process on the same SQLite file.
  if (kind === 'postgres')
    test('two nodes that migrate an empty database concurrently both start, with one seed', async () => {
      const url = newUrl('empty')
      const both = await Promise.all([openDatabase(url, log), openDatabase(url, log)])
      assert.equal((await both[0].query.selectFrom('groups').selectAll().execute()).length, 1)
      await Promise.all(both.map((database) => database.close()))
    })
})

test('an SQLite file is private, in WAL mode, and durable at each commit', async (t) => {
  const { mkdtempSync, rmSync, statSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const dir = mkdtempSync(join(tmpdir(), 'hp-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'x.db')
  const database = await openDatabase(`sqlite:${file}`, log)
  for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(statSync(name).mode & 0o777, 0o600)
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(database.query)
  assert.deepEqual(rows, [{ synchronous: 2 }])
  await database.close()
  const raw = new Sqlite(file, { readonly: true })
  assert.equal(raw.pragma('journal_mode', { simple: true }), 'wal')
  raw.close()
})
