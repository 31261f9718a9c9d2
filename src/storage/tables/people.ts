import type { Generated } from 'kysely'
import type { Bit, OfUser, Scoped } from './columns.ts'

export interface UserRow {
  id: string
  username: string
  display_name: string
  email: string | null
  email_verified_at: number | null
  external_id: string | null
  is_active: Bit
  is_admin: Bit
  /** Whether there is a row for this person in totp (confirmed) or passkeys. */
  has_factor: Bit
  context: number
  created_at: number
  updated_at: number
}

export interface GroupRow {
  id: string
  slug: string
  name: string
  description: string
  is_active: Bit
  created_at: number
  updated_at: number
}

export interface RoleRow {
  id: string
  name: string
  description: string
  created_at: number
  updated_at: number
}

/** Who there is, and what they may: users, groups, roles and services. */
export interface PeopleTables {
  users: UserRow
  removed_usernames: { username: string; removed_at: number }
  user_networks: OfUser & { network: string; description: string }
  user_keys: OfUser & { pubkey: string; description: string }
  /** Signed requests that were let in: a nonce is used once per key. */
  signature_nonces: { pubkey: string; nonce: string; expires_at: number }
  user_identities: OfUser & {
    provider: string
    subject: string
    /** As the provider told at the last sign-in, as the next one; empty for nothing. */
    login: Generated<string>
    avatar_url: Generated<string>
    last_used_at: Generated<number | null>
  }
  groups: GroupRow
  group_users: {
    group_id: string
    user_id: string
    expires_at: number | null
    added_at: number
    /** The provider that vouched for it at the last sign-in; empty for a membership given by hand. */
    given_by: Generated<string>
  }
  group_groups: { group_id: string; member_group_id: string; expires_at: number | null; added_at: number }
  group_admins: { group_id: string; user_id: string; added_at: number }
  group_roles: { group_id: string; role_id: string } & Scoped
  group_claims: { group_id: string; claim: string } & Scoped
  roles: RoleRow
  role_claims: { role_id: string; claim: string } & Scoped
  /** `claims` is a JSON list. */
  services: {
    id: string
    name: string
    unix_user: string
    claims: string
    created_at: number
    updated_at: number
  }
}
