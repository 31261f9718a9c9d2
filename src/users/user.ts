import { Type, type Static } from '../contract/schema_builder.ts'
import { AttributeValues } from '../contract/attribute_values.ts'
import { shownName } from '../contract/names.ts'
import {
  Context,
  Email,
  Id,
  Line,
  Name,
  Named,
  Nullable,
  ShownName,
  Time,
  Username,
} from '../contract/schemas.ts'
import type { UserRow } from '../storage/schema.ts'

export const DisplayName = Name('The name that people see')
export const ExternalId = Line('Id of this user in another system', 255)

export const EndsAt = {
  ...Time,
  description: 'Unix time in seconds at which the account ends: from then on it is nobody',
}

export const User = Named('User', {
  id: Id,
  username: Username,
  display_name: ShownName('The name that people see'),
  email: Nullable(Email),
  email_verified_at: Nullable(Time),
  external_id: Nullable(ExternalId),
  is_active: Type.Boolean({ description: 'An inactive user is treated as unknown everywhere' }),
  is_admin: Type.Boolean({ description: 'Whether the user is in the admin group; only this field decides' }),
  has_factor: Type.Boolean({ description: 'Has a second factor or a passkey, and must use it' }),
  context: Context,
  ends_at: Nullable(EndsAt),
  awaits_approval: Type.Boolean({
    description: 'Whether somebody must still approve the registration; until then the account is nobody',
  }),
  attributes: Type.Optional(AttributeValues),
  created_at: Time,
  updated_at: Time,
})
export type User = Static<typeof User>

/** The fields that can be set when an account is added, and changed later. */
export interface UserFields {
  readonly display_name?: string
  readonly email?: string | null
  readonly external_id?: string | null
  readonly is_active?: boolean
  readonly is_admin?: boolean
  readonly context?: number
  readonly ends_at?: number | null
}

export const toUser = ({ end_stage: _, address_since: __, ...row }: UserRow): User => ({
  ...row,
  display_name: shownName(row.display_name),
  awaits_approval: row.awaits_approval === 1,
  is_active: row.is_active === 1,
  is_admin: row.is_admin === 1,
  has_factor: row.has_factor === 1,
})
