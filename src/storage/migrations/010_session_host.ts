import { type Kysely } from 'kysely'

/** Sessions that count at one host alone. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('sessions')
    .addColumn('only_at', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
}
