import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createLog } from '../../src/log/log.ts'
import { root } from './daemon_process.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const cache = join(root, 'node_modules', '.cache')

/** A hash that changes whenever a migration may have changed. */
const version = () => {
  const hash = createHash('sha256')
  for (const file of globSync('src/storage/**/*.ts', { cwd: root }).sort())
    hash.update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}

/** Creates the tables of an empty database, as the first start does. */
export const migrateAt = async (url: string): Promise<void> => {
  const database = await openDatabase(url, createLog('silent'))
  await database.close()
}

/**
 * Returns the path of a migrated database that is kept between runs, because migrating takes ten times as long as copying. `make`
 * writes it at the given path. It is renamed into place when complete, because other test files may look for it at the same time.
 */
export const keptMigrated = async (kind: string, make: (path: string) => Promise<void>): Promise<string> => {
  const kept = join(cache, `${kind}-${version()}`)
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  for (const old of globSync(`${kind}-*`, { cwd: cache }))
    if (!old.startsWith(basename(kept))) rmSync(join(cache, old), { recursive: true, force: true })
  const own = `${kept}.${process.pid}`
  await make(own)
  try {
    renameSync(own, kept)
  } catch {
    rmSync(own, { recursive: true, force: true })
  }
  return kept
}

let file: Promise<string> | undefined
/** An SQLite file with the tables of a first start and no users. */
export const migratedFile = (): Promise<string> =>
  (file ??= keptMigrated('sqlite', (path) => migrateAt(`sqlite:${path}`)))
