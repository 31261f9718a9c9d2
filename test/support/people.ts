import type { HeroProxy } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { goodPassword, type TestDaemon } from './daemon.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

/** Adds a person who can sign in, and returns the SDK with nothing but that person's rights. */
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

/** Reads and writes the tables past the daemon, over a connection of its own: another node, or a hand in the database. */
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
