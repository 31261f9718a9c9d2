import { sql, type Kysely } from 'kysely'

interface Mailed {
  one_time_tokens: {
    token_hash: string
    purpose: string
    address: string
    created_at: number
    expires_at: number
  }
  invitations: {
    id: string
    token_hash: string
    email: string
    uses: number
    made_by_kind: string
    made_by_name: string
    created_at: number
    expires_at: number
  }
}

/** Invitations get rows of their own, with groups, uses and approval; those that were mailed before keep working. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('invitations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('email', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('display_name', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('ends_at', 'bigint')
    .addColumn('uses', 'integer', (c) => c.notNull())
    .addColumn('used', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('approve', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('made_by', 'text', (c) => c.references('users.id').onDelete('set null'))
    .addColumn('made_by_kind', 'text', (c) => c.notNull())
    .addColumn('made_by_name', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('revoked_at', 'bigint')
    .execute()
  await db.schema
    .createTable('invitation_groups')
    .addColumn('invitation_id', 'text', (c) => c.notNull().references('invitations.id').onDelete('cascade'))
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('invitation_groups_key', ['invitation_id', 'group_id'])
    .execute()
  await db.schema
    .createTable('registrations')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('invitation_id', 'text', (c) => c.references('invitations.id').onDelete('set null'))
    .addColumn('asked_at', 'bigint', (c) => c.notNull())
    .execute()
  for (const index of [
    `invitations_address on invitations (email) where email <> ''`,
    'invitations_maker on invitations (made_by)',
    'invitation_groups_group on invitation_groups (group_id)',
    'registrations_invitation on registrations (invitation_id)',
  ])
    await sql.raw(`create index ${index}`).execute(db)
  await keepMailed(db as unknown as Kysely<Mailed>)
}

const keepMailed = async (db: Kysely<Mailed>): Promise<void> => {
  const mailed = db.selectFrom('one_time_tokens').where('purpose', '=', 'invite')
  const rows = await mailed.select(['token_hash', 'address', 'created_at', 'expires_at']).execute()
  for (const [i, { token_hash, address, created_at, expires_at }] of rows.entries())
    await db
      .insertInto('invitations')
      .values({
        id: `00000000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`,
        token_hash,
        email: address,
        uses: 1,
        made_by_kind: 'operator',
        made_by_name: '',
        created_at,
        expires_at,
      })
      .execute()
  await db.deleteFrom('one_time_tokens').where('purpose', '=', 'invite').execute()
}
