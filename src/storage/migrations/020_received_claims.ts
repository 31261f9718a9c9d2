import { sql, type Kysely } from 'kysely'

/** What providers last said about people, so that an administrator sees why a group or an address does not arrive. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('received_claims')
    .addColumn('identity_id', 'text', (c) =>
      c.primaryKey().references('user_identities.id').onDelete('cascade'),
    )
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index received_claims_age on received_claims (received_at)`.execute(db)
}
