import { Type, type Static } from '../contract/schema_builder.ts'
import { Context, Email, Id, Line, Named, Nullable, Time, Username } from '../contract/schemas.ts'
import type { UserRow } from '../storage/schema.ts'

export const DisplayName = Line('Name for people')
export const ExternalId = Line('Id of this person elsewhere', 255)

export const User = Named('User', {
  id: Id,
  username: Username,
  display_name: DisplayName,
  email: Nullable(Email),
  email_verified_at: Nullable(Time),
  external_id: Nullable(ExternalId),
  is_active: Type.Boolean({ description: 'An inactive user has no identity anywhere' }),
  is_admin: Type.Boolean({ description: 'Member of the admin group; follows only this field' }),
  has_factor: Type.Boolean({ description: 'Has a second factor or a passkey, and is asked for it' }),
  context: Context,
  created_at: Time,
  updated_at: Time,
})
export type User = Static<typeof User>

/** What can be given when an account is added, and changed later. */
export interface UserFields {
  readonly display_name?: string
  readonly email?: string | null
  readonly external_id?: string | null
  readonly is_active?: boolean
  readonly is_admin?: boolean
  readonly context?: number
}

export const toUser = (row: UserRow): User => ({
  ...row,
  is_active: row.is_active === 1,
  is_admin: row.is_admin === 1,
  has_factor: row.has_factor === 1,
})
