import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { invalidParams, notFound } from '../errors.ts'
import type { Database } from '../storage/database.ts'
import type { UserRow } from '../storage/schema.ts'

/** Names the one user a call is about: exactly one of the four. */
export interface UserLookup {
  readonly username?: string
  readonly email?: string
  readonly external_id?: string
  readonly id?: string
}

/** Whose column says so: a name and an address in any case. */
export const has = (column: keyof UserLookup, value: string): RawBuilder<SqlBool> =>
  column === 'username' || column === 'email'
    ? sql`lower(${sql.ref(column)}) = ${value.toLowerCase()}`
    : sql`${sql.ref(column)} = ${value}`

/** Their row, or not_found. */
export const rowOf = async (query: Database['query'], lookup: UserLookup): Promise<UserRow> => {
  const given = (['username', 'email', 'external_id', 'id'] as const).filter(
    (key) => lookup[key] !== undefined,
  )
  const key = given[0]
  if (key === undefined || given.length > 1) {
    throw invalidParams('username', 'exactly one of username, email, external_id and id')
  }
  const value = lookup[key]!
  const row = await query.selectFrom('users').selectAll().where(has(key, value)).executeTakeFirst()
  if (!row) throw notFound('user', value)
  return row
}
