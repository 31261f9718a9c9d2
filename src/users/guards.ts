import { sql, type SqlBool } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, maySignInSql, type UserRow } from '../storage/schema.ts'
import type { UserFields } from './user.ts'

/** What people may change about themselves: nothing that grants power or proves an address. */
const profileFields: ReadonlySet<string> = new Set<keyof UserFields>(['display_name'])

const holds = (caller: Caller, claim: string) => caller.kind === 'operator' || caller.claims.has(claim)

/** `proxy.users.write` keeps accounts; making administrators or internal trust of them takes an administrator. */
export const requireAdministrator = (caller: Caller): void => {
  if (!holds(caller, 'proxy.admin')) {
    throw new AppError('claim_required', 'This takes the claim proxy.admin', { claims: ['proxy.admin'] })
  }
}

/** On an administrator's account only administrators may act, and on one of internal trust: who sets its password has its trust. */
export const guardAdministrator = (row: UserRow, caller: Caller): void => {
  const guarded = row.is_admin === 1 || row.context === 0
  if (guarded && caller.user_id !== row.id) requireAdministrator(caller)
}

export const refuseBeyondProfile = (fields: UserFields, caller: Caller): void => {
  if (holds(caller, 'proxy.users.write')) return
  const beyond = Object.keys(fields).find((key) => !profileFields.has(key))
  if (beyond !== undefined) {
    throw new AppError('claim_required', `Changing ${beyond} takes the claim proxy.users.write`, {
      claims: ['proxy.users.write'],
      path: beyond,
    })
  }
}

/** Before this account loses its power. Inside a transaction. */
export const refuseLastAdministrator = async (query: Database['query'], row: UserRow): Promise<void> => {
  if (row.is_admin === 0 || !maySignIn(row)) return
  const other = await query
    .selectFrom('users')
    .select('id')
    // As the index has it: with a parameter it would not be used.
    .where(sql<SqlBool>`is_admin = 1`)
    .where(maySignInSql())
    .where('id', '!=', row.id)
    .executeTakeFirst()
  if (!other)
    throw conflict('The last active administrator cannot be demoted, deactivated or removed', {
      reason: 'last_administrator',
    })
}
