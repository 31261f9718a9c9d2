import { type Kysely } from 'kysely'

/** Identity providers that people sign in with, and what is kept of sign-ins on their way and of those that came about. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('providers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('provider', 'text', (c) => c.notNull().unique())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('preset', 'text', (c) => c.notNull())
    .addColumn('issuer', 'text', (c) => c.notNull())
    .addColumn('authorization_endpoint', 'text', (c) => c.notNull())
    .addColumn('token_endpoint', 'text', (c) => c.notNull())
    .addColumn('userinfo_endpoint', 'text', (c) => c.notNull())
    .addColumn('emails_endpoint', 'text', (c) => c.notNull())
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('secret_sealed', 'text', (c) => c.notNull())
    .addColumn('client_auth', 'text', (c) => c.notNull())
    .addColumn('scopes', 'text', (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('allow_signup', 'integer', (c) => c.notNull())
    .addColumn('allowed_domains', 'text', (c) => c.notNull())
    .addColumn('groups_claim', 'text', (c) => c.notNull())
    .addColumn('keep_tokens', 'integer', (c) => c.notNull())
    .addColumn('refresh_profile', 'integer', (c) => c.notNull())
    .addColumn('sign_out', 'integer', (c) => c.notNull())
    .addColumn('own_callback', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('provider_groups')
    .addColumn('provider_id', 'text', (c) => c.notNull().references('providers.id').onDelete('cascade'))
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('provider_groups_key', ['provider_id', 'value', 'group_id'])
    .execute()
  await schema.createIndex('provider_groups_group').on('provider_groups').column('group_id').execute()

  await schema
    .createTable('provider_flows')
    .addColumn('state_hash', 'text', (c) => c.primaryKey())
    .addColumn('provider_id', 'text', (c) => c.notNull().references('providers.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('browser_hash', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('network', 'text', (c) => c.notNull())
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('provider_flows_network').on('provider_flows').column('network').execute()
  await schema
    .createTable('provider_links')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('provider_id', 'text', (c) => c.notNull().references('providers.id').onDelete('cascade'))
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('provider_tokens')
    .addColumn('identity_id', 'text', (c) =>
      c.primaryKey().references('user_identities.id').onDelete('cascade'),
    )
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('leased_until', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('provider_logouts')
    .addColumn('provider_id', 'text', (c) => c.notNull().references('providers.id').onDelete('cascade'))
    .addColumn('jti', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('provider_logouts_key', ['provider_id', 'jti'])
    .execute()

  const text = async (table: 'user_identities' | 'sessions' | 'group_users' | 'routes', column: string) =>
    schema
      .alterTable(table)
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
      .execute()
  await text('user_identities', 'login')
  await text('user_identities', 'avatar_url')
  await schema.alterTable('user_identities').addColumn('last_used_at', 'bigint').execute()
  await text('sessions', 'provider_sid')
  await text('sessions', 'provider_id_token')
  await text('group_users', 'given_by')
  await text('routes', 'provider_token')
  await schema.createIndex('sessions_provider').on('sessions').columns(['provider', 'provider_sid']).execute()

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  await revisions.insertInto('revisions').values({ subject: 'providers', value: 1 }).execute()
}
