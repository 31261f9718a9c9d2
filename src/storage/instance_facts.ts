import type { Database } from './database.ts'

/** One lasting fact about the whole instance, or undefined. */
export const instanceFact = async (database: Database, key: string): Promise<string | undefined> => {
  const row = await database.query
    .selectFrom('instance')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirst()
  return row?.value
}

/** Stores a fact once; later values are ignored. */
export const keepInstanceFact = async (database: Database, key: string, value: string): Promise<void> => {
  await database.write(() =>
    database.query
      .insertInto('instance')
      .values({ key, value })
      .onConflict((taken) => taken.column('key').doNothing())
      .execute(),
  )
}

/** Stores a fact that may change. Joins the caller's transaction. */
export const setInstanceFact = async (database: Database, key: string, value: string): Promise<void> => {
  await database.write(() =>
    database.query
      .insertInto('instance')
      .values({ key, value })
      .onConflict((taken) => taken.column('key').doUpdateSet({ value }))
      .execute(),
  )
}
