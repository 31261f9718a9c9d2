import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { long } from '../long.ts'
import { migratedFile } from './migrated.ts'
import { postgresMissing, startPostgres, type TestPostgres } from './postgres.ts'

/** `newUrl` gives a new database with the tables of a first start, or without any if asked for an empty one. */
type Tests = (newUrl: (empty?: 'empty') => string, kind: 'sqlite' | 'postgres') => void

/**
 * Runs the same tests on SQLite and on PostgreSQL. Where PostgreSQL cannot run, its tests are reported as skipped, with the
 * reason.
 */
export const onBothDatabases = (title: string, tests: Tests): void => onDatabases(title, tests, true)

/** The same for flows whose queries other tests run on PostgreSQL anyway: there they run among the long tests. */
export const onSqliteFirst = (title: string, tests: Tests): void => onDatabases(title, tests, long)

const onDatabases = (title: string, tests: Tests, onPostgres: boolean): void => {
  describe(`${title} on SQLite`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-db-'))
    let migrated: string
    before(async () => (migrated = await migratedFile()))
    let count = 0
    const newUrl = (empty?: 'empty') => {
      const file = join(dir, `${++count}.db`)
      if (empty === undefined) copyFileSync(migrated, file)
      return `sqlite:${file}`
    }
    tests(newUrl, 'sqlite')
    // After the hooks of the tests themselves, which close what is open.
    after(() => rmSync(dir, { recursive: true, force: true }))
  })
  const missing = postgresMissing() ?? (onPostgres ? undefined : 'TEST_LONG is not set')
  describe(`${title} on PostgreSQL`, { skip: missing ?? false }, () => {
    let postgres: TestPostgres
    before(async () => (postgres = await startPostgres()))
    tests((empty) => postgres.newDatabase(empty), 'postgres')
    after(() => postgres.stop())
  })
}
