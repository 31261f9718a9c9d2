import { Type } from '../contract/schema_builder.ts'
import { Id, Named, Nullable, Shape, Time } from '../contract/schemas.ts'

export const AuditEntry = Named('AuditEntry', {
  id: Id,
  seq: Type.Integer({ description: '1, 2, 3 …: the order in which entries were written' }),
  at: Time,
  actor: Type.String({
    description: 'Username of the user who really acted, "system" for the operator, empty for a guest',
  }),
  on_behalf: Type.String({ description: 'The user whom the actor was impersonating, or empty' }),
  caller: Type.String({ description: 'Kind of caller: operator, service, client, user or guest' }),
  via: Type.String({ description: 'How the call arrived: socket, edge or browser' }),
  uid: Nullable(Type.Integer({ description: 'User id of a local caller, from the kernel' })),
  pid: Nullable(Type.Integer({ description: 'Process id of a local caller, from the kernel' })),
  address: Type.String({ description: 'Network address of the caller, empty on the socket' }),
  method: Type.String(),
  target: Type.String({
    description: 'What the call was about, such as "group=engineers user=ada"; never a secret',
  }),
  outcome: Type.String({ description: '"ok" or the name of the error' }),
})

export const Verification = Named('AuditVerification', {
  rows: Type.Integer({ description: 'How many entries match, starting with the oldest' }),
  first_bad: Nullable(
    Shape({
      seq: Type.Integer(),
      id: Nullable(Id),
      reason: Type.String(),
    }),
  ),
})
