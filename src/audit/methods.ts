import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Cursor, Limit, Line, Nothing, Page, Shape, Time } from '../contract/schemas.ts'
import type { Audit } from './audit.ts'
import { AuditEntry, Verification } from './entry.ts'

export const auditMethods = (audit: Audit) => [
  method({
    name: 'audit.list',
    summary: 'List audit entries, newest first',
    effect: 'read',
    claim: ['proxy.audit.read'],
    params: Shape({
      actor: Type.Optional(Line('Only calls by this user')),
      method: Type.Optional(Line('Only calls of this method')),
      outcome: Type.Optional(Line('Only calls with this outcome: ok or the name of an error', 64)),
      since: Type.Optional(Time),
      until: Type.Optional(Time),
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
              seq: 17,
              at: 1795435200,
              actor: 'system',
              on_behalf: '',
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
  method({
    name: 'audit.verify',
    summary:
      'Verify that no entry was changed, inserted or removed, and return the first one that does not match',
    effect: 'read',
    claim: ['proxy.audit.read'],
    params: Nothing,
    result: Verification,
    examples: [{ params: {}, result: { rows: 17, first_bad: null } }],
    handler: () => audit.verify(),
  }),
]
