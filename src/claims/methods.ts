import type { Caller } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import { anyProof } from '../contract/proofs.ts'
import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { ClaimPattern, Id, scopeParams, Shape, Username } from '../contract/schemas.ts'
import type { Claims } from './claims.ts'
import { PlaceCheck, Resolution, type Why } from './result_schemas.ts'

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

/** Whether a caller may know which claims places ask for, and which groups give them. */
const readsGroups = ({ kind, claims }: Caller): boolean =>
  kind === 'operator' || claims.has('proxy.groups.read')

/** `checkPlace` throws not_found. */
export const claimMethods = (
  claims: Claims,
  checkPlace: (
    user: string,
    wanted: { readonly client?: string | undefined; readonly route?: string | undefined },
  ) => Promise<PlaceCheck>,
) => [
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
    summary: 'Check whether a user satisfies a rule or may enter a place, and return why or what is missing',
    description:
      'Give exactly one of `rule`, `client` and `route`. For a place it also returns what else keeps the person out, and the proof that their session would have to have; `service` and `context` go with a rule only. Only callers with proxy.groups.read learn what a place asks for, and which groups give it.',
    effect: 'read',
    claim: ['proxy.users.read', 'users.{user}'],
    params: Shape({
      user: Username,
      rule: Type.Optional(
        Type.Array(ClaimPattern, {
          minItems: 1,
          maxItems: 50,
          description: 'Patterns, of which one must match',
        }),
      ),
      client: Type.Optional(
        Type.String({ minLength: 1, maxLength: 2000, description: 'The client_id of an application' }),
      ),
      route: Type.Optional(Id),
      ...scopeParams,
    }),
    result: PlaceCheck,
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
          lack: null,
          proof: 'any',
          proof_age: null,
        },
      },
    ],
    handler: async ({ user, rule, client, route, ...where }, caller): Promise<PlaceCheck> => {
      const given = [rule, client, route].filter((one) => one !== undefined)
      if (given.length !== 1) throw invalidParams('rule', 'exactly one of rule, client and route')
      if (rule === undefined) {
        const [scoped] = Object.keys(where)
        if (scoped !== undefined) throw invalidParams(scoped, 'given with a rule only')
        const found = await checkPlace(user, { client, route })
        return readsGroups(caller) ? found : { ...found, missing: [] }
      }
      const { missing, ...checked } = await claims.check(user, rule, where)
      return {
        missing: readsGroups(caller) ? missing : missing.map(({ claim }) => ({ claim, granted_by: [] })),
        ...checked,
        lack: checked.allowed ? null : 'claims',
        ...anyProof,
      }
    },
  }),
]
