import { sql, type SqlBool } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, maySignInSql, type Bit, type UserRow } from '../storage/schema.ts'
import type { UserFields } from './user.ts'

/** What users may change about themselves: nothing that grants power or proves an address. */
const profileFields: ReadonlySet<string> = new Set<keyof UserFields>(['display_name'])

const holds = (caller: Caller, claim: string) => caller.kind === 'operator' || caller.claims.has(claim)

/**
 * `proxy.users.write` manages accounts. Only an administrator may make somebody an administrator or give internal
 * trust.
 */
export const requireAdministrator = (caller: Caller): void => {
  if (!holds(caller, 'proxy.admin')) {
    throw new AppError('claim_required', 'This needs the claim proxy.admin', { claims: ['proxy.admin'] })
  }
}

/**
 * Only administrators may act on the account of an administrator or of internal trust: setting its password gives
 * access to its power.
 */
export const guardAdministrator = (row: UserRow, caller: Caller): void => {
  const guarded = row.is_admin === 1 || row.context === 0
  if (guarded && caller.user_id !== row.id) requireAdministrator(caller)
}

export const refuseBeyondProfile = (fields: UserFields, caller: Caller): void => {
  if (holds(caller, 'proxy.users.write')) return
  const beyond = Object.keys(fields).find((key) => !profileFields.has(key))
  if (beyond !== undefined) {
    throw new AppError('claim_required', `Changing ${beyond} needs the claim proxy.users.write`, {
      claims: ['proxy.users.write'],
      path: beyond,
    })
  }
}

/** The end of an administrator's account could leave nobody in charge, without anybody doing anything. */
export const refuseEndOfAdministrator = (next: {
  readonly is_admin: Bit | boolean
  readonly ends_at: number | null
}): void => {
  if (next.is_admin && next.ends_at !== null)
    throw conflict('The account of an administrator cannot end at a time', { reason: 'administrator_ends' })
}

/**
 * Call before this account loses its power, inside a transaction. Throws conflict if it is the last active
 * administrator.
 */
export const refuseLastAdministrator = async (query: Database['query'], row: UserRow): Promise<void> => {
  if (row.is_admin === 0 || !maySignIn(row)) return
  const other = await query
    .selectFrom('users')
    .select('id')
    // Written like the partial index: SQLite would not use it with a parameter.
    .where(sql<SqlBool>`is_admin = 1`)
    .where(maySignInSql())
    .where('id', '!=', row.id)
    .executeTakeFirst()
  if (!other)
    throw conflict('The last active administrator cannot be demoted, deactivated or removed', {
      reason: 'last_administrator',
    })
}
