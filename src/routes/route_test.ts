import { Type, type Static } from '../contract/schema_builder.ts'
import { Id, Named, Nullable, Shape, Username } from '../contract/schemas.ts'

/** A hypothetical request. */
export const TrialParams = Shape({
  url: Type.String({
    maxLength: 16_384,
    pattern: '^https?://[^/?#]{1,300}([/?][\\s\\S]*)?$',
    description: 'http(s)://host[:port]/path?query, the path exactly as it would be sent',
  }),
  method: Type.Optional(
    Type.String({ pattern: '^[A-Z]{1,20}$', description: 'Capital letters, such as POST; GET by default' }),
  ),
  user: Type.Optional(
    Type.Unsafe<Static<typeof Username> | null>(
      Type.Union([Username, Type.Null()], {
        description:
          'The user who sends the request, with a session cookie where the route accepts one, or else with a token; null or omitted for a guest',
      }),
    ),
  ),
  kind: Type.Optional(
    Type.Enum(['navigation', 'fetch', 'websocket'], {
      description:
        'navigation (the default): a browser opens a page; fetch: a script or a program; websocket: a protocol upgrade',
    }),
  ),
  address: Type.Optional(
    Type.String({
      maxLength: 45,
      pattern: '^[0-9a-fA-F:.]+$',
      description: 'The IPv4 or IPv6 address that the request comes from; 127.0.0.1 by default',
    }),
  ),
})
export type TrialParams = Static<typeof TrialParams>

/** The checks that a request goes through, in the order in which they are made. */
export const checkNames = [
  'request',
  'host',
  'own_path',
  'path',
  'route',
  'signature',
  'foreign_page',
  'scope',
  'sign_in',
  'account',
  'claims',
  'email',
  'proof',
  'claims_size',
  'nonce',
] as const
export type CheckName = (typeof checkNames)[number]

const Header = Shape({ name: Type.String(), value: Type.String() })

export const Trial = Named('RouteTrial', {
  act: Type.Enum(['forward', 'redirect', 'refuse', 'own'], {
    description: 'own: hero_proxy itself answers, regardless of the routes',
  }),
  /** The status of the response, if it is ours. */
  status: Nullable(Type.Integer()),
  check: Nullable(
    Type.Enum(checkNames, { description: 'The check that decided; null where the request passed them all' }),
  ),
  why: Type.String(),
  route: Nullable(Id),
  upstream: Nullable(Type.String()),
  target: Nullable(Type.String({ description: 'Path and query as the upstream gets them' })),
  headers: Type.Array(Header),
  location: Nullable(Type.String()),
})
export type Trial = Static<typeof Trial>
