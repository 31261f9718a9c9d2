import { sql, type Kysely } from 'kysely'

/**
 * People sign in at home only, and every other host has a child session of that sign-in. Sessions from before count at home.
 * Those that were bound to another host end, because nobody signed in at home for them.
 */
export const up = async (db: Kysely<never>): Promise<void> => {
  await sql`delete from sessions where only_at <> ''`.execute(db)
  await db.schema.alterTable('sessions').dropColumn('only_at').execute()
  await childSessions(db)
  await arrivals(db)
  // A sign-in with a provider that began at another host could end only there.
  await db.schema.alterTable('provider_flows').dropColumn('host').execute()
  await sql`
    delete from one_time_tokens
    where token_hash in (select token_hash from provider_proofs where only_at <> '')`.execute(db)
  await db.schema.alterTable('provider_proofs').dropColumn('only_at').execute()
}

const childSessions = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('child_sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('parent_id', 'text', (c) => c.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('arrival_hash', 'text', (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index child_sessions_parent on child_sessions (parent_id, origin)`.execute(db)
  await sql`create index child_sessions_arrival on child_sessions (arrival_hash, opened_at)`.execute(db)
}

const arrivals = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('arrival_codes')
    .addColumn('code_hash', 'text', (c) => c.primaryKey())
    .addColumn('parent_id', 'text', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('arrival_hash', 'text', (c) => c.notNull())
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('again', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .execute()
  await sql`create index arrival_codes_parent on arrival_codes (parent_id, created_at)`.execute(db)
  await sql`create index arrival_codes_age on arrival_codes (created_at)`.execute(db)
  await db.schema
    .createTable('left_hosts')
    .addColumn('parent_id', 'text', (c) => c.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('origin', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('left_hosts_key', ['parent_id', 'origin'])
    .execute()
}
