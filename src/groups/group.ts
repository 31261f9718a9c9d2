import { Type, type Static } from '../contract/schema_builder.ts'
import { ProofOption } from '../contract/proofs.ts'
import { shownName } from '../contract/names.ts'
import {
  Claim,
  grantScope,
  GroupSlug,
  Id,
  Name,
  Named,
  Nullable,
  RoleName,
  Shape,
  ShownName,
  Text,
  Time,
  Username,
} from '../contract/schemas.ts'
import type { GroupRow } from '../storage/schema.ts'

export const GroupName = Name('The name that people see')
export const Description = Text('Description', 500)

const core = {
  id: Id,
  slug: GroupSlug,
  name: ShownName('The name that people see'),
  description: ShownName('Description'),
  is_active: Type.Boolean({
    description: 'An inactive group grants no claims and does not make its members part of outer groups',
  }),
  proof: ProofOption,
  created_at: Time,
  updated_at: Time,
}

export const Group = Named('Group', core)
export type Group = Static<typeof Group>

/** A changed group. */
export const GroupChange = Named('GroupChange', {
  ...core,
  shut_out: Type.Optional(
    Type.Array(Username, {
      maxItems: 100,
      description: 'Members who could not give the proof that the group asks for now',
    }),
  ),
})

export const GroupDetail = Named('GroupDetail', {
  ...core,
  admins: Type.Array(Username, { description: 'Users who may change the members, and nothing else' }),
  groups: Type.Array(GroupSlug, { description: 'Groups that are direct members' }),
  roles: Type.Array(Shape({ role: RoleName, ...grantScope })),
  claims: Type.Array(Shape({ claim: Claim, ...grantScope })),
})
export type GroupDetail = Static<typeof GroupDetail>

export const Membership = Named('Membership', {
  group: GroupSlug,
  user: Nullable(Username),
  member_group: Nullable(GroupSlug),
  expires_at: Nullable(Time),
})
export type Membership = Static<typeof Membership>

export const Member = Named('Member', {
  user: Username,
  path: Type.Array(GroupSlug, {
    description: 'From the requested group down to the group that has the user as a direct member',
  }),
  expires_at: Nullable(Time),
})
export type Member = Static<typeof Member>

export const toGroup = (row: GroupRow): Group => ({
  ...row,
  name: shownName(row.name),
  description: shownName(row.description),
  is_active: row.is_active === 1,
})
