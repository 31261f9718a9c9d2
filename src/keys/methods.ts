import { Type } from '../type.ts'
import { method } from '../method.ts'
import { Nothing, Shape } from '../schemas.ts'
import { Jwks, Key } from './key.ts'
import type { Keys } from './keys.ts'

const key: Key = {
  kid: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a71',
  algorithm: 'EdDSA',
  created_at: 1795435200,
  retired_at: null,
  signs: true,
}

export const keyMethods = (keys: Keys) => [
  method({
    name: 'keys.jwks',
    summary: 'Return the public keys by which anybody verifies what we sign (also at /.well-known/jwks.json)',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Jwks,
    examples: [
      {
        params: {},
        result: {
          keys: [
            {
              kty: 'OKP',
              crv: 'Ed25519',
              x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
              kid: key.kid,
              alg: 'EdDSA',
              use: 'sig',
            },
          ],
        },
      },
    ],
    handler: () => keys.jwks(),
  }),
  method({
    name: 'keys.list',
    summary: 'List the signing keys, newest first, without their private parts',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Shape({ items: Type.Array(Key) }),
    examples: [{ params: {}, result: { items: [key] } }],
    handler: () => keys.list(),
  }),
  method({
    name: 'keys.rotate',
    summary: 'Sign with a new key from now on; the old one verifies for another day',
    effect: 'write',
    claim: ['proxy.admin'],
    fresh: true,
    params: Nothing,
    result: Key,
    examples: [{ params: {}, result: key }],
    handler: () => keys.rotate(),
  }),
]
