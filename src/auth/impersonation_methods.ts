import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Nothing, ServiceName, Shape, Time, Username } from '../contract/schemas.ts'
import type { Impersonation } from './impersonation.ts'

export const impersonationMethods = (impersonation: Impersonation) => [
  method({
    name: 'auth.impersonate',
    summary: 'Act as another person at forwarded services, for an hour at most',
    description:
      'Management calls are still authorized and audited as your own; services see your name in X-Hero-Impersonator.',
    effect: 'write',
    claim: ['proxy.impersonate'],
    fresh: true,
    params: Shape({
      user: Username,
      services: Type.Optional(
        Type.Array(ServiceName, {
          maxItems: 50,
          description: 'The services that see the other person; all of them if not given or empty',
        }),
      ),
    }),
    result: Shape({ user: Username, until: Time, services: Type.Array(ServiceName) }),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { user: 'grace' }, result: { user: 'grace', until: 1795438800, services: [] } }],
    handler: ({ user, services = [] }, caller) => impersonation.begin(user, services, caller),
  }),
  method({
    name: 'auth.stop_impersonating',
    summary: 'Stop impersonating',
    effect: 'write',
    claim: 'self',
    params: Nothing,
    result: Type.Null(),
    errors: ['conflict'],
    examples: [{ params: {}, result: null }],
    handler: (_, caller) => impersonation.end(caller),
  }),
]
