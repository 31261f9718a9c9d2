import { revocationReasons } from '../contract/reactions.ts'
import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Named, Nullable, Time, Username } from '../contract/schemas.ts'

/** The ways to prove oneself that are ours; a session says one of them, or the name of the provider that opened it. */
export const ownWays = ['password', 'setup', 'magic_link', 'passkey'] as const
export type OwnWay = (typeof ownWays)[number]

/** Whether somebody else vouched for the person: an identity provider, by its name. */
export const openedByProvider = ({ provider }: { readonly provider: string }): boolean =>
  !(ownWays as readonly string[]).includes(provider)

export const Session = Named('Session', {
  id: Id,
  user: Username,
  kind: Type.Enum(['cookie', 'token'], {
    description: 'cookie: a browser signed in here; token: a program did',
  }),
  provider: Type.String({
    description: 'How the person signed in: password, setup, magic_link, passkey, or the name of a provider',
  }),
  address: Type.String(),
  user_agent: Type.String(),
  factor: Type.Enum(['', 'totp', 'recovery', 'passkey'], {
    description: 'What was proved in addition to the password or mail',
  }),
  created_at: Time,
  last_used_at: Type.Integer({ description: 'Unix time in seconds, up to a minute old' }),
  expires_at: Time,
  current: Type.Boolean({ description: 'The session of this call' }),
})
export type Session = Static<typeof Session>

/** What ended before its time: one session, one token, or all access tokens of a client. */
export const Revocation = Named('Revocation', {
  seq: Type.Integer({ minimum: 1, description: 'Rises with every revocation, on all nodes together' }),
  session_id: Nullable(Id),
  token_id: Nullable(
    Type.String({
      description: 'For a revoked token: its id, or the jti of a JWT. There is no session then',
    }),
  ),
  client: Nullable(
    Type.String({
      description:
        'A client_id whose tokens all ended: those issued in this second or before are no longer valid',
    }),
  ),
  user: Nullable(Username),
  reason: Type.Enum(revocationReasons, {
    description:
      'logout: signed out; revoked: ended by sessions.revoke, revoke_all or token.revoke, or with its client; password: the password was changed elsewhere; factors: a first second factor was added elsewhere, or all were cleared; idle: unused for session_idle; reused: a refresh token came twice; deactivated, removed: the account was',
  }),
  at: Time,
})
export type Revocation = Static<typeof Revocation>
