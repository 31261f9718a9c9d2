import type { Kysely } from 'kysely'

/** The groups of everybody whom a provider brings for the first time. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('providers')
    .addColumn('default_groups', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute()
}
