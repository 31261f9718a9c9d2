import type { Kysely } from 'kysely'

/** Browsers that wait for a phone to sign them in. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('elsewhere_requests')
    .addColumn('browser_hash', 'text', (c) => c.primaryKey())
    .addColumn('code_hash', 'text', (c) => c.notNull().unique())
    .addColumn('digits', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('network', 'text', (c) => c.notNull())
    .addColumn('user_agent', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('session_id', 'text')
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('elsewhere_requests_network')
    .on('elsewhere_requests')
    .columns(['network', 'expires_at'])
    .execute()
  await db.schema.createIndex('elsewhere_requests_user').on('elsewhere_requests').column('user_id').execute()
}
