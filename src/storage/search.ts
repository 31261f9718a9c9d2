import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely'
import type { Database } from './database.ts'
import { instanceFact } from './instance_facts.ts'
import type { Schema } from './schema.ts'
import { beginsWith, plainInLike } from './text.ts'

/** The columns that a search covers: names in ASCII, and one title in any script. */
export const searched = {
  users: { names: ['username', 'email'], title: 'display_name' },
  groups: { names: ['slug'], title: 'name' },
} as const
export type Searched = keyof typeof searched

/** A search of at least this many letters finds any part of a text; a shorter one finds only beginnings. */
const minTrigramLetters = 3
/**
 * Maximum number of rows to take from an index. With more matches, scanning all rows in order finds a page just as
 * fast.
 */
const maxIndexRows = 2000

/** The instance fact that says that the search index of a table is complete. */
export const searchIndexFact = (table: Searched) => `search_${table}`

/**
 * The condition that a row of `table` contains the text, ignoring case. Special characters match literally. Query with
 * `database.reading`: without an index this scans every row.
 */
export const matchesSearch = async (
  database: Database,
  table: Searched,
  text: string,
): Promise<RawBuilder<SqlBool>> => {
  const query = database.reading
  const { names, title } = searched[table]
  // lower() in SQLite, and in PostgreSQL with the locale C, handles only ASCII: other letters match case-sensitively.
  const columns = [...names, title].map((name) => sql<string>`lower(${sql.ref(name)})`)
  if ([...text].length < minTrigramLetters) {
    const parts = columns.map((column) => beginsWith(database.kind, column, text.toLowerCase()))
    parts.push(beginsWith(database.kind, sql.ref<string>(title), text))
    const anyMatches = sql<SqlBool>`(${sql.join(parts, sql` or `)})`
    return narrowed(anyMatches, await idsOf(query, partsOf(table, parts)))
  }
  const like = `%${plainInLike(text.toLowerCase())}%`
  const parts = columns.map((column) => sql<SqlBool>`${column} like ${like} escape '\\'`)
  parts.push(sql<SqlBool>`${sql.ref(title)} like ${`%${plainInLike(text)}%`} escape '\\'`)
  const anyMatches = sql<SqlBool>`(${sql.join(parts, sql` or `)})`
  if (database.kind === 'postgres' || (await instanceFact(database, searchIndexFact(table))) === undefined)
    return anyMatches
  return narrowed(anyMatches, await idsOf(query, trigramsOf(table, text)))
}

/** Queries each condition separately, because each has its own index. */
const partsOf = (table: Searched, parts: readonly RawBuilder<SqlBool>[]) =>
  sql<{ id: string }>`select id from (${sql.join(
    parts.map((part) => sql`select id from ${sql.table(table)} where ${part}`),
    sql` union all `,
  )}) as found limit ${maxIndexRows + 1}`

/** Queries the trigram index for rows that contain all trigrams, anywhere. */
const trigramsOf = (table: Searched, text: string) => {
  const allOf = (whole: string) => {
    const letters = [...whole]
    const trigrams = letters.slice(2).map((_, i) => letters.slice(i, i + 3).join(''))
    return [...new Set(trigrams)].map((three) => `"${three.replaceAll('"', '""')}"`).join(' AND ')
  }
  const match = [...new Set([text, text.toLowerCase()])].map((whole) => `(${allOf(whole)})`).join(' OR ')
  const index = sql.table(`${table}_search`)
  return sql<{ id: string }>`
    select id from ${index} join ${sql.table(`${table}_search_rows`)} as named on named.number = ${index}.rowid
    where ${index} match ${match} limit ${maxIndexRows + 1}`
}

const idsOf = async (query: Kysely<Schema>, ids: RawBuilder<{ id: string }>) =>
  (await ids.execute(query)).rows.map(({ id }) => id)

const narrowed = (anyMatches: RawBuilder<SqlBool>, ids: readonly string[]): RawBuilder<SqlBool> => {
  if (ids.length > maxIndexRows) return anyMatches
  return ids.length === 0 ? sql`1 = 0` : sql`(id in (${sql.join(ids)}) and ${anyMatches})`
}
