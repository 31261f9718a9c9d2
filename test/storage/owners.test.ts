import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { migrate } from '../../src/storage/migrate.ts'
import type { Schema } from '../../src/storage/schema.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Owner by table: each file in tables/ is named after the folder that alone writes its tables. */
const owners = new Map<string, string>()
for (const file of globSync('src/storage/tables/*.ts', { cwd: root }))
  for (const [, body = ''] of read(file).matchAll(/^export interface \w+Tables \{\n(.*?)^\}/gms))
    for (const [, table = ''] of body.matchAll(/^ {2}(\w+):/gm)) {
      assert.ok(!owners.has(table), `${table} has two owners`)
      owners.set(table, basename(file, '.ts'))
    }

/** Writes tables with computed names: the search indexes, which are derived and not part of the schema. */
const makesTables = 'src/storage/search_index.ts'

const ownerOf = (file: string): string => file.split('/')[1]!

const comments = /^\s*(?:\/\*\*.*?\*\/|\/\/[^\n]*)/gms
const builders = /\.(?:insertInto|replaceInto|mergeInto|updateTable|deleteFrom)\(\s*([^\s,)]+)/g
const statements =
  /\b(?:(?:insert(?:\s+or\s+\w+)?|replace|merge)\s+into|delete\s+from(?:\s+only)?|truncate(?:\s+table)?)\s+([^\s(`]+)|\bupdate\s+(?:only\s+)?([^\s(`]+)\s+set\b/gi

/** Returns the table names in the write statements of a file. */
const written = (text: string): string[] => {
  const code = text.replace(comments, '')
  return [
    ...[...code.matchAll(builders)].map(([, name]) => name!),
    ...[...code.matchAll(statements)].map(
      ([, name, updated]) => `'${(name ?? updated)!.replaceAll('"', '')}'`,
    ),
  ]
}

/** Returns what is wrong with the write statements of a file. */
const faults = (file: string, text: string): string[] =>
  written(text).flatMap((name) => {
    const table = /^'(\w+)'$/.exec(name)?.[1]
    if (table === undefined) return [`${file} writes ${name}, which is not a literal table name`]
    const owner = owners.get(table)
    if (owner === ownerOf(file)) return []
    return [`${file} writes ${table}, which belongs to ${owner ?? 'no room'}`]
  })

test('a table is written by its owner alone, under its literal name', () => {
  const files = globSync('src/**/*.ts', { cwd: root, exclude: ['src/storage/migrations/**'] })
  const texts = files.filter((file) => file !== makesTables).map((file) => [file, read(file)] as const)
  assert.ok(texts.flatMap(([, text]) => written(text)).length > 100)
  assert.deepEqual(
    texts.flatMap(([file, text]) => faults(file, text)),
    [],
  )
})

test('each table has an owner, and each owner is a folder', async () => {
  const kysely = new Kysely<Schema>({ dialect: new SqliteDialect({ database: new Sqlite(':memory:') }) })
  await migrate(kysely)
  const tables = await kysely.introspection.getTables()
  await kysely.destroy()
  const names = tables.map(({ name }) => name).filter((name) => !name.startsWith('schema_migrations'))
  assert.deepEqual(names.sort(), [...owners.keys()].sort())
  const folders = new Set(globSync('src/**/*.ts', { cwd: root }).map(ownerOf))
  assert.deepEqual(
    [...owners.values()].filter((owner) => !folders.has(owner)),
    [],
  )
})

test('the check finds each kind of write statement', () => {
  for (const wrong of [
    `query.insertInto('users').values(row)`,
    `query\n  .updateTable(\n 'users')`,
    `query.deleteFrom(table)`,
    'query.deleteFrom(`users`)',
    `query.replaceInto('users')`,
    `query.mergeInto('users as u')`,
    'sql`insert into users (id) values (1)`',
    'sql`INSERT OR IGNORE INTO users (id) values (1)`',
    'sql`insert into ${sql.table(table)} (id) values (1)`',
    'sql`\n update "users"\n set is_admin = 1`',
    'sql`delete from users`',
    'sql`truncate users`',
  ])
    assert.equal(faults('src/routes/routes.ts', wrong).length, 1, wrong)
  for (const right of [
    `query.insertInto('routes').values(row)`,
    'sql`update routes set enabled = 0`',
    `// As in: insert into users\nquery.selectFrom('users')`,
  ])
    assert.deepEqual(faults('src/routes/routes.ts', right), [])
})
