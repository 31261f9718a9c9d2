import { Type, type Static } from '../type.ts'
import { Named, Nullable, Shape, Time } from '../schemas.ts'

export const Jwk = Named('Jwk', {
  kty: Type.Literal('OKP'),
  crv: Type.Literal('Ed25519'),
  x: Type.String(),
  kid: Type.String(),
  alg: Type.Literal('EdDSA'),
  use: Type.Literal('sig'),
})
export type Jwk = Static<typeof Jwk>

export const Jwks = Shape(
  { keys: Type.Array(Jwk) },
  { title: 'Jwks', description: 'A JSON Web Key Set (RFC 7517 section 5)' },
)
export type Jwks = Static<typeof Jwks>

export const Key = Named('Key', {
  kid: Type.String({ description: 'Names the key in the header of what it signed' }),
  algorithm: Type.String(),
  created_at: Time,
  retired_at: Nullable(Time),
  signs: Type.Boolean({
    description: 'Whether new signatures are made with it; retired ones only verify, for a day',
  }),
})
export type Key = Static<typeof Key>
