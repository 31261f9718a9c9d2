import { Type, type Static } from '../contract/schema_builder.ts'
import { Named, Nullable, Shape, Time } from '../contract/schemas.ts'

/**
 * The algorithms that we sign with: EdDSA (RFC 8037) for access tokens and assertions, RS256 for ID tokens, because
 * every client supports it.
 */
export const algorithms = ['EdDSA', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

export const Jwk = Named('Jwk', {
  kty: Type.Enum(['OKP', 'RSA']),
  crv: Type.Optional(Type.Literal('Ed25519')),
  x: Type.Optional(Type.String()),
  n: Type.Optional(Type.String()),
  e: Type.Optional(Type.String()),
  kid: Type.String(),
  alg: Type.Enum(algorithms),
  use: Type.Literal('sig'),
})
export type Jwk = Static<typeof Jwk>

export const Jwks = Shape(
  { keys: Type.Array(Jwk) },
  { title: 'Jwks', description: 'A JSON Web Key Set (RFC 7517 section 5)' },
)
export type Jwks = Static<typeof Jwks>

export const Key = Named('Key', {
  kid: Type.String({ description: 'Identifies the key in the header of what it signed' }),
  algorithm: Type.Enum(algorithms),
  state: Type.Enum(['next', 'signing', 'retired'], {
    description:
      'next: already published, so that verifiers know it before it signs; retired: still published for verification, for 30 days',
  }),
  created_at: Time,
  signs_since: Nullable(Time),
  retired_at: Nullable(Time),
})
export type Key = Static<typeof Key>
