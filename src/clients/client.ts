import { Type, type Static } from '../contract/schema_builder.ts'
import { UploadedIcon } from '../contract/icons.ts'
import { ClaimMap } from './claim_map.ts'
import { ProofAge, ProofOption } from '../contract/proofs.ts'
import { tokenScopes } from '../contract/token_scopes.ts'
import {
  AskGroup,
  ClaimPattern,
  clientPattern,
  Id,
  Name,
  Named,
  Nullable,
  ProgramClaims,
  ServiceName,
  ShownName,
  Time,
} from '../contract/schemas.ts'

export const ClientName = Type.String({
  pattern: clientPattern.source,
  description: 'The client_id: 1 to 128 printable ASCII characters without spaces; not service:…',
})

/**
 * Scopes that describe users (OpenID Connect Core section 5.4, and two of ours), and scopes for what a program may do
 * on its own.
 */
export const userScopes = ['openid', 'email', 'profile', 'offline_access', 'groups', 'claims'] as const
export const programScopes = tokenScopes

const Scope = Type.Enum([...userScopes, ...programScopes])

export const grantTypes = ['authorization_code', 'client_credentials', 'device_code'] as const
export type GrantType = (typeof grantTypes)[number]

const Uris = (meaning: string) =>
  Type.Array(Type.String({ maxLength: 2000, pattern: '^[!-~]+$' }), {
    maxItems: 50,
    uniqueItems: true,
    description: meaning,
  })

/** The fields of a client that an administrator sets. */
export const clientFields = {
  name: Name('The name that users see'),
  redirect_uris: Uris(
    'Where users are redirected after signing in. Must match exactly, except that a native client may use any port on a loopback address (RFC 8252)',
  ),
  post_logout_redirect_uris: Uris('Where users may be redirected after signing out, matched in the same way'),
  grants: Type.Array(Type.Enum(grantTypes), { uniqueItems: true, minItems: 1, maxItems: 3 }),
  scopes: Type.Array(Scope, {
    uniqueItems: true,
    maxItems: 9,
    description: 'The scopes it may request: about users, and read, write or admin for its own tokens',
  }),
  claims: ProgramClaims,
  first_party: Type.Boolean({ description: 'One of your own applications: users are not asked for consent' }),
  pkce: Type.Boolean({
    description: 'Whether PKCE is required (RFC 7636, S256); it always is for public clients',
  }),
  service: Nullable(ServiceName),
  backchannel_logout_uri: Nullable(
    Type.String({
      maxLength: 2000,
      pattern: '^https?://[!-~]+$',
      description: 'Notified when a session ends',
    }),
  ),
  introspects: Uris(
    'Audiences (RFC 8707) whose access tokens it may introspect although another client got them, because it serves them; our public URL stands for tokens without one',
  ),
  start_url: Nullable(
    Type.String({
      maxLength: 2000,
      pattern: '^https?://[!-~]+$',
      description:
        'Where people begin to use it: with it, the application is in the list of what they may open',
    }),
  ),
  icon: Nullable(UploadedIcon),
  claim_map: ClaimMap,
  required_claims: Type.Array(ClaimPattern, {
    maxItems: 50,
    description:
      'Patterns, of which one must match a claim of the person who signs in; empty lets every active person in',
  }),
  proof: ProofOption,
  proof_age: ProofAge,
  session_max: Nullable(
    Type.Integer({
      minimum: 60,
      maximum: 34_560_000,
      description:
        'Seconds after a person proved who they are at which what was issued to the client ends, with a logout there; null sets no limit',
    }),
  ),
  ask_group: AskGroup,
  is_active: Type.Boolean(),
}

export const Client = Named('Client', {
  id: Id,
  client: ClientName,
  ...clientFields,
  anyone: Type.Boolean({
    description: 'Whether every active person may sign in to it: required_claims is empty',
  }),
  name: ShownName('The name that users see'),
  public: Type.Boolean({ description: 'Has no secret: runs in a browser or on a device' }),
  native: Type.Boolean({ description: 'Installed on a device (RFC 8252)' }),
  dynamic: Type.Boolean({ description: 'Registered itself (RFC 7591)' }),
  secrets: Type.Array(
    Type.Object({ created_at: Time, expires_at: Nullable(Time) }, { additionalProperties: false }),
    {
      description: 'When its secrets were created and when they expire; newest first',
    },
  ),
  has_jwks: Type.Boolean({ description: 'Authenticates with a key (private_key_jwt) instead of a secret' }),
  last_used_at: Type.Unsafe<number | null>({
    ...Nullable(Time),
    description: 'For a client that registered itself: when it last got a token, accurate to the day',
  }),
  created_at: Time,
  updated_at: Time,
})
export type Client = Static<typeof Client>

/** A client as the OpenID provider and other entry points read it. */
export interface ClientWithCredentials extends Client {
  readonly jwks: object | undefined
  /** Access tokens issued in this second or before are no longer valid. */
  readonly tokens_since: number
  readonly secret_hashes: readonly { readonly hash: string; readonly expires_at: number | null }[]
}
