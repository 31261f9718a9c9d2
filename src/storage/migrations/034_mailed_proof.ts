import type { Kysely } from 'kysely'

/** When the person of a session last showed that they read the mail of their address; 0 for never. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('sessions')
    .addColumn('mailed_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
}
