import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { postgresMissing, startPostgres, type TestPostgres } from './postgres.ts'

/**
 * Runs the same tests on SQLite and on PostgreSQL; `newUrl` gives a new, empty database. Where PostgreSQL cannot run,
 * its tests are reported as skipped, with the reason.
 */
export const onBothDatabases = (
  title: string,
  tests: (newUrl: () => string, kind: 'sqlite' | 'postgres') => void,
): void => {
  describe(`${title} on SQLite`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-db-'))
    let count = 0
    tests(() => `sqlite:${join(dir, `${++count}.db`)}`, 'sqlite')
    // After the hooks of the tests themselves, which close what is open.
    after(() => rmSync(dir, { recursive: true, force: true }))
  })
  const missing = postgresMissing()
  describe(`${title} on PostgreSQL`, { skip: missing ?? false }, () => {
    let postgres: TestPostgres
    before(() => (postgres = startPostgres()))
    tests(() => postgres.newDatabase(), 'postgres')
    after(() => postgres.stop())
  })
}
