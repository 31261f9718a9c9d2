import type { Kysely } from 'kysely'

/** What clients may introspect, and providers that say less, answer by a form, want a signed secret or are called under another name. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const add = (table: string, column: string, type: 'text' | 'integer', fallback: string | number) =>
    db.schema
      .alterTable(table)
      .addColumn(column, type, (c) => c.notNull().defaultTo(fallback))
      .execute()
  await add('clients', 'introspects', 'text', '[]')
  await add('providers', 'email_trusted', 'integer', 0)
  await add('providers', 'response_mode', 'text', 'query')
  await add('providers', 'key_sealed', 'text', '')
  await add('providers', 'internal_urls', 'text', '[]')
}
