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

type Address = Pick<UserRow, 'email' | 'email_verified_at'>

/** Whether nobody has proved yet that the address of this account is theirs. */
export const isUnconfirmed = ({ email, email_verified_at }: Address): boolean =>
  email !== null && email_verified_at === null

/** The same as a condition on the table users, or on an alias of it. */
export const isUnconfirmedSql = (users = 'users'): RawBuilder<SqlBool> => {
  const [email, verified] = ['email', 'email_verified_at'].map((column) => sql.ref(`${users}.${column}`))
  return sql<SqlBool>`(${email} is not null and ${verified} is null)`
}

/**
 * Whether an account is somebody: active, and with a confirmed address if it has one. An account that this refuses has
 * no identity anywhere: no session, network, key, token, claim or membership, and it is not the last administrator.
 */
export const maySignIn = (user: Address & { readonly is_active: Bit | boolean }): boolean =>
  Boolean(user.is_active) && !isUnconfirmed(user)

/** The same as a condition on the table users, or on an alias of it. */
export const maySignInSql = (users = 'users'): RawBuilder<SqlBool> =>
  sql<SqlBool>`${sql.ref(`${users}.is_active`)} = 1 and not ${isUnconfirmedSql(users)}`

export interface UsersTables {
  users: UserRow
  removed_usernames: { username: string; removed_at: number }
  /** Names, in lower case, that somebody wants to register: whether or not the address has an account, they are kept for it. */
  reserved_names: { username: string; address: string; reserved_at: number }
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
    /** The verified address that it reported at the last sign-in, in lower case. */
    email: Generated<string>
    last_used_at: Generated<number | null>
  }
}
