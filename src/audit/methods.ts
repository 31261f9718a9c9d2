import { Type } from 'typebox'
import { method } from '../method.ts'
import { Cursor, Limit, Line, Page, Shape, Time } from '../schemas.ts'
import type { Audit } from './audit.ts'
import { AuditEntry } from './entry.ts'

export const auditMethods = (audit: Audit) => [
  method({
    name: 'audit.list',
    summary: 'List what was done, newest first',
    effect: 'read',
    claim: ['proxy.audit.read'],
    params: Shape({
      actor: Type.Optional(Line('Only what this person did')),
      method: Type.Optional(Line('Only calls of this method')),
      since: Type.Optional(Time),
      limit: Limit,
      cursor: Cursor,
    }),
    result: Page(AuditEntry),
    examples: [
      {
        params: { method: 'groups.remove_member' },
        result: {
          items: [
            {
              id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a59',
              at: 1795435200,
              actor: 'system',
              caller: 'operator',
              via: 'socket',
              uid: 1000,
              pid: 4242,
              address: '',
              method: 'groups.remove_member',
              target: 'group=engineers user=grace',
              outcome: 'ok',
            },
          ],
          next_cursor: null,
        },
      },
    ],
    handler: (params) => audit.list(params),
  }),
]
