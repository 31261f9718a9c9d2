import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import {
  Cursor,
  GrantableClaim,
  GroupSlug,
  Limit,
  Line,
  Page,
  RoleName,
  scopeParams,
  Shape,
} from '../contract/schemas.ts'
import { engineers, engineersDetail, interns } from './examples.ts'
import type { Admins } from './admins.ts'
import type { Grants } from './grants.ts'
import { ProofOption } from '../contract/proofs.ts'
import { Description, Group, GroupChange, GroupDetail, GroupName } from './group.ts'
import type { GroupProofs } from './group_proofs.ts'
import type { Groups } from './groups.ts'
import { memberMethods, membersMethod } from './member_methods.ts'
import type { Members } from './members.ts'

const read = { effect: 'read', claim: ['proxy.groups.read'] } as const
const viewClaims = ['proxy.groups.read', 'groups.{group}.admin'] as const
const write = { effect: 'write', claim: ['proxy.groups.write'] } as const

export const groupMethods = (
  groups: Groups,
  members: Members,
  grants: Grants,
  admins: Admins,
  proofs: GroupProofs,
) => [
  method({
    ...read,
    name: 'groups.list',
    summary: 'List the groups, ordered by slug',
    params: Shape({
      search: Type.Optional(
        Line(
          'Part of the slug or name, in any case; a search of fewer than three letters matches only the beginning',
        ),
      ),
      is_active: Type.Optional(Type.Boolean()),
      limit: Limit,
      cursor: Cursor,
    }),
    result: Page(Group),
    examples: [{ params: { search: 'engineers' }, result: { items: [engineers], next_cursor: null } }],
    handler: (params) => groups.list(params),
  }),
  method({
    ...read,
    name: 'groups.get',
    claim: viewClaims,
    summary: 'Return one group with its inner groups, roles and claims',
    params: Shape({ group: GroupSlug }),
    result: GroupDetail,
    errors: ['not_found'],
    examples: [{ params: { group: 'engineers' }, result: engineersDetail }],
    handler: ({ group }) => groups.get(group),
  }),
  membersMethod(members),
  method({
    ...write,
    name: 'groups.add',
    summary: 'Add a group; its slug identifies it in claims and never changes',
    params: Shape({
      slug: GroupSlug,
      name: Type.Optional(GroupName),
      description: Type.Optional(Description),
      proof: Type.Optional(ProofOption),
    }),
    result: Group,
    errors: ['already_exists'],
    examples: [
      {
        params: { slug: 'writers', name: 'Writers' },
        result: { ...interns, slug: 'writers', name: 'Writers' },
      },
    ],
    handler: (fields) => groups.add(fields),
  }),
  method({
    ...write,
    name: 'groups.update',
    // Reactivating a group also restores what it grants, and a proof that it asks for protects what its members may do.
    fresh: ({ is_active, proof }) => is_active === true || proof !== undefined,
    summary: 'Change a group, or turn it on or off',
    description:
      'With `proof`, the result lists in `shut_out` up to a hundred active members who could not give that proof now.',
    params: Shape({
      group: GroupSlug,
      name: Type.Optional(GroupName),
      description: Type.Optional(Description),
      is_active: Type.Optional(Type.Boolean()),
      proof: Type.Optional(ProofOption),
    }),
    result: GroupChange,
    errors: ['not_found', 'conflict'],
    examples: [
      { params: { group: 'interns', name: 'Interns 2027' }, result: { ...interns, name: 'Interns 2027' } },
    ],
    handler: async ({ group, ...fields }) => {
      const changed = await groups.update(group, fields)
      return fields.proof === undefined
        ? changed
        : { ...changed, shut_out: await proofs.shutOut(group, changed.proof) }
    },
  }),
  method({
    ...write,
    name: 'groups.remove',
    summary: 'Remove a group with its memberships and grants',
    large: true,
    params: Shape({ group: GroupSlug }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { group: 'interns' }, result: null }],
    handler: ({ group }) => groups.remove(group),
  }),
  ...memberMethods(members, admins, proofs),
  method({
    ...write,
    name: 'groups.add_role',
    fresh: true,
    summary: 'Add a role to a group, everywhere or for one service or context',
    params: Shape({ group: GroupSlug, role: RoleName, ...scopeParams }),
    result: GroupDetail,
    errors: ['not_found', 'already_exists', 'conflict'],
    examples: [
      {
        params: { group: 'engineers', role: 'writer', service: 'wiki' },
        result: {
          ...engineersDetail,
          roles: [...engineersDetail.roles, { role: 'writer', service: 'wiki', context: null }],
        },
      },
    ],
    handler: ({ group, role, ...scope }) => grants.addRole(group, role, scope),
  }),
  method({
    ...write,
    name: 'groups.remove_role',
    summary: 'Remove a role from a group; service and context must match those it was added with',
    params: Shape({ group: GroupSlug, role: RoleName, ...scopeParams }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { group: 'engineers', role: 'writer' }, result: null }],
    handler: ({ group, role, ...scope }) => grants.removeRole(group, role, scope),
  }),
  method({
    ...write,
    name: 'groups.add_claim',
    fresh: true,
    summary: 'Add a claim to a group, everywhere or for one service or context',
    params: Shape({ group: GroupSlug, claim: GrantableClaim, ...scopeParams }),
    result: GroupDetail,
    errors: ['not_found', 'already_exists', 'conflict'],
    examples: [
      {
        params: { group: 'engineers', claim: 'engineers.deploy' },
        result: {
          ...engineersDetail,
          claims: [{ claim: 'engineers.deploy', service: null, context: null }, ...engineersDetail.claims],
        },
      },
    ],
    handler: ({ group, claim, ...scope }) => grants.addClaim(group, claim, scope),
  }),
  method({
    ...write,
    name: 'groups.remove_claim',
    summary: 'Remove a claim from a group; service and context must match those it was added with',
    params: Shape({ group: GroupSlug, claim: GrantableClaim, ...scopeParams }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { group: 'engineers', claim: 'engineers.tickets.read' }, result: null }],
    handler: ({ group, claim, ...scope }) => grants.removeClaim(group, claim, scope),
  }),
]
