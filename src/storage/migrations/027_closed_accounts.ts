import type { Kysely } from 'kysely'

/** Accounts that their people have closed, until they are gone. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('closed_accounts')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('closed_at', 'bigint', (c) => c.notNull())
    .addColumn('removes_at', 'bigint', (c) => c.notNull())
    .execute()
}
