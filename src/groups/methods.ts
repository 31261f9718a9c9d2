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
  Time,
  Username,
} from '../contract/schemas.ts'
import { engineers, engineersDetail, interns } from './examples.ts'
import type { Admins } from './admins.ts'
import type { Grants } from './grants.ts'
import { Description, Group, GroupDetail, GroupName, Member, Membership } from './group.ts'
import type { Groups } from './groups.ts'
import type { Members } from './members.ts'

const read = { effect: 'read', claim: ['proxy.groups.read'] } as const
const administerClaims = ['proxy.groups.write', 'groups.{group}.admin'] as const
const viewClaims = ['proxy.groups.read', 'groups.{group}.admin'] as const
const write = { effect: 'write', claim: ['proxy.groups.write'] } as const

export const groupMethods = (groups: Groups, members: Members, grants: Grants, admins: Admins) => [
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
  method({
    ...read,
    name: 'groups.members',
    claim: viewClaims,
    summary: 'List all members of a group, directly or through inner groups, with the path',
    params: Shape({ group: GroupSlug, limit: Limit, cursor: Cursor }),
    result: Page(Member),
    errors: ['not_found'],
    examples: [
      {
        params: { group: 'engineers' },
        result: {
          items: [
            { user: 'ada', path: ['engineers'], expires_at: null },
            { user: 'linus', path: ['engineers', 'interns'], expires_at: null },
          ],
          next_cursor: null,
        },
      },
    ],
    handler: ({ group, ...page }) => members.resolve(group, page),
  }),
  method({
    ...write,
    name: 'groups.add',
    summary: 'Add a group; its slug identifies it in claims and never changes',
    params: Shape({
      slug: GroupSlug,
      name: Type.Optional(GroupName),
      description: Type.Optional(Description),
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
    // Reactivating a group also restores what it grants.
    fresh: ({ is_active }) => is_active === true,
    summary: 'Change the name or description of a group, or turn it on or off',
    params: Shape({
      group: GroupSlug,
      name: Type.Optional(GroupName),
      description: Type.Optional(Description),
      is_active: Type.Optional(Type.Boolean()),
    }),
    result: Group,
    errors: ['not_found', 'conflict'],
    examples: [
      { params: { group: 'interns', name: 'Interns 2027' }, result: { ...interns, name: 'Interns 2027' } },
    ],
    handler: ({ group, ...fields }) => groups.update(group, fields),
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
  method({
    ...write,
    name: 'groups.add_member',
    fresh: true,
    claim: administerClaims,
    summary: 'Add a user or another group to a group, permanently or until a time',
    params: Shape({
      group: GroupSlug,
      user: Type.Optional(Username),
      member_group: Type.Optional(GroupSlug),
      expires_at: Type.Optional(Time),
    }),
    result: Membership,
    errors: ['not_found', 'already_exists', 'conflict'],
    examples: [
      {
        params: { group: 'engineers', user: 'grace' },
        result: { group: 'engineers', user: 'grace', member_group: null, expires_at: null },
      },
    ],
    handler: ({ group, user, member_group, expires_at }) =>
      members.add(group, { user, member_group }, expires_at ?? null),
  }),
  method({
    ...write,
    name: 'groups.remove_member',
    claim: administerClaims,
    summary: 'Remove a user or an inner group from a group',
    description:
      'A membership that a provider gives stays beside one that was given by hand. Without one given by hand, it is removed until the next sign-in with the provider.',
    params: Shape({
      group: GroupSlug,
      user: Type.Optional(Username),
      member_group: Type.Optional(GroupSlug),
    }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { group: 'engineers', user: 'ada' }, result: null }],
    handler: ({ group, user, member_group }) => members.remove(group, { user, member_group }),
  }),
  method({
    ...write,
    name: 'groups.add_admin',
    fresh: true,
    summary: 'Let a user change the members of a group, and nothing else',
    params: Shape({ group: GroupSlug, user: Username }),
    result: GroupDetail,
    errors: ['not_found', 'already_exists', 'conflict'],
    examples: [
      { params: { group: 'engineers', user: 'linus' }, result: { ...engineersDetail, admins: ['linus'] } },
    ],
    handler: ({ group, user }) => admins.add(group, user),
  }),
  method({
    ...write,
    name: 'groups.remove_admin',
    summary: 'Stop a user from administering a group',
    params: Shape({ group: GroupSlug, user: Username }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { group: 'interns', user: 'grace' }, result: null }],
    handler: ({ group, user }) => admins.remove(group, user),
  }),
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
