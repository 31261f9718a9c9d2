import type { Generated } from 'kysely'
import type { Bit } from './columns.ts'

export interface InvitationRow {
  id: string
  token_hash: string
  /** In lower case; empty for a link that anybody may use who has it. */
  email: string
  display_name: string
  /** When the accounts end that come by it; null for never. */
  ends_at: number | null
  uses: number
  used: number
  approve: Bit
  /** The person who made it; null for a program, the operator, or a person who is gone. */
  made_by: string | null
  made_by_kind: string
  made_by_name: string
  created_at: number
  expires_at: number
  revoked_at: number | null
}

export interface InvitationsTables {
  invitations: Omit<InvitationRow, 'used' | 'display_name' | 'revoked_at'> & {
    used: Generated<number>
    display_name: Generated<string>
    revoked_at: Generated<number | null>
  }
  invitation_groups: { invitation_id: string; group_id: string }
  /** By which invitation an account came that nobody has confirmed yet, or that awaits approval. */
  registrations: { user_id: string; invitation_id: string | null; asked_at: number }
}
