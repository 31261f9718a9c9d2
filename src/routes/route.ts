import { Type, type Static } from '../type.ts'
import { ClaimPattern, Id, Line, Named, Nullable, ServiceName, Time } from '../schemas.ts'

export const authModes = ['none', 'optional', 'bearer', 'oauth', 'local', 'signature'] as const
export type AuthMode = (typeof authModes)[number]

export const Domain = Type.String({
  maxLength: 253,
  pattern:
    '^(\\*\\.)?[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$',
  description: 'A host name without a port, or *.suffix for exactly one label before the suffix',
})

export const PathPrefix = Type.String({
  maxLength: 500,
  pattern: '^/((?!\\.{1,2}(/|$))[a-zA-Z0-9._~-]+(/(?!\\.{1,2}(/|$))[a-zA-Z0-9._~-]+)*)?$',
  description:
    'A path such as / or /wiki: plain segments of letters, digits, ".", "_", "~", "-", no slash at the end',
})

export const Target = Type.String({
  maxLength: 500,
  pattern:
    '^(http://([a-zA-Z0-9.-]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}|unix:/[^\\u0000-\\u001f\\u007f]{1,107})$',
  description: 'http://host:port or unix:/path.sock',
})

export const AuthModeName = Type.Enum(authModes, {
  description:
    'none: everybody passes, as guest; optional: who is signed in is told, others are guests; bearer: programs with a token; oauth: people whom a provider signed in; local: people who are signed in; signature: requests signed with a key of users.keys',
})

export const RequiredClaims = Type.Array(ClaimPattern, {
  maxItems: 50,
  description: 'Patterns of which one suffices; empty asks for nothing',
})

export const Audience = Type.String({
  maxLength: 200,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'Audience of X-Hero-Assertion, such as the URL of the service; null sends no assertion',
})

export const EmailPattern = Type.String({
  maxLength: 254,
  pattern: "^(\\*|[a-zA-Z0-9.!#$%&'+/=?^_`{|}~-]{1,64})@[a-zA-Z0-9.-]{1,253}$",
  description: 'An address, or *@domain for every address of exactly this domain',
})

const HealthPath = Type.String({
  maxLength: 500,
  pattern: '^/[\\x21\\x22\\x24-\\x5b\\x5d-\\x7e]*$',
  description: 'Path that each upstream answers with 2xx or 3xx while it is well, asked every few seconds',
})

const Timeout = (meaning: string) =>
  Type.Integer({ minimum: 1, maximum: 3600, description: `${meaning}, in seconds: 1 to 3600` })

export const routeFields = {
  target: Target,
  auth_mode: AuthModeName,
  strip_prefix: Type.Boolean({
    description: 'Take path_prefix off before forwarding and send it as X-Forwarded-Prefix',
  }),
  service: Nullable(ServiceName),
  required_claims: RequiredClaims,
  audience: Nullable(Audience),
  preserve_host: Type.Boolean({
    description: 'Send the Host that the client asked for; otherwise the one of the target',
  }),
  enabled: Type.Boolean(),
  connect_timeout: Timeout('How long a connection to the upstream may take to open'),
  response_timeout: Timeout('How long the upstream may be silent'),
  more_targets: Type.Array(Target, {
    maxItems: 31,
    description:
      'Further upstreams that serve the same: requests go round, and pass by one that does not answer',
  }),
  health_path: Nullable(HealthPath),
  allowed_emails: Type.Array(EmailPattern, {
    maxItems: 200,
    description: 'Patterns of which one must match the address of whoever passes; empty asks for nothing',
  }),
  provider: Nullable(
    Line('Where auth_mode is oauth: the one provider whose sessions count; null takes any', 64),
  ),
  provider_token: Nullable(
    Line(
      'The provider whose kept access token goes to the service as X-Proxy-Provider-Token; null sends none',
      64,
    ),
  ),
  max_body: Nullable(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Bytes that the body of a request may have; null sets no limit',
    }),
  ),
}

export const BearerToken = Type.String({
  pattern: '^[A-Za-z0-9._~+/-]{32,256}=*$',
  description:
    'A static token for auth_mode bearer: 32 characters or more; it is kept as a hash and never shown',
})

export const Route = Named('Route', {
  id: Id,
  domain: Domain,
  path_prefix: PathPrefix,
  ...routeFields,
  bearer_token_set: Type.Boolean(),
  created_at: Time,
  updated_at: Time,
})
export type Route = Static<typeof Route>
