import { sql, type Kysely } from 'kysely'

/** Accounts that end at a time, and registrations that somebody must approve. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const add = (column: string, type: 'integer' | 'bigint', fallback?: number) =>
    db.schema
      .alterTable('users')
      .addColumn(column, type, (c) => (fallback === undefined ? c : c.notNull().defaultTo(fallback)))
      .execute()
  await add('ends_at', 'bigint')
  await add('end_stage', 'integer', 0)
  await add('awaits_approval', 'integer', 0)
  await sql`create index users_end on users (ends_at) where ends_at is not null`.execute(db)
  await sql`create index users_waiting on users (created_at) where awaits_approval = 1`.execute(db)
}
