import { Type } from '../../contract/schema_builder.ts'
import { method } from '../../contract/method.ts'
import { Cursor, Email, GroupSlug, Id, Limit, Page, Shape, Time, Username } from '../../contract/schemas.ts'
import { Invitation, NewInvitation } from '../../invitations/invitation.ts'
import type { Invitations } from '../../invitations/invitations.ts'
import { DisplayName } from '../../users/user.ts'
import type { Admission } from './admission.ts'
import type { InvitationLinks } from './invitation_links.ts'
import { WaitingRegistration, type RegistrationRequests } from './registration_requests.ts'

export const exampleInvitation = '01932d1c-7a5e-7c41-9f3a-5f1d2c3b6a01'
const id = exampleInvitation
const mailed = {
  id,
  email: 'joan@example.org',
  display_name: null,
  groups: [],
  ends_at: null,
  uses: 1,
  used: 0,
  approve: false,
  made_by: 'system',
  created_at: 1795435200,
  expires_at: 1796040000,
  state: 'open' as const,
}
const forClass = { ...mailed, email: null, groups: ['engineers'], uses: 20, approve: true }
const shown = {
  link: 'https://id.example.org/auth/register?invite=pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE',
  qr: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  works: 'Works for 20 people, until Nov 30, 2026, 12:00 UTC.',
}
const notShown = { link: null, qr: null, works: null }

const write = { effect: 'write', claim: ['proxy.users.write'] } as const
const Users = Type.Array(Username, { minItems: 1, maxItems: 100 })
const InvitationId = Shape({ invitation: Id })

/** The methods that invite people, and those that decide about people who wait. */
export const invitationMethods = (
  links: InvitationLinks,
  invitations: Invitations,
  requests: RegistrationRequests,
  admission: Pick<Admission, 'mayInvite'>,
) => [
  method({
    ...write,
    name: 'invitations.add',
    summary: 'Invite a person by mail, or make a link for several people',
    description:
      'With an `email`, the link is mailed; where no mail server is set, it is shown this once. Without one, it is a link that works for `uses` people (1 by default), until `expires_at` (a week by default). A use counts once the person has confirmed their address. Each group takes the right to change its members, now and when somebody comes.',
    fresh: true,
    params: Shape({
      email: Type.Optional(Email),
      groups: Type.Optional(Type.Array(GroupSlug, { maxItems: 20 })),
      display_name: Type.Optional(DisplayName),
      ends_at: Type.Optional({ ...Time, description: 'When the accounts end that come by it' }),
      uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      expires_at: Type.Optional({ ...Time, description: 'When the link stops working; within a year' }),
      approve: Type.Optional(Type.Boolean({ description: 'Whether somebody must approve each of them' })),
    }),
    result: NewInvitation,
    errors: ['conflict', 'already_exists', 'not_found', 'rate_limited'],
    aliases: ['users.invite'],
    target: ({ email, groups = [], uses = 1 }, result) =>
      [
        ...(result ? [`invitation=${result.id}`] : []),
        email === undefined ? `uses=${uses}` : `email=${email}`,
        ...(groups.length > 0 ? [`groups=${groups.join(',')}`] : []),
      ].join(' '),
    examples: [
      { params: { email: 'joan@example.org' }, result: { ...mailed, ...notShown } },
      {
        name: 'a link for a class',
        params: { groups: ['engineers'], uses: 20, approve: true },
        result: { ...forClass, ...shown },
      },
    ],
    handler: (wanted, caller) => links.add(wanted, caller),
  }),
  method({
    name: 'invitations.list',
    effect: 'read',
    claim: ['proxy.users.write'],
    summary: 'List the invitations, newest first; those that are over for a month',
    params: Shape({ limit: Limit, cursor: Cursor }),
    result: Page(Invitation),
    examples: [{ params: {}, result: { items: [forClass], next_cursor: null } }],
    handler: (page) => invitations.list(page, (maker) => admission.mayInvite(maker)),
  }),
  method({
    ...write,
    name: 'invitations.resend',
    fresh: true,
    summary: 'Mail or show a new link of an invitation; the one before stops working',
    description:
      'It works as long as the first did. From now on it counts as made by you: its groups take your right.',
    params: InvitationId,
    result: NewInvitation,
    errors: ['not_found', 'conflict', 'already_exists', 'rate_limited'],
    examples: [{ params: { invitation: id }, result: { ...forClass, ...shown } }],
    handler: ({ invitation }, caller) => links.resend(invitation, caller),
  }),
  method({
    ...write,
    name: 'invitations.revoke',
    summary: 'Stop an invitation; nobody else comes by it',
    params: InvitationId,
    result: Type.Null(),
    errors: ['not_found'],
    examples: [{ params: { invitation: id }, result: null }],
    handler: async ({ invitation }) => {
      await invitations.revoke(invitation)
      return null
    },
  }),
  method({
    name: 'registrations.list',
    effect: 'read',
    claim: ['proxy.users.write'],
    summary: 'List the people whose registration awaits approval, oldest first',
    params: Shape({ limit: Limit, cursor: Cursor }),
    result: Page(WaitingRegistration),
    examples: [
      {
        params: {},
        result: {
          items: [
            {
              user: 'kay',
              display_name: 'Kay McNulty',
              email: 'kay@example.org',
              invitation: id,
              groups: ['engineers'],
              asked_at: 1795435200,
            },
          ],
          next_cursor: null,
        },
      },
    ],
    handler: (page) => requests.list(page),
  }),
  method({
    ...write,
    name: 'registrations.approve',
    fresh: true,
    summary: 'Approve registrations: the people may sign in, and get the groups of their invitation',
    description:
      'All of them or none. A group that the invitation gives takes your right to change its members; one whose members its maker may no longer change is not given.',
    params: Shape({ users: Users }),
    result: Shape({ items: Type.Array(Shape({ user: Username, groups: Type.Array(GroupSlug) })) }),
    errors: ['not_found'],
    target: ({ users }, result) =>
      (result?.items ?? users.map((user) => ({ user, groups: [] })))
        .map(({ user, groups }) => `user=${user} groups=${groups.join(',')}`)
        .join(' '),
    examples: [{ params: { users: ['kay'] }, result: { items: [{ user: 'kay', groups: ['engineers'] }] } }],
    handler: ({ users }, caller) => requests.approve(users, caller),
  }),
  method({
    ...write,
    name: 'registrations.refuse',
    summary: 'Refuse registrations: the accounts are removed, and their names are free again',
    params: Shape({ users: Users }),
    result: Type.Null(),
    errors: ['not_found'],
    target: ({ users }) => `users=${users.join(',')}`,
    examples: [{ params: { users: ['kay'] }, result: null }],
    handler: ({ users }, caller) => requests.refuse(users, caller),
  }),
]
