import { type Kysely, sql } from 'kysely'

/** What routes can say besides, signed requests used once, certificates and how they are got, sessions that were ended. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  const texts = {
    more_targets: '[]',
    health_path: '',
    allowed_emails: '[]',
    provider: '',
    bearer_token_hash: '',
  }
  for (const [column, value] of Object.entries(texts)) {
    await schema
      .alterTable('routes')
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(value))
      .execute()
  }
  await schema.alterTable('routes').addColumn('max_body', 'bigint').execute()

  await schema
    .createTable('signature_nonces')
    .addColumn('pubkey', 'text', (c) => c.notNull())
    .addColumn('nonce', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('signature_nonces_key', ['pubkey', 'nonce'])
    .execute()
  await schema.createIndex('signature_nonces_end').on('signature_nonces').column('expires_at').execute()

  await schema
    .createTable('acme_accounts')
    .addColumn('directory', 'text', (c) => c.primaryKey())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('key_sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('acme_challenges')
    .addColumn('token', 'text', (c) => c.primaryKey())
    .addColumn('key_authorization', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('certificates')
    .addColumn('domain', 'text', (c) => c.primaryKey())
    .addColumn('chain', 'text', (c) => c.notNull())
    .addColumn('key_sealed', 'text', (c) => c.notNull())
    .addColumn('not_after', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .createTable('revocations')
    .addColumn('seq', 'bigint', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute()

  // Every address so far was given by an administrator, who vouches for it.
  await sql`update users set email_verified_at = updated_at where email is not null and email_verified_at is null`.execute(
    db,
  )

  await restartAudit(db as never)

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  await revisions.insertInto('revisions').values({ subject: 'certificates', value: 1 }).execute()
}

/** The marks of the audit carry seals from here on. Those from before do not: its chain begins anew after the last row. */
const restartAudit = async (db: Kysely<{ instance: { key: string; value: string } }>) => {
  const head = await db
    .selectFrom('instance')
    .select('value')
    .where('key', '=', 'audit_head')
    .executeTakeFirst()
  if (!head) return
  const value = `${head.value.split(':')[0]}:`
  await db
    .insertInto('instance')
    .values(['audit_anchor', 'audit_head'].map((key) => ({ key, value })))
    .onConflict((taken) => taken.column('key').doUpdateSet({ value }))
    .execute()
}
