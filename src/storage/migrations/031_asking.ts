import { sql, type Kysely } from 'kysely'

/** People who are refused may ask for a membership that ends. */
export const up = async (db: Kysely<never>): Promise<void> => {
  for (const table of ['routes', 'clients'])
    await db.schema
      .alterTable(table)
      .addColumn('ask_group', 'text', (c) => c.notNull().defaultTo(''))
      .execute()
  await db.schema
    .createTable('access_requests')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('place', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('decided_at', 'bigint')
    .addColumn('answer', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('ends_at', 'bigint')
    .addColumn('told', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  for (const index of [
    `unique index access_requests_open on access_requests (user_id, place) where state = 'open'`,
    'index access_requests_user on access_requests (user_id)',
    'index access_requests_group on access_requests (group_id)',
  ])
    await sql.raw(`create ${index}`).execute(db)
}
