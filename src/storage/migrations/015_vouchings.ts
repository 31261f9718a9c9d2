import { sql, type Kysely } from 'kysely'

/** A provider can vouch for a sign-in that another proof opened, and several can vouch for the same one. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('vouchings')
    .addColumn('session_id', 'text', (c) => c.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('identity_id', 'text', (c) => c.notNull())
    .addColumn('provider_sid', 'text', (c) => c.notNull())
    .addColumn('id_token', 'text', (c) => c.notNull())
    .addColumn('vouched_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('vouchings_key', ['session_id', 'provider'])
    .execute()
  // Hosts at which a person has agreed to be signed in, where the route asks for that.
  await db.schema
    .createTable('confirmed_hosts')
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('origin', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('confirmed_hosts_key', ['user_id', 'origin'])
    .execute()
  await sql`create index vouchings_provider on vouchings (provider, provider_sid)`.execute(db)
  await sql`
    insert into vouchings (session_id, provider, identity_id, provider_sid, id_token, vouched_at)
    select id, provider, '', provider_sid, provider_id_token, created_at from sessions
    where provider not in ('password', 'setup', 'magic_link', 'passkey')`.execute(db)
  await db.schema.dropIndex('sessions_provider').execute()
  await sql`create index sessions_provider on sessions (provider)`.execute(db)
  // Which services an impersonation is for. An empty list means all.
  await db.schema
    .alterTable('sessions')
    .addColumn('impersonated_services', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute()
  await db.schema.alterTable('sessions').dropColumn('provider_sid').execute()
  await db.schema.alterTable('sessions').dropColumn('provider_id_token').execute()
}
