import type { Kysely } from 'kysely'

/** Sign-ins that people asked to keep, and mailed links and unfinished sign-ins that lead to one. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const add = (table: string, column: string) =>
    db.schema
      .alterTable(table)
      .addColumn(column, 'integer', (c) => c.notNull().defaultTo(0))
      .execute()
  await add('sessions', 'remembered')
  await add('one_time_tokens', 'remember')
}
