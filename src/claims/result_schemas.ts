import { Type, type Static } from '../contract/schema_builder.ts'
import {
  Claim,
  ClaimPattern,
  grantScope,
  GroupSlug,
  Named,
  Nullable,
  RoleName,
  Shape,
  Username,
} from '../contract/schemas.ts'

export const Why = Named('Why', {
  claim: Claim,
  because: Type.Enum(['user', 'is_admin', 'group', 'group_admin', 'group_claim', 'role'], {
    description:
      'user: every active user has it; is_admin: administrators have it; group: the membership itself; group_admin: the user administers the group; group_claim: the last group of the path has it; role: a role of that group has it',
  }),
  path: Type.Array(GroupSlug, {
    description: 'From the group that has the user as a member to the group that grants the claim',
  }),
  role: Nullable(RoleName),
})
export type Why = Static<typeof Why>

export const Resolution = Named('Resolution', {
  user: Username,
  claims: Type.Array(Claim, { description: 'Sorted, without duplicates' }),
  why: Type.Array(Why),
})
export type Resolution = Static<typeof Resolution>

export const Granter = Named('Granter', {
  group: GroupSlug,
  role: Nullable(RoleName),
  ...grantScope,
})
export type Granter = Static<typeof Granter>

export const RuleCheck = Named('RuleCheck', {
  allowed: Type.Boolean(),
  because: Type.Array(Why, { description: 'The claims that satisfy the rule; empty when none does' }),
  missing: Type.Array(Shape({ claim: ClaimPattern, granted_by: Type.Array(Granter) }), {
    description:
      'The patterns of the rule that no claim satisfies, and the groups whose members would satisfy them',
  }),
})
export type RuleCheck = Static<typeof RuleCheck>
