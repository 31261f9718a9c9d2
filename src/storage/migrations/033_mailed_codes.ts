import type { Kysely } from 'kysely'

/** The codes that sign-in mails carry beside their links. */
export const up = async (db: Kysely<never>): Promise<void> => {
  for (const column of ['code_hash', 'code_browser'])
    await db.schema
      .alterTable('one_time_tokens')
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
      .execute()
  for (const column of ['code_until', 'code_tries'])
    await db.schema
      .alterTable('one_time_tokens')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
  await db.schema
    .createIndex('one_time_tokens_code_browser')
    .on('one_time_tokens')
    .column('code_browser')
    .execute()
}
