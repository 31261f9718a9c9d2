import type { Kysely } from 'kysely'

/** Who made the last recovery link of a person. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('recovery_links')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('made_by', 'text', (c) => c.references('users.id').onDelete('set null'))
    .addColumn('made_by_kind', 'text', (c) => c.notNull())
    .addColumn('made_by_name', 'text', (c) => c.notNull())
    .addColumn('made_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('recovery_links_maker').on('recovery_links').column('made_by').execute()
}
