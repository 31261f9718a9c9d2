import type { Generated } from 'kysely'
import type { ProofLevel } from '../../contract/proofs.ts'
import type { Bit, Scoped } from './columns.ts'

export interface GroupRow {
  id: string
  slug: string
  name: string
  description: string
  is_active: Bit
  /** What its members must have proved wherever they use a session. */
  proof: ProofLevel
  created_at: number
  updated_at: number
}

export interface GroupsTables {
  groups: GroupRow
  group_users: {
    group_id: string
    user_id: string
    expires_at: number | null
    added_at: number
    /** The provider that asserted this membership at the last sign-in; empty for a membership added by hand. */
    given_by: Generated<string>
  }
  group_groups: { group_id: string; member_group_id: string; expires_at: number | null; added_at: number }
  group_admins: { group_id: string; user_id: string; added_at: number }
  group_roles: { group_id: string; role_id: string } & Scoped
  group_claims: { group_id: string; claim: string } & Scoped
}
