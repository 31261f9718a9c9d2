import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Named, ProgramClaims, ServiceName, Time } from '../contract/schemas.ts'

export const UnixUser = Type.String({
  pattern: '^([a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})$',
  description: 'Name of a local user as in /etc/passwd, or a numeric user id',
})

export const Service = Named('Service', {
  id: Id,
  service: ServiceName,
  unix_user: UnixUser,
  claims: ProgramClaims,
  created_at: Time,
  updated_at: Time,
})
export type Service = Static<typeof Service>
