import type { Kysely } from 'kysely'

/** What a provider says of a sign-in that counts as a second factor. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('providers')
    .addColumn('second_factor_values', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute()
}
