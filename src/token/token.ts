import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Name, Named, Nullable, ServiceName, ShownName, Time, Username } from '../contract/schemas.ts'
import { tokenScopes } from '../contract/token_scopes.ts'

export const Scope = Type.Enum(tokenScopes, {
  description:
    'read: only methods that read, and requests with safe HTTP methods (RFC 9110); write: also those that change something; admin: also the claims admin, groups.admin and proxy.*, which are left out otherwise',
})

export const TokenName = Name('What the token is for')

/** A personal token for a program. Its value is shown only once. */
export const Token = Named('Token', {
  id: Id,
  user: Nullable(Username),
  service: Nullable(ServiceName),
  name: ShownName('What the token is for'),
  scope: Scope,
  created_at: Time,
  expires_at: Time,
  last_used_at: Nullable(Type.Integer({ description: 'Unix time in seconds, up to a minute old' })),
})
export type Token = Static<typeof Token>

export const Issued = Named('IssuedToken', {
  access_token: Type.String({ description: 'Send it as Authorization: Bearer. Shown only once' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds' }),
  scope: Type.String({
    description: 'read, write or admin; for a program all its scopes, separated by spaces',
  }),
  id: Type.String({
    description: 'Identifies the token when it is listed or revoked; in a JWT the claim jti',
  }),
})
export type Issued = Static<typeof Issued>

/** What `token.validate` returns. For an invalid token, only that it is invalid. */
export const Validation = Named('TokenValidation', {
  active: Type.Boolean(),
  kind: Type.Optional(
    Type.Enum(['session', 'personal', 'access'], {
      description:
        'session: from auth.login; personal: a personal token (hero_…); access: a JWT that every service can verify on its own',
    }),
  ),
  id: Type.Optional(Type.String()),
  sub: Type.Optional(
    Type.String({ description: 'The id of the user, client_id of the program, or service:NAME' }),
  ),
  username: Type.Optional(Username),
  client_id: Type.Optional(Type.String()),
  service: Type.Optional(ServiceName),
  scope: Type.Optional(Type.String()),
  claims: Type.Optional(Type.Array(Type.String())),
  context: Type.Optional(Type.Integer()),
  aud: Type.Optional(Type.String()),
  exp: Type.Optional(Time),
  acr: Type.Optional(
    Type.String({
      description: 'How strongly the person had proved who they are (OpenID Connect Core section 2)',
    }),
  ),
  amr: Type.Optional(Type.Array(Type.String(), { description: 'How: authentication methods (RFC 8176)' })),
  auth_time: Type.Optional(Type.Integer({ description: 'When, in Unix seconds; 0 if that is not known' })),
})
export type Validation = Static<typeof Validation>
