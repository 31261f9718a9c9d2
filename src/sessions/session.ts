import { anotherDevice } from '../contract/caller.ts'
import { revocationReasons } from '../contract/reactions.ts'
import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Named, Nullable, Time, Username } from '../contract/schemas.ts'

/** Our own authentication methods. A session names one of them, or the provider that opened it. */
export const ownSignInMethods = ['password', 'setup', 'magic_link', 'passkey', anotherDevice] as const
export type OwnSignInMethod = (typeof ownSignInMethods)[number]

/** Whether an identity provider authenticated the user. */
export const openedByProvider = ({ provider }: { readonly provider: string }): boolean =>
  !(ownSignInMethods as readonly string[]).includes(provider)

export const Session = Named('Session', {
  id: Id,
  user: Username,
  kind: Type.Enum(['cookie', 'token'], {
    description: 'cookie: a browser signed in; token: a program signed in',
  }),
  provider: Type.String({
    description:
      'How the user signed in: password, setup, magic_link, passkey, another_device, or the name of a provider',
  }),
  address: Type.String(),
  user_agent: Type.String(),
  factor: Type.Enum(['', 'totp', 'recovery', 'passkey'], {
    description: 'The second factor that was verified',
  }),
  proven_at: Type.Integer({
    description: 'When the person last proved who they are, in Unix seconds; 0 if the time is unknown',
  }),
  second_at: Type.Integer({ description: 'When they last did so with a second factor; 0 for never' }),
  passkey_at: Type.Integer({ description: 'When they last did so with a passkey; 0 for never' }),
  created_at: Time,
  last_used_at: Type.Integer({ description: 'Unix time in seconds, up to a minute old' }),
  expires_at: Time,
  current: Type.Boolean({ description: 'Whether this call uses this session' }),
  remembered: Type.Boolean({
    description: 'Whether its person asked to stay signed in in this browser (remember_days)',
  }),
  by_another_device: Type.Boolean({
    description:
      'Whether another device of its person opened it (auth.approve_elsewhere). It proves nothing, and lasts 12 hours at most',
  }),
  hosts: Type.Array(Type.String(), {
    description: 'The hosts of services that this sign-in has opened, in alphabetical order',
  }),
})
export type Session = Static<typeof Session>

/** What was revoked: one session, one token, or all access tokens of a client. */
export const Revocation = Named('Revocation', {
  seq: Type.Integer({ minimum: 1, description: 'Rises with every revocation, across all nodes' }),
  session_id: Nullable(Id),
  token_id: Nullable(
    Type.String({
      description: 'The id of a revoked token, or the jti of a revoked JWT; session_id is null then',
    }),
  ),
  client: Nullable(
    Type.String({
      description:
        'A client_id whose tokens were all revoked: those issued in this second or before are no longer valid',
    }),
  ),
  user: Nullable(Username),
  reason: Type.Enum(revocationReasons, {
    description:
      'logout: signed out; revoked: ended by sessions.revoke, revoke_all or token.revoke, or with its client; password: the password was changed elsewhere; factors: a first second factor was added elsewhere, or all were cleared; idle: unused for session_idle; reused: a refresh token was used twice; deactivated, removed: this happened to the account',
  }),
  at: Time,
})
export type Revocation = Static<typeof Revocation>
