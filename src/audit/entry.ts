import { Type } from 'typebox'
import { Id, Named, Nullable, Time } from '../schemas.ts'

export const AuditEntry = Named('AuditEntry', {
  id: Id,
  at: Time,
  actor: Type.String({
    description: 'Username of the real person, "system" for the operator, empty for a guest',
  }),
  caller: Type.String({ description: 'Kind of caller: operator, user or guest' }),
  via: Type.String({ description: 'Door the call came in by: socket, edge or browser' }),
  uid: Nullable(Type.Integer({ description: 'User id of a local caller, told by the kernel' })),
  pid: Nullable(Type.Integer({ description: 'Process id of a local caller, told by the kernel' })),
  address: Type.String({ description: 'Network address of the caller, empty on the socket' }),
  method: Type.String(),
  target: Type.String({
    description: 'What the call was about, such as "group=engineers user=ada"; never a secret',
  }),
  outcome: Type.String({ description: '"ok" or the name of the error' }),
})
