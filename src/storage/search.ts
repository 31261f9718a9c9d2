import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely'
import type { Database } from './database.ts'
import { instanceFact } from './instance_facts.ts'
import type { Schema } from './schema.ts'
import { beginsWith, plainInLike } from './text.ts'

/** What people search in: names of ASCII letters, and one that may hold any. */
export const searched = {
  users: { names: ['username', 'email'], title: 'display_name' },
  groups: { names: ['slug'], title: 'name' },
} as const
export type Searched = keyof typeof searched

/** From so many letters on a search finds any part; with fewer, only beginnings. */
const wholeFrom = 3
/** Rows that an index may offer; where there are more, going through all rows in their order finds a page as soon. */
const most = 2000

/** The fact of the instance that says that the index of a table is whole. */
export const indexFact = (table: Searched) => `search_${table}`

/**
 * The condition that a row of `table` holds what was searched for, in any case. Special characters mean themselves. Read with
 * `database.reading`: without an index it looks at every row.
 */
export const holdsText = async (
  database: Database,
  table: Searched,
  text: string,
): Promise<RawBuilder<SqlBool>> => {
  const query = database.reading
  const { names, title } = searched[table]
  // lower() of SQLite, and of PostgreSQL in the locale C, knows ASCII only: other letters match as they are written.
  const columns = [...names, title].map((name) => sql<string>`lower(${sql.ref(name)})`)
  if ([...text].length < wholeFrom) {
    const parts = columns.map((column) => beginsWith(database.kind, column, text.toLowerCase()))
    parts.push(beginsWith(database.kind, sql.ref<string>(title), text))
    const any = sql<SqlBool>`(${sql.join(parts, sql` or `)})`
    return narrowed(any, await idsOf(query, partsOf(table, parts)))
  }
  const like = `%${plainInLike(text.toLowerCase())}%`
  const parts = columns.map((column) => sql<SqlBool>`${column} like ${like} escape '\\'`)
  parts.push(sql<SqlBool>`${sql.ref(title)} like ${`%${plainInLike(text)}%`} escape '\\'`)
  const any = sql<SqlBool>`(${sql.join(parts, sql` or `)})`
  if (database.kind === 'postgres' || (await instanceFact(database, indexFact(table))) === undefined)
    return any
  return narrowed(any, await idsOf(query, trigramsOf(table, text)))
}

/** Each condition has an index of its own. */
const partsOf = (table: Searched, parts: readonly RawBuilder<SqlBool>[]) =>
  sql<{ id: string }>`select id from (${sql.join(
    parts.map((part) => sql`select id from ${sql.table(table)} where ${part}`),
    sql` union all `,
  )}) as found limit ${most + 1}`

/** The index has rows of three letters; it is asked for those that hold all of them, somewhere. */
const trigramsOf = (table: Searched, text: string) => {
  const allOf = (whole: string) => {
    const letters = [...whole]
    const trigrams = letters.slice(2).map((_, i) => letters.slice(i, i + 3).join(''))
    return [...new Set(trigrams)].map((three) => `"${three.replaceAll('"', '""')}"`).join(' AND ')
  }
  const asked = [...new Set([text, text.toLowerCase()])].map((whole) => `(${allOf(whole)})`).join(' OR ')
  const index = sql.table(`${table}_search`)
  return sql<{ id: string }>`
    select id from ${index} join ${sql.table(`${table}_search_rows`)} as named on named.number = ${index}.rowid
    where ${index} match ${asked} limit ${most + 1}`
}

const idsOf = async (query: Kysely<Schema>, asked: RawBuilder<{ id: string }>) =>
  (await asked.execute(query)).rows.map(({ id }) => id)

const narrowed = (any: RawBuilder<SqlBool>, ids: readonly string[]): RawBuilder<SqlBool> => {
  if (ids.length > most) return any
  return ids.length === 0 ? sql`1 = 0` : sql`(id in (${sql.join(ids)}) and ${any})`
}
