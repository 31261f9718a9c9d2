import { sql, type Kysely } from 'kysely'

/** What people proved and when, and what routes, groups and applications ask for. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const add = (
    table: string,
    column: string,
    type: 'text' | 'integer' | 'bigint',
    fallback?: string | number,
  ) =>
    db.schema
      .alterTable(table)
      .addColumn(column, type, (c) => (fallback === undefined ? c : c.notNull().defaultTo(fallback)))
      .execute()
  await add('sessions', 'second_at', 'bigint', 0)
  await add('sessions', 'passkey_at', 'bigint', 0)
  await add('sessions', 'proofs', 'integer', 1)
  // Which kind of key answered a second step is not known, so only a sign-in by passkey alone counts as one.
  await sql`update sessions set second_at = proven_at where factor <> ''`.execute(db)
  await sql`update sessions set passkey_at = proven_at where provider = 'passkey'`.execute(db)
  for (const table of ['routes', 'clients']) {
    await add(table, 'proof', 'text', 'any')
    await add(table, 'proof_age', 'integer')
  }
  await add('groups', 'proof', 'text', 'any')
  await add('clients', 'required_claims', 'text', '[]')
  await add('clients', 'session_max', 'integer')
}
