import { type Kysely } from 'kysely'

/** Guesses that are counted, mail that waits, and to which address a one-time token was sent. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('attempts')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('full_until', 'bigint', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .createTable('mails')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('values_sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('last_error', 'text', (c) => c.notNull())
    .addColumn('gave_up_at', 'bigint')
    .execute()
  await schema.createIndex('mails_due').on('mails').columns(['gave_up_at', 'due_at']).execute()
  await schema.createIndex('mails_address').on('mails').columns(['address', 'created_at']).execute()

  await schema
    .alterTable('one_time_tokens')
    .addColumn('address', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await schema
    .createIndex('one_time_tokens_address')
    .on('one_time_tokens')
    .columns(['purpose', 'address'])
    .execute()
}
