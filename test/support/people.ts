import type { HeroProxy } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
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

/** Reads and writes the tables over its own connection, as another node or somebody with database access would. */
export const byHand = async <T>(
  { config }: Pick<TestDaemon, 'config'>,
  work: (database: Database) => Promise<T>,
): Promise<T> => {
  const database = await openDatabase(config.database_url, createLog('silent'))
  try {
    return await database.write(() => work(database))
  } finally {
    await database.close()
  }
}
