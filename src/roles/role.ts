import { Type, type Static } from '../type.ts'
import { Claim, Context, Id, Line, Named, Nullable, RoleName, ServiceName, Shape, Time } from '../schemas.ts'

export const RoleDescription = Line('Description', 500)

export const Role = Named('Role', {
  id: Id,
  name: RoleName,
  description: RoleDescription,
  claims: Type.Array(Shape({ claim: Claim, service: Nullable(ServiceName), context: Nullable(Context) })),
  created_at: Time,
  updated_at: Time,
})
export type Role = Static<typeof Role>
