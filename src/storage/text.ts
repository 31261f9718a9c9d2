import { sql, type RawBuilder, type SqlBool } from 'kysely'

/** Text as a part of a LIKE pattern, where it means itself. With `escape '\'`. */
export const plainInLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`)

/**
 * Whether a column begins with `prefix`. SQLite uses an index for a range only; PostgreSQL sorts by the rules of a language, in
 * which a range is something else.
 */
export const beginsWith = (
  kind: 'sqlite' | 'postgres',
  column: RawBuilder<string>,
  prefix: string,
): RawBuilder<SqlBool> =>
  kind === 'sqlite'
    ? sql`(${column} >= ${prefix} and ${column} < ${`${prefix}\u{10ffff}`})`
    : sql`${column} like ${`${plainInLike(prefix)}%`} escape '\\'`
