import { sql, type Kysely } from 'kysely'

/** Group administrators, services, networks, keys and identities of people, impersonation, a chained audit, signing keys. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('group_admins')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('group_admins_key', ['group_id', 'user_id'])
    .execute()
  await schema.createIndex('group_admins_user').on('group_admins').column('user_id').execute()

  await schema
    .createTable('services')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('unix_user', 'text', (c) => c.notNull().unique())
    .addColumn('claims', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createIndex('services_name')
    .on('services')
    .unique()
    .expression(sql`lower(name)`)
    .execute()

  await schema
    .createTable('user_networks')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('network', 'text', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('user_networks_user').on('user_networks').column('user_id').execute()

  await schema
    .createTable('user_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('pubkey', 'text', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('user_keys_user').on('user_keys').column('user_id').execute()

  await schema
    .createTable('user_identities')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('user_identities_subject', ['provider', 'subject'])
    .execute()
  await schema.createIndex('user_identities_user').on('user_identities').column('user_id').execute()

  await schema
    .alterTable('sessions')
    .addColumn('impersonated_user_id', 'text', (c) => c.references('users.id').onDelete('set null'))
    .execute()
  await schema.alterTable('sessions').addColumn('impersonating_until', 'bigint').execute()

  await schema
    .alterTable('routes')
    .addColumn('audience', 'text', (c) => c.notNull().defaultTo(''))
    .execute()

  await schema
    .createTable('signing_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('algorithm', 'text', (c) => c.notNull())
    .addColumn('public_jwk', 'text', (c) => c.notNull())
    .addColumn('private_sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('retired_at', 'bigint')
    .execute()

  await chainAudit(db)

  const revisions = db as unknown as Kysely<{ revisions: { subject: string; value: number } }>
  const subjects = ['services', 'keys'].map((subject) => ({ subject, value: 1 }))
  await revisions.insertInto('revisions').values(subjects).execute()
}

/** Rows get a number of their own, because ids of two nodes may cross; those from before the chain carry no seal, and it hangs on the last of them. */
const chainAudit = async (db: Kysely<never>) => {
  const { schema } = db
  await schema
    .alterTable('audit')
    .addColumn('seq', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await schema
    .alterTable('audit')
    .addColumn('on_behalf', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  await schema
    .alterTable('audit')
    .addColumn('seal', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  const audit = db as unknown as Kysely<{ audit: { id: string; seq: number } }>
  const rows = await audit.selectFrom('audit').select('id').orderBy('id').execute()
  for (const [i, { id }] of rows.entries()) {
    await audit
      .updateTable('audit')
      .set({ seq: i + 1 })
      .where('id', '=', id)
      .execute()
  }
  if (rows.length > 0) {
    const value = `${rows.length}:`
    const facts = ['audit_anchor', 'audit_head'].map((key) => ({ key, value }))
    await (db as unknown as Kysely<{ instance: { key: string; value: string } }>)
      .insertInto('instance')
      .values(facts)
      .execute()
  }
  await schema.createIndex('audit_seq').on('audit').unique().column('seq').execute()
}
