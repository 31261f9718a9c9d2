import { Type } from '../contract/schema_builder.ts'
import type { Claims } from '../claims/claims.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { AppError, invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Email, Line, Named, Nothing, Password, Shape, Username } from '../contract/schemas.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Users } from '../users/users.ts'
import { Me } from './me.ts'
import { signedInTarget } from './signed_in.ts'
import { refuseWhileImpersonating } from '../contract/caller.ts'
import type { EmailFlows } from './email_flows.ts'
import type { Setup } from './setup.ts'
import type { SignIn } from './sign_in.ts'

export const SignedIn = Named('SignedIn', {
  access_token: Type.String({ description: 'Opaque; send it as Authorization: Bearer. Shown once' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds' }),
  refresh_token: Type.Optional(
    Type.String({ description: 'For programs: renews the session once, at auth.refresh' }),
  ),
  remembered: Type.Optional(
    Type.Boolean({
      description: 'For pages of home: whether the browser keeps the sign-in when it is closed',
    }),
  ),
  trusted_browser: Type.Optional(
    Shape({
      value: Type.String({
        description: 'For pages of home: the next value of the cookie of a trusted browser',
      }),
      expires_in: Type.Integer({ description: 'Seconds' }),
    }),
  ),
  user: Username,
})

export const signedIn = {
  access_token: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE',
  token_type: 'Bearer' as const,
  expires_in: 86400,
  refresh_token: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hQ',
  user: 'ada',
}

export const wrongCurrentPassword = () =>
  new AppError('unauthenticated', 'The current password is wrong', { reason: 'wrong_current_password' })

interface Parts {
  readonly users: Users
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly claims: Claims
  readonly signIn: SignIn
  readonly flows: EmailFlows
  readonly setup: Setup
}

export const authMethods = ({
  users,
  credentials,
  attempts,
  sessions,
  claims,
  signIn,
  flows,
  setup,
}: Parts) => [
  method({
    name: 'auth.setup',
    summary: 'Create the first administrator and sign in; refused once there is one',
    description:
      'Call it as the operator over the socket, or with the token of the link that the daemon printed at its first start.',
    effect: 'write',
    claim: null,
    params: Shape({
      username: Username,
      email: Email,
      password: Password,
      token: Type.Optional(
        Type.String({ maxLength: 100, description: 'From the link that the daemon printed' }),
      ),
    }),
    result: SignedIn,
    errors: ['conflict', 'unauthenticated', 'already_exists', 'rate_limited'],
    examples: [
      {
        params: { username: 'ada', email: 'ada@example.org', password: 'mosaic-lantern-42-orbit' },
        result: signedIn,
      },
    ],
    prepare: async ({ username, email, password, token }, caller) => {
      await setup.assertAllowed(caller, token)
      return credentials.hash(password, [username, email])
    },
    handler: async ({ username, email, token }, caller, hash) => {
      await setup.close(caller, token)
      const user = await users.addFirstAdministrator({ username, email })
      await credentials.store(user.id, hash)
      return signIn.open(user.id, 'setup', caller)
    },
  }),
  method({
    name: 'auth.login',
    summary: 'Sign in with username or email and password',
    description:
      'People with a second factor get factor_required: continue with auth.login_by_code and its `data.sign_in`.',
    effect: 'write',
    claim: null,
    params: Shape({ login: Line('Username or email', 254), password: Password }),
    result: SignedIn,
    errors: ['unauthenticated', 'factor_required', 'rate_limited'],
    aliases: ['login'],
    examples: [{ params: { login: 'ada', password: 'mosaic-lantern-42-orbit' }, result: signedIn }],
    prepare: ({ login, password }, caller) => signIn.verifyPassword(login, password, caller),
    target: (_, result) => signedInTarget(result),
    handler: (_, caller, proven) => signIn.openByPassword(proven, caller),
  }),
  method({
    name: 'auth.logout',
    summary: 'Sign out: end this session',
    effect: 'write',
    claim: 'self',
    params: Nothing,
    result: Type.Null(),
    errors: ['conflict'],
    examples: [{ params: {}, result: null }],
    handler: async (_, caller) => {
      if (caller.session_id === undefined)
        throw new AppError('conflict', 'This call was made without a session')
      await sessions.revoke(caller.session_id, 'logout')
      return null
    },
  }),
  method({
    name: 'auth.me',
    summary: 'Return who is calling, and with which claims',
    effect: 'read',
    claim: 'self',
    near: true,
    params: Nothing,
    result: Me,
    examples: [
      {
        name: 'the operator on the socket',
        params: {},
        result: {
          kind: 'operator',
          user: null,
          display_name: null,
          email: null,
          context: null,
          claims: [],
          impersonating: null,
          provider: null,
        },
      },
    ],
    handler: async (_, caller) => {
      const { kind, name, networkUser: near, on_behalf = null } = caller
      const user_id = near?.user_id ?? caller.user_id
      const nobody = { display_name: null, email: null, context: null, impersonating: null, provider: null }
      if (kind === 'service' || kind === 'client')
        return { kind, user: name, ...nobody, claims: [...caller.claims].sort() }
      if (user_id === undefined) return { kind: 'operator' as const, user: null, ...nobody, claims: [] }
      const { username, display_name, email, context } = await users.get({ id: user_id })
      const held = near ? ((await claims.of(user_id)) ?? []) : [...caller.claims].sort()
      return {
        kind: 'user' as const,
        user: username,
        display_name,
        email,
        context,
        claims: [...held],
        impersonating: on_behalf,
        provider: near ? 'network' : (caller.provider ?? null),
      }
    },
  }),
  method({
    name: 'auth.set_password',
    summary: "Set a password; the user's other sessions end",
    description:
      "To set your own password, also give your current one. Setting another user's password needs proxy.users.write, an administrator's needs proxy.admin.",
    effect: 'write',
    claim: ['proxy.users.write', 'users.{user?}'],
    fresh: true,
    params: Shape({
      password: Password,
      user: Type.Optional(Username),
      current_password: Type.Optional(Password),
    }),
    result: Type.Null(),
    errors: ['not_found', 'unauthenticated', 'rate_limited'],
    examples: [{ params: { user: 'grace', password: 'velvet-harbor-93-comet' }, result: null }],
    prepare: async ({ user: named, password, current_password }, caller) => {
      refuseWhileImpersonating(caller)
      const own =
        named === undefined || (caller.kind === 'user' && named.toLowerCase() === caller.name.toLowerCase())
      if (own && caller.user_id === undefined)
        throw invalidParams('user', 'a username; only a signed-in user can leave it out')
      const user = own ? await users.get({ id: caller.user_id! }) : await users.guard(named, caller)
      let proof: string | undefined
      if (own) {
        if (current_password === undefined) throw invalidParams('current_password', 'your current password')
        const counted = await attempts.count({ userId: user.id }, caller.address)
        proof = await signIn.verifyCounted(user.id, current_password, counted)
        if (proof !== undefined) await attempts.succeeded(counted)
        if (proof === undefined) throw wrongCurrentPassword()
      }
      return {
        user,
        proof,
        hash: await credentials.hash(password, [user.username, user.email ?? '', user.display_name]),
      }
    },
    handler: async (_, caller, { user, proof, hash }) => {
      // Check again inside the transaction: the user may have become an administrator, or the password may have changed.
      await users.guard(user.username, caller)
      if (proof !== undefined && !(await credentials.isStillCurrent(user.id, proof)))
        throw wrongCurrentPassword()
      await credentials.store(user.id, hash)
      await flows.passwordChanged(user.id, caller)
      return null
    },
  }),
]
