import { type Kysely } from 'kysely'

/** Tokens that programs keep, access tokens that were taken back before their end, and word of both for those who keep lists. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('tokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('service_id', 'text', (c) => c.references('services.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint', (c) => c.notNull())
    .execute()
  for (const column of ['user_id', 'service_id', 'expires_at'] as const)
    await schema.createIndex(`tokens_${column}`).on('tokens').column(column).execute()
  await schema
    .createTable('revoked_tokens')
    .addColumn('jti', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .alterTable('clients')
    .addColumn('tokens_since', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  for (const column of ['token_id', 'client'] as const)
    await schema
      .alterTable('revocations')
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
      .execute()

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  await revisions.insertInto('revisions').values({ subject: 'tokens', value: 1 }).execute()
}
