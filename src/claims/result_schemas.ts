import { proofLevels } from '../contract/proofs.ts'
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

const ruleCheck = {
  allowed: Type.Boolean(),
  because: Type.Array(Why, { description: 'The claims that satisfy the rule; empty when none does' }),
  missing: Type.Array(Shape({ claim: ClaimPattern, granted_by: Type.Array(Granter) }), {
    description:
      'The patterns of the rule that no claim satisfies, and the groups whose members would satisfy them; without proxy.groups.read no groups, and for a place nothing',
  }),
}
export const RuleCheck = Named('RuleCheck', ruleCheck)
export type RuleCheck = Static<typeof RuleCheck>

export const PlaceCheck = Named('PlaceCheck', {
  ...ruleCheck,
  lack: Nullable(
    Type.Enum(['account', 'claims', 'email'], {
      description:
        'What keeps the person out: account: they may not sign in; claims: no claim satisfies the rule; email: their verified address does not',
    }),
  ),
  proof: Type.Enum(proofLevels, {
    description: 'The proof that the place and the groups of the person ask of a session',
  }),
  proof_age: Nullable(
    Type.Integer({ description: 'How many seconds old that proof may be; null without a limit' }),
  ),
})
export type PlaceCheck = Static<typeof PlaceCheck>
