import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { invalidParams, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import type { UserRow } from '../storage/schema.ts'
import { whenReady } from '../storage/when_ready.ts'

/** Identifies the user that a call is about: exactly one of the four fields. */
export interface UserLookup {
  readonly username?: string
  readonly email?: string
  readonly external_id?: string
  readonly id?: string
}

const columns = ['username', 'email', 'external_id', 'id'] as const
type Column = (typeof columns)[number]

/** Usernames and email addresses ignore case. */
const isFolded = (column: Column) => column === 'username' || column === 'email'

const fold = (column: Column, value: string): string => (isFolded(column) ? value.toLowerCase() : value)

const hasFolded = (column: Column, folded: string): RawBuilder<SqlBool> =>
  isFolded(column) ? sql`lower(${sql.ref(column)}) = ${folded}` : sql`${sql.ref(column)} = ${folded}`

/** The condition that a column has this value; usernames and addresses ignore case. */
export const hasValue = (column: Column, value: string): RawBuilder<SqlBool> =>
  hasFolded(column, fold(column, value))

/**
 * Returns a function that finds a user's row, or throws not_found. It returns no promise if the database needs none.
 */
export const userRows = (database: Database): ((lookup: UserLookup) => UserRow | Promise<UserRow>) => {
  const by = (column: Column) =>
    database.prepared((query, { folded }: { folded: string }) =>
      query.selectFrom('users').selectAll().where(hasFolded(column, folded)),
    )
  const find = { username: by('username'), email: by('email'), external_id: by('external_id'), id: by('id') }
  return (lookup) => {
    const [column, another] = columns.filter((name) => lookup[name] !== undefined)
    if (column === undefined || another !== undefined)
      throw invalidParams('username', 'exactly one of username, email, external_id and id')
    const value = lookup[column]!
    return whenReady(find[column]({ folded: fold(column, value) }), (row) => {
      if (!row) throw notFound('user', value)
      return row
    })
  }
}
