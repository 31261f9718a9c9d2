import { setTimeout as delay } from 'node:timers/promises'
import type { HeroProxy } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { defaultTrustMs } from '../../src/storage/postgres_revisions.ts'
import { goodPassword, type TestDaemon } from './daemon.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

/** Adds a user who can sign in. Returns the SDK with only that user's rights. */
export const person = async (
  { hero }: Pick<TestDaemon, 'hero'>,
  username: string,
  fields: { is_admin?: boolean; email?: string; display_name?: string } = {},
): Promise<HeroProxy> => {
  await hero.users.add({ username, password: goodPassword, ...fields })
  return signedIn({ hero }, username)
}

export const signedIn = async (
  { hero }: Pick<TestDaemon, 'hero'>,
  login: string,
  password = goodPassword,
): Promise<HeroProxy> => {
  const { access_token } = await hero.auth.login({ login, password })
  return hero.as(access_token)
}

/** Grows with every change that the caches of a daemon must know of. */
const revision = async ({ query }: Database): Promise<number> => {
  const rows = await query.selectFrom('revisions').select('value').execute()
  return rows.reduce((sum, { value }) => sum + value, 0)
}

/**
 * Reads and writes the tables over its own connection, as another node or a person with database access would. Returns
 * when the daemon knows of what changed.
 */
export const byHand = async <T>(
  { config }: Pick<TestDaemon, 'config'>,
  work: (database: Database) => Promise<T>,
): Promise<T> => {
  const database = await openDatabase(config.database_url, createLog('silent'))
  try {
    if (database.seesCommitsAtOnce) return await database.write(() => work(database))
    const before = await revision(database)
    const result = await database.write(() => work(database))
    // PostgreSQL notifies the daemon a moment later; after this time it looks by itself.
    if ((await revision(database)) !== before) await delay(defaultTrustMs + 1)
    return result
  } finally {
    await database.close()
  }
}
