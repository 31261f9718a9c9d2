import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Nothing, Shape } from '../contract/schemas.ts'
import { algorithms, Jwks, Key } from './key.ts'
import type { Keys } from './keys.ts'

const keysThat = (state: Key['state']): Key[] =>
  algorithms.map((algorithm) => ({
    kid: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a71',
    algorithm,
    state,
    created_at: 1795435200,
    signs_since: state === 'next' ? null : 1795435200,
    retired_at: state === 'retired' ? 1795435200 : null,
  }))

const jwks = {
  keys: ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a71', '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a72'].flatMap((kid) => [
    {
      kty: 'OKP' as const,
      crv: 'Ed25519' as const,
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      kid,
      alg: 'EdDSA' as const,
      use: 'sig' as const,
    },
    {
      kty: 'RSA' as const,
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78',
      e: 'AQAB',
      kid,
      alg: 'RS256' as const,
      use: 'sig' as const,
    },
  ]),
}

const Keyring = Shape({ items: Type.Array(Key) })

export const keyMethods = (keys: Keys) => [
  method({
    name: 'keys.jwks',
    summary: 'Return the public keys that verify what hero_proxy signs (also at /.well-known/jwks.json)',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Jwks,
    examples: [{ params: {}, result: jwks }],
    handler: () => keys.jwks(),
  }),
  method({
    name: 'keys.list',
    summary: 'List the signing keys, newest first, without their private parts',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Keyring,
    examples: [{ params: {}, result: { items: [...keysThat('signing'), ...keysThat('next')] } }],
    handler: () => keys.list(),
  }),
  method({
    name: 'keys.rotate',
    summary: 'Rotate the signing keys: start to sign with the next keys, and publish new next keys',
    description:
      'Earlier signatures can be verified for another 30 days. At least five minutes must pass between two rotations, so that all verifiers know the next keys before these sign. With `drop`, for leaked keys, all earlier keys are deleted at once, and everything they signed becomes invalid.',
    effect: 'write',
    claim: ['proxy.admin'],
    fresh: true,
    params: Shape({ drop: Type.Optional(Type.Boolean()) }),
    result: Keyring,
    errors: ['conflict'],
    examples: [
      {
        params: {},
        result: { items: [...keysThat('signing'), ...keysThat('next'), ...keysThat('retired')] },
      },
    ],
    prepare: ({ drop }) => keys.generatePairs(drop ? 2 : 1),
    handler: ({ drop }, _, pairs) => keys.rotate(pairs, drop),
  }),
]
