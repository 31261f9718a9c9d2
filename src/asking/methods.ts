import type { Caller } from '../contract/caller.ts'
import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Cursor, Id, Limit, Page, Shape, Time } from '../contract/schemas.ts'
import type { AccessRequests } from './access_requests.ts'
import type { Deciding } from './deciding.ts'
import { AccessRequest, Answer, Reason } from './request.ts'

const Token = Type.String({
  maxLength: 1000,
  pattern: '^[A-Za-z0-9_.-]+$',
  description: 'The sealed token of a page that refused you',
})

export const exampleRequest: AccessRequest = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4aa1',
  user: 'grace',
  group: 'engineers',
  title: 'The wiki',
  address: 'https://wiki.example.org/',
  reason: 'I write the manual',
  state: 'open',
  answer: '',
  created_at: 1795435200,
  expires_at: 1796644800,
  decided_at: null,
  ends_at: null,
  gives: null,
}

const everywhere = { service: null, context: null }
const gives = {
  opens: [{ title: 'The wiki', address: 'https://wiki.example.org/' }],
  claims: ['engineers.tickets.read', 'groups.engineers', 'wiki.pages.write'].map((claim) => ({
    claim,
    ...everywhere,
  })),
  administers: false,
}

const decides = {
  effect: 'write',
  claim: ['proxy.groups.write', 'groups.{request}.admin'],
  fresh: true,
  result: AccessRequest,
  errors: ['not_found', 'conflict'],
} as const

const targetOf = ({ request }: { readonly request: string }, result: AccessRequest | undefined): string =>
  result ? `group=${result.group} user=${result.user} request=${request}` : `request=${request}`

/** Whose requests a list shows, if the call does not say: a person’s own. */
const whoseOf = ({ kind }: Caller, whose: 'mine' | 'others' | undefined) =>
  whose ?? (kind === 'user' ? 'mine' : 'others')

export const requestMethods = (requests: AccessRequests, deciding: Deciding) => [
  method({
    name: 'requests.list',
    summary: 'List your own requests for access, or those that you may decide',
    description:
      '`mine` lists your own, for a week after they were decided; `others` the open ones of groups that you administer, or all with proxy.groups.write, each with everything that the membership gives.',
    effect: 'read',
    claim: 'self',
    params: Shape({
      whose: Type.Optional(Type.Enum(['mine', 'others'], { description: 'By default mine, for a person' })),
      limit: Limit,
      cursor: Cursor,
    }),
    result: Page(AccessRequest),
    examples: [
      { params: { whose: 'others' }, result: { items: [{ ...exampleRequest, gives }], next_cursor: null } },
    ],
    handler: ({ whose, ...page }, caller) =>
      whoseOf(caller, whose) === 'others'
        ? deciding.list(caller, page)
        : requests.own(caller.user_id ?? '', page),
  }),
  method({
    name: 'requests.add',
    summary: 'Ask for access to a service or an application that refused you',
    description:
      'The page that refuses a person has the token, if the route or client names a group in `ask_group`. One open request for each place, five in all, and none for a week after a refusal. A request can be decided for 14 days.',
    effect: 'write',
    claim: 'self',
    params: Shape({ token: Token, reason: Type.Optional(Reason) }),
    result: AccessRequest,
    errors: ['conflict'],
    target: (_, result) => (result ? `request=${result.id} place=${JSON.stringify(result.title)}` : ''),
    examples: [
      {
        params: { token: 'v1.c2VhbGVk', reason: 'I write the manual' },
        result: {
          ...exampleRequest,
          user: 'ada',
          group: null,
          title: 'Wiki',
          address: 'http://wiki.localhost:9997/',
        },
      },
    ],
    handler: ({ token, reason = '' }, caller) => requests.add(caller, token, reason),
  }),
  method({
    name: 'requests.withdraw',
    summary: 'Take back a request of your own that is not decided',
    effect: 'write',
    claim: 'self',
    params: Shape({ request: Id }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    target: ({ request }) => `request=${request}`,
    examples: [{ params: { request: exampleRequest.id }, result: null }],
    handler: ({ request }, caller) => requests.withdraw(caller, request),
  }),
  method({
    ...decides,
    name: 'requests.approve',
    summary: 'Make the person who asks a member of the group, until a time',
    description:
      'As groups.add_member, by an administrator of the group or proxy.groups.write, and only by the latter if the group asks for a `proof`; never by the person who asks. Without `ends_at` the membership ends after the setting request_days. A longer one is not shortened. Other requests of the person for the group are approved too.',
    params: Shape({ request: Id, ends_at: Type.Optional(Time) }),
    target: targetOf,
    examples: [
      {
        params: { request: exampleRequest.id, ends_at: 4102444800 },
        result: {
          ...exampleRequest,
          state: 'approved',
          decided_at: 1795438800,
          ends_at: 4102444800,
        },
      },
    ],
    handler: ({ request, ends_at }, caller) => deciding.approve(caller, request, ends_at),
  }),
  method({
    ...decides,
    name: 'requests.refuse',
    summary: 'Refuse a request for access, with a reason for the person who asks',
    params: Shape({ request: Id, reason: Type.Optional(Answer) }),
    target: targetOf,
    examples: [
      {
        params: { request: exampleRequest.id, reason: 'Ask your team first' },
        result: {
          ...exampleRequest,
          state: 'refused',
          answer: 'Ask your team first',
          decided_at: 1795438800,
        },
      },
    ],
    handler: ({ request, reason = '' }, caller) => deciding.refuse(caller, request, reason),
  }),
]
