import { type Kysely } from 'kysely'

/** Second factors and passkeys, and of sessions: when the person last proved themselves, when it was last used, how it is renewed. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('totp')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('secret_sealed', 'text', (c) => c.notNull())
    .addColumn('confirmed_at', 'bigint')
    .addColumn('last_step', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('recovery_codes')
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('code_hash', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('recovery_codes_key', ['user_id', 'code_hash'])
    .execute()
  await schema
    .createTable('passkeys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('credential_id', 'text', (c) => c.notNull().unique())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('counter', 'bigint', (c) => c.notNull())
    .addColumn('synced', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute()
  await schema.createIndex('passkeys_user').on('passkeys').column('user_id').execute()

  await schema
    .alterTable('users')
    .addColumn('has_factor', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()

  await schema
    .alterTable('sessions')
    .addColumn('factor', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  for (const column of ['proven_at', 'last_used_at'])
    await schema
      .alterTable('sessions')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
  const sessions = db as unknown as Kysely<{
    sessions: { proven_at: number; last_used_at: number; created_at: number }
  }>
  await sessions
    .updateTable('sessions')
    .set((eb) => ({ proven_at: eb.ref('created_at'), last_used_at: eb.ref('created_at') }))
    .execute()
  await schema
    .createTable('refresh_tokens')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .execute()
  await schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute()
}
