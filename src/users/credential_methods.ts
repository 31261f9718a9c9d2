import { Type, type Static, type TProperties } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import {
  Cursor,
  Id,
  Limit,
  Line,
  Named,
  Nullable,
  Page,
  Shape,
  ShownName,
  Text,
  Time,
  Username,
} from '../contract/schemas.ts'
import type { UserCredentials, Table } from './user_credentials.ts'

const owned = <P extends TProperties>(title: string, properties: P) =>
  Named(title, { id: Id, user: Username, ...properties, created_at: Time })

const Network = Type.String({ maxLength: 60, description: 'An address or CIDR range' })
const Pubkey = Type.String({
  pattern: '^[0-9a-fA-F]{66}([0-9a-fA-F]{64})?$',
  description: 'secp256k1, hex, 33 or 65 bytes',
})
const Provider = Line('Name of an identity provider', 64)
const Subject = Line("The account's stable id at the provider", 255)
const Note = Text('A note for people', 200)

const UserNetwork = owned('UserNetwork', { network: Network, description: ShownName('A note for people') })
const UserKey = owned('UserKey', { pubkey: Pubkey, description: ShownName('A note for people') })
export const UserIdentity = owned('UserIdentity', {
  provider: Provider,
  subject: Subject,
  login: Type.String({
    description: 'The account name at the provider, as of the last sign-in; empty if unknown',
  }),
  avatar_url: Type.String({ description: 'URL of the avatar at the provider; empty if unknown' }),
  last_used_at: Nullable(Time),
})

const read = { effect: 'read', claim: ['proxy.users.read', 'users.{user}'], errors: ['not_found'] } as const
const write = { effect: 'write', claim: ['proxy.users.write'] } as const
const listed = Shape({ user: Username, limit: Limit, cursor: Cursor })
const named = Shape({ user: Username, id: Id })

const example = { id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a61', user: 'grace', created_at: 1795435200 }
const network = { ...example, network: '192.168.7.0/24', description: 'At home' }
const key = {
  ...example,
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a62',
  pubkey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  description: 'Laptop',
}
export const exampleIdentity = {
  ...example,
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a63',
  provider: 'forge',
  subject: '1906',
  login: '',
  avatar_url: '',
  last_used_at: null as number | null,
}
const identity = exampleIdentity

/** After a removal, the audit log is the only record of what was removed. */
const target = ({ user, id }: Static<typeof named>, _: unknown, name: string | undefined) =>
  `user=${user} ${name ?? ''}id=${id}`

const removal = (
  what: string,
  id: string,
  name: `users.${string}.remove`,
  { belongings, table }: { belongings: UserCredentials; table: Table },
) =>
  method({
    ...write,
    name,
    summary: `Remove ${what} of a user`,
    params: named,
    result: Type.Null(),
    errors: ['not_found'],
    target,
    prepare: (params) => belongings.nameOf(table, params),
    examples: [{ params: { user: 'grace', id }, result: null }],
    handler: ({ user, id }, caller) => belongings.remove(table, user, id, caller),
  })

export const credentialMethods = (belongings: UserCredentials) => [
  method({
    ...read,
    name: 'users.networks.list',
    summary: 'List the networks from which a user is recognised without signing in',
    params: listed,
    result: Page(UserNetwork),
    examples: [{ params: { user: 'grace' }, result: { items: [network], next_cursor: null } }],
    handler: ({ user, ...page }) => belongings.listNetworks(user, page),
  }),
  method({
    ...write,
    name: 'users.networks.add',
    fresh: true,
    summary: 'Recognise a user by network, on routes that accept networks; the longest matching prefix wins',
    params: Shape({ user: Username, network: Network, description: Type.Optional(Note) }),
    result: UserNetwork,
    errors: ['not_found', 'already_exists'],
    examples: [
      {
        params: { user: 'grace', network: 'fd00:7::/64' },
        result: { ...network, network: 'fd00:7::/64', description: '' },
      },
    ],
    handler: ({ user, network, description = '' }, caller) =>
      belongings.addNetwork(user, network, description, caller),
  }),
  removal('a network', network.id, 'users.networks.remove', { belongings, table: 'user_networks' }),
  method({
    ...read,
    name: 'users.keys.list',
    summary: 'List the public keys that a user signs requests with',
    params: listed,
    result: Page(UserKey),
    examples: [{ params: { user: 'grace' }, result: { items: [key], next_cursor: null } }],
    handler: ({ user, ...page }) => belongings.listKeys(user, page),
  }),
  method({
    ...write,
    name: 'users.keys.add',
    fresh: true,
    summary: 'Add a public key that a user signs requests with',
    params: Shape({ user: Username, pubkey: Pubkey, description: Type.Optional(Note) }),
    result: UserKey,
    errors: ['not_found', 'already_exists'],
    examples: [
      {
        params: {
          user: 'grace',
          pubkey: '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
        },
        result: {
          ...key,
          pubkey: '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
          description: '',
        },
      },
    ],
    handler: ({ user, pubkey, description = '' }, caller) =>
      belongings.addKey(user, pubkey, description, caller),
  }),
  removal('a public key', key.id, 'users.keys.remove', { belongings, table: 'user_keys' }),
  method({
    ...read,
    name: 'users.identities.list',
    summary: 'List the provider identities that are linked to a user',
    params: listed,
    result: Page(UserIdentity),
    examples: [{ params: { user: 'grace' }, result: { items: [identity], next_cursor: null } }],
    handler: ({ user, ...page }) => belongings.listIdentities(user, page),
  }),
  method({
    ...write,
    name: 'users.identities.add',
    fresh: true,
    summary: 'Link a provider identity to a user',
    params: Shape({ user: Username, provider: Provider, subject: Subject }),
    result: UserIdentity,
    errors: ['not_found', 'already_exists'],
    examples: [
      {
        params: { user: 'grace', provider: 'github', subject: '583231' },
        result: { ...identity, provider: 'github', subject: '583231' },
      },
    ],
    handler: ({ user, provider, subject }, caller) => belongings.addIdentity(user, provider, subject, caller),
  }),
  method({
    effect: 'write',
    claim: ['proxy.users.write', 'users.{user}'],
    fresh: true,
    name: 'users.identities.remove',
    summary: 'Unlink an identity; this ends its sessions and removes the memberships its provider added',
    description: 'Users may unlink their own identities, but never their last way to sign in.',
    params: named,
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    target,
    prepare: (params) => belongings.nameOf('user_identities', params),
    examples: [{ params: { user: 'grace', id: identity.id }, result: null }],
    handler: ({ user, id }, caller) => belongings.removeIdentity(user, id, caller),
  }),
]
