import { sql, type Kysely } from 'kysely'

/** Clients that register themselves, and what lets them; what the provider keeps is told when it changes. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db
  await schema.alterTable('clients').addColumn('last_used_at', 'bigint').execute()
  await schema
    .alterTable('clients')
    .addColumn('registered_from', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await schema.createIndex('clients_dynamic').on('clients').columns(['dynamic', 'created_at']).execute()
  // Names that differ in case only are one name: asked for at every new client.
  await sql`create unique index clients_lower on clients (lower(client))`.execute(db)

  await schema
    .createTable('registration_tokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('uses_left', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  await revisions.insertInto('revisions').values({ subject: 'records', value: 1 }).execute()
}
