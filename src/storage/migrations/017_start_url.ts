import type { Kysely } from 'kysely'

/** Where an application begins, for the list of what a person may open. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('clients')
    .addColumn('start_url', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
}
