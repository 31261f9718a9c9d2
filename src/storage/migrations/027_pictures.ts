import type { Kysely } from 'kysely'

/** Pictures that people have given. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('pictures')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('changed_at', 'bigint', (c) => c.notNull())
    .execute()
}
