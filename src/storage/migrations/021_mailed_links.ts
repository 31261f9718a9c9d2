import { sql, type Kysely } from 'kysely'

/**
 * Which browser asked for a mailed link and from where, what a registration wants, names that registrations keep, the
 * address that a provider last reported, and whether a security key verifies its user.
 */
export const up = async (db: Kysely<never>): Promise<void> => {
  const text = (table: string, column: string) =>
    db.schema
      .alterTable(table)
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
      .execute()
  await text('one_time_tokens', 'browser')
  await text('one_time_tokens', 'wanted')
  await text('mails', 'asked_from')
  await text('user_identities', 'email')
  await db.schema
    .createTable('reserved_names')
    .addColumn('username', 'text', (c) => c.primaryKey())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('reserved_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('reserved_names_address').on('reserved_names').column('address').execute()
  await db.schema
    .alterTable('passkeys')
    .addColumn('verifies_user', 'integer', (c) => c.notNull().defaultTo(1))
    .execute()
  // Passwords of accounts that nobody has confirmed: who opens the link chooses one.
  await sql`delete from credentials where user_id in (
    select id from users where email is not null and email_verified_at is null)`.execute(db)
}
