import { Type, type Static } from '../contract/schema_builder.ts'
import { Claim, grantScope, Id, Line, Named, RoleName, Shape, Time } from '../contract/schemas.ts'

export const RoleDescription = Line('Description', 500)

export const Role = Named('Role', {
  id: Id,
  name: RoleName,
  description: RoleDescription,
  claims: Type.Array(Shape({ claim: Claim, ...grantScope })),
  created_at: Time,
  updated_at: Time,
})
export type Role = Static<typeof Role>
