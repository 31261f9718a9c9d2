import { Type, type Static } from '../contract/schema_builder.ts'
import { Claim, grantScope, Id, Named, RoleName, Shape, ShownName, Text, Time } from '../contract/schemas.ts'

export const RoleDescription = Text('Description', 500)

export const Role = Named('Role', {
  id: Id,
  name: RoleName,
  description: ShownName('Description'),
  claims: Type.Array(Shape({ claim: Claim, ...grantScope })),
  created_at: Time,
  updated_at: Time,
})
export type Role = Static<typeof Role>
