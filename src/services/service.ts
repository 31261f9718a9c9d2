import { Type, type Static } from '../type.ts'
import { claimGrammar, Id, Named, ServiceName, Time } from '../schemas.ts'

export const UnixUser = Type.String({
  pattern: '^([a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})$',
  description: 'Name of a local user as in /etc/passwd, or a numeric user id',
})

/** A service may hold claims of ours, which people get by groups and roles only; those that name people stay reserved. */
export const ServiceClaim = Type.String({
  ...claimGrammar,
  not: { pattern: '^([aA][dD][mM][iI][nN]|([uU][sS][eE][rR][sS]|[gG][rR][oO][uU][pP][sS])(\\..*)?)$' },
  description: `${claimGrammar.description}; not admin, users.* or groups.*; proxy.* is allowed`,
})

export const ServiceClaims = Type.Array(ServiceClaim, { maxItems: 100, uniqueItems: true })

export const Service = Named('Service', {
  id: Id,
  service: ServiceName,
  unix_user: UnixUser,
  claims: ServiceClaims,
  created_at: Time,
  updated_at: Time,
})
export type Service = Static<typeof Service>
