import { sql, type Kysely } from 'kysely'

/** What belongs to a name: passkeys and sign-ins to that of home, and what people left or agreed to, to that of a service. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await passkeys(db)
  // The host of home where a sign-in was opened. The start fills it, because only the configuration knows it.
  await addText(db, 'sessions', 'home')
  await sql`create index sessions_home on sessions (home)`.execute(db)
  // Children that one passage opened live and end together.
  await addText(db, 'child_sessions', 'passage')
  await addText(db, 'arrival_codes', 'passage')
  await byHost(db, 'left_hosts', 'parent_id', 'sessions.id')
  await byHost(db, 'confirmed_hosts', 'user_id', 'users.id')
}

const addText = (db: Kysely<never>, table: string, column: string): Promise<void> =>
  db.schema
    .alterTable(table)
    .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
    .execute()

const passkeys = async (db: Kysely<never>): Promise<void> => {
  // The name for which a passkey was made. The start fills it, too.
  await addText(db, 'passkeys', 'rp_id')
  await sql`create index passkeys_rp_id on passkeys (rp_id)`.execute(db)
  await db.schema
    .createTable('passkey_codes')
    .addColumn('code_hash', 'text', (c) => c.primaryKey())
    .addColumn('begun', 'text', (c) => c.notNull())
    .addColumn('passkey_id', 'text', (c) => c.notNull().references('passkeys.id').onDelete('cascade'))
    .addColumn('counter', 'bigint', (c) => c.notNull())
    .addColumn('challenge', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index passkey_codes_age on passkey_codes (created_at)`.execute(db)
  await sql`create index passkey_codes_passkey on passkey_codes (passkey_id)`.execute(db)
}

/** These tables had an origin, so that another port made another service of the same host. */
const byHost = async (db: Kysely<never>, table: string, key: string, references: string): Promise<void> => {
  const { rows } = await sql<{ of: string; origin: string }>`
    select ${sql.ref(key)} as "of", origin from ${sql.table(table)}`.execute(db)
  await db.schema.dropTable(table).execute()
  await db.schema
    .createTable(table)
    .addColumn(key, 'text', (c) => c.notNull().references(references).onDelete('cascade'))
    .addColumn('host', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint(`${table}_key`, [key, 'host'])
    .execute()
  for (const { of, origin } of rows)
    await sql`
      insert into ${sql.table(table)} (${sql.ref(key)}, host) values (${of}, ${new URL(origin).hostname})
      on conflict do nothing`.execute(db)
}
