import { Type } from '../contract/schema_builder.ts'
import { AttributeChanges, type AttributeValues } from '../contract/attribute_values.ts'
import { refuseByAnotherDevice, type Caller } from '../contract/caller.ts'
import { method } from '../contract/method.ts'
import {
  Context,
  Cursor,
  Email,
  Id,
  Limit,
  Line,
  Nullable,
  Page,
  Password,
  Shape,
  Username,
} from '../contract/schemas.ts'
import { ada, grace } from './examples.ts'
import { DisplayName, EndsAt, ExternalId, User } from './user.ts'
import { hasEnded } from '../storage/schema.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Users } from './users.ts'

/** What this folder needs from the passwords folder. */
interface Passwords {
  /** Checks and hashes; slow. Throws invalid_params for a password that is too short, too long or guessable. */
  hash(password: string, names: readonly string[]): Promise<string>
  store(userId: string, hash: string): Promise<void>
}

/** What this folder needs from the attributes folder. */
interface Attributes {
  of(userId: string): AttributeValues | Promise<AttributeValues>
  /** Throws for what the caller may not say, or nobody. */
  set(userId: string, values: AttributeChanges, caller: Caller): Promise<void>
}

/** What this folder needs from the sessions folder. */
interface Sessions {
  revokeAll(userId: string, reason: 'deactivated' | 'removed'): Promise<number>
}

/** To services and other programs, an account that nobody has confirmed does not exist. */
const isProgram = ({ kind }: Caller): boolean => kind === 'service' || kind === 'client'

export const userMethods = (
  users: Users,
  passwords: Passwords,
  sessions: Sessions,
  attributes: Attributes,
) => {
  /** Adds the attributes of a person who has some. */
  const whole = (user: User): User | Promise<User> =>
    whenReady(attributes.of(user.id), (values) =>
      Object.keys(values).length === 0 ? user : { ...user, attributes: values },
    )
  return [
    method({
      name: 'users.list',
      summary: 'List the users, ordered by username',
      effect: 'read',
      claim: ['proxy.users.read'],
      params: Shape({
        search: Type.Optional(
          Line(
            'Part of the username, email or display name, in any case; a search of fewer than three letters matches only the beginning',
          ),
        ),
        is_active: Type.Optional(Type.Boolean()),
        is_admin: Type.Optional(Type.Boolean()),
        limit: Limit,
        cursor: Cursor,
      }),
      result: Page(User),
      examples: [{ params: { search: 'gra' }, result: { items: [grace], next_cursor: null } }],
      handler: (params, caller) => users.list(params, { confirmed: isProgram(caller) }),
    }),
    method({
      name: 'users.get',
      summary: 'Return one user, given exactly one of username, email, external_id and id',
      effect: 'read',
      claim: ['proxy.users.read', 'users.{username}'],
      params: Shape({
        username: Type.Optional(Username),
        email: Type.Optional(Email),
        external_id: Type.Optional(ExternalId),
        id: Type.Optional(Id),
      }),
      result: User,
      errors: ['not_found'],
      examples: [
        { params: { username: 'ada' }, result: ada },
        { name: 'by email, in any case', params: { email: 'Grace@example.org' }, result: grace },
      ],
      handler: (lookup, caller) =>
        whenReady(isProgram(caller) ? users.getConfirmed(lookup) : users.get(lookup), whole),
    }),
    method({
      name: 'users.add',
      summary: 'Add a user',
      description: 'Without a password, the user cannot sign in with one until it is set.',
      effect: 'write',
      claim: ['proxy.users.write'],
      fresh: true,
      params: Shape({
        username: Username,
        email: Type.Optional(Nullable(Email)),
        display_name: Type.Optional(DisplayName),
        external_id: Type.Optional(Nullable(ExternalId)),
        password: Type.Optional(Password),
        is_admin: Type.Optional(Type.Boolean({ description: 'Requires the claim proxy.admin' })),
        context: Type.Optional(Context),
      }),
      result: User,
      errors: ['already_exists', 'rate_limited'],
      examples: [
        {
          params: { username: 'joan', email: 'joan@example.org', password: 'mosaic-lantern-42-orbit' },
          result: {
            ...ada,
            username: 'joan',
            display_name: 'joan',
            email: 'joan@example.org',
            external_id: null,
            is_admin: false,
          },
        },
      ],
      prepare: async ({ password, username, email, display_name }) =>
        password === undefined
          ? undefined
          : passwords.hash(password, [username, email ?? '', display_name ?? '']),
      handler: async ({ password: _, ...fields }, caller, hash) => {
        const user = await users.add(fields, caller)
        if (hash !== undefined) await passwords.store(user.id, hash)
        return user
      },
    }),
    method({
      name: 'users.update',
      description:
        'With `ends_at` the account ends at that time, as if it were switched off then; a week before, a mail tells the person. Administrators have no end.',
      summary:
        'Change fields of a user; users may change their own display_name and the attributes that are theirs to say',
      effect: 'write',
      claim: ['proxy.users.write', 'users.{username}'],
      fresh: (params) =>
        Object.keys(params).some((key) => !['username', 'display_name', 'attributes'].includes(key)),
      params: Shape({
        username: Username,
        display_name: Type.Optional(DisplayName),
        email: Type.Optional(Nullable(Email)),
        external_id: Type.Optional(Nullable(ExternalId)),
        is_active: Type.Optional(Type.Boolean()),
        is_admin: Type.Optional(Type.Boolean({ description: 'Requires the claim proxy.admin' })),
        context: Type.Optional(Context),
        ends_at: Type.Optional(Nullable(EndsAt)),
        attributes: Type.Optional(AttributeChanges),
      }),
      result: User,
      errors: ['not_found', 'already_exists', 'conflict'],
      target: ({ username, email, attributes: said = {}, ...fields }) =>
        [
          `username=${username}`,
          ...(['is_active', 'is_admin', 'context', 'ends_at'] as const)
            .filter((name) => fields[name] !== undefined)
            .map((name) => `${name}=${fields[name]}`),
          // An address is another way to sign in, but the address itself is private.
          ...(email === undefined ? [] : ['email']),
          ...Object.keys(said).map((name) => `attribute=${name}`),
        ].join(' '),
      examples: [
        {
          params: { username: 'grace', display_name: 'Rear Admiral Hopper' },
          result: { ...grace, display_name: 'Rear Admiral Hopper' },
        },
        {
          name: 'an account for a year',
          params: { username: 'grace', ends_at: 1826971200 },
          result: { ...grace, ends_at: 1826971200 },
        },
      ],
      handler: async ({ username, attributes: said, ...fields }, caller) => {
        refuseByAnotherDevice(caller)
        const before = await users.get({ username })
        const user = await users.update(username, fields, caller)
        if (said) await attributes.set(user.id, said, caller)
        // Otherwise the sessions would become valid again when the user is reactivated.
        if (fields.is_active === false || [before, user].some((one) => hasEnded(one)))
          await sessions.revokeAll(user.id, 'deactivated')
        return whole(user)
      },
    }),
    method({
      name: 'users.remove',
      summary: 'Remove a user with all memberships, sessions and credentials; the username is never reused',
      effect: 'write',
      claim: ['proxy.users.write'],
      fresh: true,
      params: Shape({ username: Username }),
      result: Type.Null(),
      errors: ['not_found', 'conflict'],
      aliases: ['users.delete'],
      examples: [{ params: { username: 'grace' }, result: null }],
      handler: async ({ username }, caller) => {
        const { id } = await users.guard(username, caller)
        // Revoke the sessions first: once the account is gone, nothing shows whose they were.
        await sessions.revokeAll(id, 'removed')
        return users.remove(username, caller)
      },
    }),
  ]
}
