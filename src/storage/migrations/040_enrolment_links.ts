import type { Kysely } from 'kysely'

/** When a session was opened for the first factor of its person by a link from an administrator; 0 for never. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('sessions')
    .addColumn('link_at', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
}
