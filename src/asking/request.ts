import { Type, type Static } from '../contract/schema_builder.ts'
import {
  Claim,
  grantScope,
  GroupSlug,
  Id,
  Named,
  Nullable,
  Shape,
  ShownName,
  Text,
  Time,
  Username,
} from '../contract/schemas.ts'

const Address = Nullable(Type.String({ description: 'Where it begins; null if no link leads there' }))

export const Reason = Text('Why the person asks', 300)
export const Answer = Text('Why it was refused', 300)

/** What a membership would give, for those who decide. */
const Gives = Shape({
  opens: Type.Array(Shape({ title: ShownName('A service or an application'), address: Address }), {
    description: 'The services and applications whose rules let members in; the first fifty',
  }),
  claims: Type.Array(Shape({ claim: Claim, ...grantScope }), {
    description: 'All claims, through outer groups and roles too',
  }),
  administers: Type.Boolean({ description: 'Whether any of the claims administers hero_proxy' }),
})
export type Gives = Static<typeof Gives>

export const AccessRequest = Named('AccessRequest', {
  id: Id,
  user: Username,
  group: Nullable(
    Type.Unsafe<string>({
      ...GroupSlug,
      description: 'The group to join; those who ask do not learn it',
    }),
  ),
  title: ShownName('What the person wants to open'),
  address: Address,
  reason: ShownName('Why the person asks'),
  state: Type.Enum(['open', 'approved', 'refused']),
  answer: ShownName('Why it was refused'),
  created_at: Time,
  expires_at: Type.Unsafe<number>({ ...Time, description: 'Until when it can be decided' }),
  decided_at: Nullable(Time),
  ends_at: Nullable(
    Type.Unsafe<number>({
      ...Time,
      description: 'When the membership ends that was given; null without an end',
    }),
  ),
  gives: Type.Union([Gives, Type.Null()]),
})
export type AccessRequest = Static<typeof AccessRequest>
