import type { Kysely } from 'kysely'

/** Routes at whose host WebFinger is answered. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('routes')
    .addColumn('webfinger', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
}
