import type { Kysely } from 'kysely'

/** Pictures of people that come from a provider. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('providers')
    .addColumn('pictures', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('pictures')
    .addColumn('source', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
}
