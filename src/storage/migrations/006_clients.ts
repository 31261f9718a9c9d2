import { type Kysely } from 'kysely'

/** Applications that sign people in through us, what people allowed them, and what our OpenID provider keeps. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema.alterTable('signing_keys').addColumn('signs_since', 'bigint').execute()
  const keys = db as unknown as Kysely<{ signing_keys: { signs_since: number; created_at: number } }>
  await keys
    .updateTable('signing_keys')
    .set((eb) => ({ signs_since: eb.ref('created_at') }))
    .execute()

  await schema
    .createTable('clients')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('client', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('public', 'integer', (c) => c.notNull())
    .addColumn('native', 'integer', (c) => c.notNull())
    .addColumn('first_party', 'integer', (c) => c.notNull())
    .addColumn('pkce', 'integer', (c) => c.notNull())
    .addColumn('is_active', 'integer', (c) => c.notNull())
    .addColumn('dynamic', 'integer', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('backchannel_logout_uri', 'text', (c) => c.notNull())
    .addColumn('redirect_uris', 'text', (c) => c.notNull())
    .addColumn('post_logout_redirect_uris', 'text', (c) => c.notNull())
    .addColumn('grants', 'text', (c) => c.notNull())
    .addColumn('scopes', 'text', (c) => c.notNull())
    .addColumn('claims', 'text', (c) => c.notNull())
    .addColumn('jwks', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('client_secrets')
    .addColumn('client_id', 'text', (c) => c.notNull().references('clients.id').onDelete('cascade'))
    .addColumn('secret_hash', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('client_secrets_key', ['client_id', 'secret_hash'])
    .execute()

  await schema
    .createTable('consents')
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('scopes', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('consents_key', ['user_id', 'client'])
    .execute()

  await schema
    .createTable('oidc_records')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('client', 'text')
    .addColumn('lookup', 'text')
    .addColumn('payload_sealed', 'text', (c) => c.notNull())
    .addColumn('consumed_at', 'bigint')
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  for (const column of ['grant_id', 'user_id', 'client', 'lookup', 'expires_at'] as const)
    await schema.createIndex(`oidc_records_${column}`).on('oidc_records').column(column).execute()
  await schema
    .createTable('oidc_logouts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('sid', 'text', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .execute()

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  await revisions.insertInto('revisions').values({ subject: 'clients', value: 1 }).execute()
}
