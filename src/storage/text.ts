import { sql, type RawBuilder, type SqlBool } from 'kysely'

/** Escapes text for a LIKE pattern, so that it matches literally. Use with `escape '\'`. */
export const plainInLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`)

/**
 * Whether a column begins with `prefix`. SQLite uses an index only for a range. PostgreSQL sorts by the rules of a
 * language, so a range would match something else.
 */
export const beginsWith = (
  kind: 'sqlite' | 'postgres',
  column: RawBuilder<string>,
  prefix: string,
): RawBuilder<SqlBool> =>
  kind === 'sqlite'
    ? sql`(${column} >= ${prefix} and ${column} < ${`${prefix}\u{10ffff}`})`
    : sql`${column} like ${`${plainInLike(prefix)}%`} escape '\\'`
