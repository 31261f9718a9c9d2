import { sql, type Generated, type RawBuilder, type SqlBool } from 'kysely'
import { now } from '../ids.ts'
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
  /** Unix time at which the account ends; null if it does not. */
  ends_at: number | null
  /** What was done about that end: 0 nothing, 1 the notice was mailed, 2 the sessions have ended. */
  end_stage: number
  /** Whether somebody must still approve the registration. */
  awaits_approval: Bit
  /** When the person last changed the address themselves; 0 if somebody else did, or nobody. */
  address_since: number
  created_at: number
  updated_at: number
}

/** The columns that {@link maySignIn} reads. */
export const signInColumns = [
  'users.is_active',
  'users.email',
  'users.email_verified_at',
  'users.awaits_approval',
  'users.ends_at',
] as const

type Address = Pick<UserRow, 'email' | 'email_verified_at'>

/** Whether nobody has proved yet that the address of this account is theirs. */
export const isUnconfirmed = ({ email, email_verified_at }: Address): boolean =>
  email !== null && email_verified_at === null

/** The same as a condition on the table users, or on an alias of it. */
export const isUnconfirmedSql = (users = 'users'): RawBuilder<SqlBool> => {
  const [email, verified] = ['email', 'email_verified_at'].map((column) => sql.ref(`${users}.${column}`))
  return sql<SqlBool>`(${email} is not null and ${verified} is null)`
}

interface Admission extends Address {
  readonly is_active: Bit | boolean
  readonly awaits_approval: Bit | boolean
}

/** The part of {@link maySignIn} that time alone does not change. What is kept longer than a moment asks this, and for the end. */
export const isAdmitted = (user: Admission): boolean =>
  Boolean(user.is_active) && !user.awaits_approval && !isUnconfirmed(user)

/** The same as a condition on the table users, or on an alias of it. */
export const isAdmittedSql = (users = 'users'): RawBuilder<SqlBool> => {
  const [active, waits] = ['is_active', 'awaits_approval'].map((column) => sql.ref(`${users}.${column}`))
  return sql<SqlBool>`${active} = 1 and ${waits} = 0 and not ${isUnconfirmedSql(users)}`
}

/** Whether the time of an account is over. */
export const hasEnded = ({ ends_at }: Pick<UserRow, 'ends_at'>, at = now()): boolean =>
  ends_at !== null && ends_at <= at

/**
 * Whether an account is somebody: active, with a confirmed address if it has one, approved, and not past its end. An account that
 * this refuses has no identity anywhere: no session, network, key, token, claim or membership, and it is not the last administrator.
 */
export const maySignIn = (user: Admission & Pick<UserRow, 'ends_at'>, at = now()): boolean =>
  isAdmitted(user) && !hasEnded(user, at)

/** The same as a condition on the table users, or on an alias of it. It holds the present time, so never prepare it. */
export const maySignInSql = (users = 'users', at = now()): RawBuilder<SqlBool> => {
  const ends = sql.ref(`${users}.ends_at`)
  return sql<SqlBool>`${isAdmittedSql(users)} and (${ends} is null or ${ends} > ${at})`
}

export interface UsersTables {
  users: Omit<UserRow, 'end_stage' | 'awaits_approval' | 'address_since'> & {
    address_since: Generated<number>
    end_stage: Generated<number>
    awaits_approval: Generated<Bit>
  }
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
