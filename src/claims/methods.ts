import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { ClaimPattern, scopeParams, Shape, Username } from '../contract/schemas.ts'
import type { Claims } from './claims.ts'
import { Resolution, RuleCheck, type Why } from './result_schemas.ts'

const tickets: Why = {
  claim: 'engineers.tickets.read',
  because: 'group_claim',
  path: ['interns', 'engineers'],
  role: null,
}
const pages: Why = {
  claim: 'wiki.pages.write',
  because: 'role',
  path: ['interns', 'engineers'],
  role: 'writer',
}

export const claimMethods = (claims: Claims) => [
  method({
    name: 'claims.resolve',
    summary: 'Return the claims of a user, each with the groups and role it comes from',
    description:
      "Without `service`, grants for a single service are left out; without `context`, the user's own context applies.",
    effect: 'read',
    claim: ['proxy.users.read', 'users.{user}'],
    params: Shape({ user: Username, ...scopeParams }),
    result: Resolution,
    errors: ['not_found'],
    examples: [
      {
        params: { user: 'linus' },
        result: {
          user: 'linus',
          claims: [
            'engineers.tickets.read',
            'groups.engineers',
            'groups.interns',
            'users.linus',
            'wiki.pages.write',
          ],
          why: [
            tickets,
            { claim: 'groups.engineers', because: 'group', path: ['interns', 'engineers'], role: null },
            { claim: 'groups.interns', because: 'group', path: ['interns'], role: null },
            { claim: 'users.linus', because: 'user', path: [], role: null },
            pages,
          ],
        },
      },
    ],
    handler: ({ user, ...where }) => claims.resolve(user, where),
  }),
  method({
    name: 'claims.check',
    summary: 'Check whether a user satisfies a rule, and return why or what is missing',
    effect: 'read',
    claim: ['proxy.users.read', 'users.{user}'],
    params: Shape({
      user: Username,
      rule: Type.Array(ClaimPattern, {
        minItems: 1,
        maxItems: 50,
        description: 'Patterns, of which one must match',
      }),
      ...scopeParams,
    }),
    result: RuleCheck,
    errors: ['not_found'],
    examples: [
      {
        params: { user: 'linus', rule: ['engineers.*', 'proxy.admin'] },
        result: {
          allowed: true,
          because: [tickets],
          missing: [
            {
              claim: 'proxy.admin',
              granted_by: [{ group: 'admin', role: 'admin', service: null, context: null }],
            },
          ],
        },
      },
    ],
    handler: ({ user, rule, ...where }) => claims.check(user, rule, where),
  }),
]
