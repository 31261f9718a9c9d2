import { sql, type Kysely } from 'kysely'

/**
 * The browsers that people sign in with, so that a new one can be reported. And when things were made that had no time yet, so that
 * what came after a reported sign-in can end; 0 is for those from before this step.
 */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('known_devices')
    .addColumn('device_hash', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('language', 'text')
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index known_devices_user on known_devices (user_id, last_seen_at)`.execute(db)
  await sql`create index known_devices_age on known_devices (last_seen_at)`.execute(db)
  await db.schema
    .alterTable('oidc_records')
    .addColumn('written_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('confirmed_hosts')
    .addColumn('confirmed_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
}
