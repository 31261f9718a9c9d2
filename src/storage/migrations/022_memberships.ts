import { sql, type Kysely } from 'kysely'

const table = 'group_users'

/** A user can be a member of a group by hand and by providers at the same time. One membership does not hide another. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('memberships')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('expires_at', 'bigint')
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .addColumn('given_by', 'text', (c) => c.notNull().defaultTo(''))
    .addPrimaryKeyConstraint('memberships_key', ['group_id', 'user_id', 'given_by'])
    .execute()
  await sql`insert into memberships (group_id, user_id, expires_at, added_at, given_by)
    select group_id, user_id, expires_at, added_at, given_by from group_users`.execute(db)
  await db.schema.dropTable(table).execute()
  await db.schema.alterTable('memberships').renameTo(table).execute()
  for (const index of [
    'group_users_user on group_users (user_id)',
    `group_users_given on group_users (given_by) where given_by <> ''`,
    'group_users_expiry on group_users (group_id, expires_at) where expires_at is not null',
  ])
    await sql.raw(`create index ${index}`).execute(db)
}
