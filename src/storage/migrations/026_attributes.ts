import { sql, type Kysely } from 'kysely'

/** Attributes that exist from the start: what OpenID Connect says about people besides name and address. */
const standard = [
  ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a01', 'given_name', ''],
  ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a02', 'family_name', ''],
  ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a03', 'locale', '[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}'],
  ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a04', 'zoneinfo', '[A-Za-z0-9_+/-]{1,64}'],
] as const

/** Attributes of people, and the JWT claims that clients get of them. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('attributes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('allowed_values', 'text', (c) => c.notNull().defaultTo('[]'))
    .addColumn('pattern', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('is_unique', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('scope', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('user_attributes')
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('attribute_id', 'text', (c) => c.notNull().references('attributes.id').onDelete('cascade'))
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('unique_key', 'text')
    .addPrimaryKeyConstraint('user_attributes_key', ['user_id', 'attribute_id'])
    .execute()
  await sql`create unique index user_attributes_unique on user_attributes (attribute_id, unique_key)`.execute(
    db,
  )
  for (const [id, name, pattern] of standard)
    await sql`insert into attributes (id, name, type, source, pattern, scope, created_at, updated_at)
      values (${id}, ${name}, 'text', 'person', ${pattern}, 'profile', 0, 0)`.execute(db)
  await db.schema
    .alterTable('clients')
    .addColumn('claim_map', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute()
}
