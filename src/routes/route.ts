import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Named, segmentPattern, Time } from '../contract/schemas.ts'
import { authModeNames } from './auth_modes.ts'
import { optionSchemas, Target } from './route_options.ts'

export const RouteName = Type.String({
  pattern: segmentPattern,
  description:
    'The name of the route, unique in any case: 1 to 63 letters, digits, "_" or "-", the first a letter or digit. By default it is made from domain and path_prefix',
})

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

export const AuthModeName = Type.Enum(authModeNames, {
  description:
    'none: everyone passes as a guest; optional: signed-in users are identified, all others pass as guests; bearer: programs with a token; oauth: users who signed in with a provider; local: signed-in users; signature: requests signed with a key from users.keys',
})

export const BearerToken = Type.String({
  pattern: '^[A-Za-z0-9._~+/-]{32,256}=*$',
  description: 'A static token for auth_mode bearer: 32 characters or more; stored as a hash and never shown',
})

export const Route = Named('Route', {
  id: Id,
  name: RouteName,
  domain: Domain,
  path_prefix: PathPrefix,
  target: Target,
  auth_mode: AuthModeName,
  ...optionSchemas,
  bearer_token_set: Type.Boolean(),
  created_at: Time,
  updated_at: Time,
})
export type Route = Static<typeof Route>
