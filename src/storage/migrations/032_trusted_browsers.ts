import type { Kysely } from 'kysely'

/** Browsers in which people give no second factor, and the values that each of them has had. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('trusted_browsers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('browser', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('user_agent', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('trusted_browsers_of_user', ['user_id', 'browser'])
    .execute()
  await db.schema.createIndex('trusted_browsers_browser').on('trusted_browsers').column('browser').execute()
  await db.schema
    .createTable('trusted_values')
    .addColumn('value_hash', 'text', (c) => c.primaryKey())
    .addColumn('browser', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .execute()
  await db.schema
    .alterTable('sessions')
    .addColumn('by_trust', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema.createIndex('trusted_values_browser').on('trusted_values').column('browser').execute()
}
