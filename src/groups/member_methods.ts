import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Cursor, GroupSlug, Limit, Page, Shape, Time, Username } from '../contract/schemas.ts'
import { engineersDetail } from './examples.ts'
import type { Admins } from './admins.ts'
import { GroupDetail, Member, Membership } from './group.ts'
import type { GroupProofs } from './group_proofs.ts'
import type { Members } from './members.ts'
import { readableBy, refuseUnreadable } from './readers.ts'

const administerClaims = ['proxy.groups.write', 'groups.{group}.admin'] as const
const write = { effect: 'write', claim: ['proxy.groups.write'] } as const

/** The method that lists who is in a group. */
export const membersMethod = (members: Members) =>
  method({
    name: 'groups.members',
    effect: 'read',
    claim: ['proxy.groups.read', 'groups.{group}.admin'],
    summary: 'List all members of a group, directly or through inner groups, with the path',
    description:
      'Administrators of the group see the members of an inner group only if they may read that too.',
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
    handler: ({ group, ...page }, caller) => members.resolve(group, page, readableBy(caller)),
  })

/** The methods that change who is in a group, and who may do that. */
export const memberMethods = (members: Members, admins: Admins, proofs: GroupProofs) => [
  method({
    ...write,
    name: 'groups.add_member',
    fresh: true,
    claim: administerClaims,
    summary: 'Add a user or another group to a group, permanently or until a time',
    description:
      'Nobody puts a group inside that they may not read. Only proxy.groups.write adds members to a group that asks for a `proof`, or that is inside one: it could shut them out of everything.',
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
    handler: async ({ group, user, member_group, expires_at }, caller) => {
      if (!caller.claims.has('proxy.groups.write') && caller.kind !== 'operator')
        await proofs.refuseWithProof(group)
      if (member_group !== undefined) refuseUnreadable(member_group, caller)
      return members.add(group, { user, member_group }, expires_at ?? null)
    },
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
]
