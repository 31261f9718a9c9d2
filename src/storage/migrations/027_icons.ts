import type { Kysely } from 'kysely'

/** Pictures that administrators have uploaded for services and applications. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('icons')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .alterTable('clients')
    .addColumn('icon', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
}
