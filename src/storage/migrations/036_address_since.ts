import type { Kysely } from 'kysely'

/** When a person last changed the address of their own account; 0 for never. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('users')
    .addColumn('address_since', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
}
