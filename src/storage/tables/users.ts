import { sql, type Generated, type RawBuilder, type SqlBool } from 'kysely'
import type { Bit, OfUser } from './columns.ts'

export interface UserRow {
  id: string
  username: string
  display_name: string
  email: string | null
  email_verified_at: number | null
  external_id: string | null
  is_active: Bit
  is_admin: Bit
  /** Whether this user has a confirmed row in totp, or a row in passkeys. */
  has_factor: Bit
  context: number
  created_at: number
  updated_at: number
}

/** The columns that {@link maySignIn} reads. */
export const signInColumns = ['users.is_active', 'users.email', 'users.email_verified_at'] as const

/** Whether a user may sign in: active, and with a verified email address if they have one. */
export const maySignIn = (
  user: Pick<UserRow, 'email' | 'email_verified_at'> & { readonly is_active: Bit | boolean },
): boolean => Boolean(user.is_active) && (user.email === null || user.email_verified_at !== null)

/** The same as a condition on the table users, or on an alias of it. */
export const maySignInSql = (users = 'users'): RawBuilder<SqlBool> => {
  const [active, email, verified] = ['is_active', 'email', 'email_verified_at'].map((column) =>
    sql.ref(`${users}.${column}`),
  )
  return sql<SqlBool>`${active} = 1 and (${email} is null or ${verified} is not null)`
}

export interface UsersTables {
  users: UserRow
  removed_usernames: { username: string; removed_at: number }
  user_networks: OfUser & { network: string; description: string }
  user_keys: OfUser & { pubkey: string; description: string }
  /** Signed requests that were accepted: each key may use a nonce once. */
  signature_nonces: { pubkey: string; nonce: string; expires_at: number }
  user_identities: OfUser & {
    provider: string
    subject: string
    /** As the provider reported it at the last sign-in, like the next one; empty for none. */
    login: Generated<string>
    avatar_url: Generated<string>
    last_used_at: Generated<number | null>
  }
}
