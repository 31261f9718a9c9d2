import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Id, Name, Named, Nothing, Shape, ShownName, Time } from '../contract/schemas.ts'
import type { RegistrationTokens } from './registration_tokens.ts'

const shown = {
  id: Id,
  name: ShownName('What the token is for'),
  uses_left: Type.Integer({ description: 'How many more clients may register themselves with it' }),
  created_at: Time,
  expires_at: Time,
}
const RegistrationToken = Named('RegistrationToken', shown)

const laptop = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a91',
  name: 'The editor on my laptop',
  uses_left: 1,
  created_at: 1795435200,
  expires_at: 1795438800,
}

export const registrationMethods = (tokens: RegistrationTokens) => [
  method({
    name: 'clients.registration_tokens.list',
    summary: 'List the tokens that let clients register themselves',
    effect: 'read',
    claim: ['proxy.oauth.read'],
    params: Nothing,
    result: Shape({ items: Type.Array(RegistrationToken) }),
    examples: [{ params: {}, result: { items: [laptop] } }],
    handler: () => tokens.list(),
  }),
  method({
    name: 'clients.registration_tokens.add',
    summary: 'Create a token that lets a client register itself (RFC 7591): by default once, within an hour',
    description:
      'Requires the setting client_registration to be `token`. The client sends the token as a bearer token to /oauth/register.',
    effect: 'write',
    claim: ['proxy.oauth.write'],
    fresh: true,
    params: Shape({
      name: Name('What the token is for'),
      uses: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, description: 'How many clients may use it; 1 by default' }),
      ),
      lifetime: Type.Optional(
        Type.Integer({ minimum: 60, maximum: 2_592_000, description: 'Seconds; 3600 by default' }),
      ),
    }),
    result: Type.Object(
      { ...shown, initial_access_token: Type.String({ description: 'Shown only once' }) },
      { additionalProperties: false },
    ),
    examples: [
      {
        params: { name: 'The editor on my laptop' },
        result: { ...laptop, initial_access_token: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE' },
      },
    ],
    handler: ({ name, uses = 1, lifetime = 3600 }) => tokens.add(name, uses, lifetime),
  }),
  method({
    name: 'clients.registration_tokens.remove',
    summary: 'Remove a registration token; clients that registered with it remain',
    effect: 'write',
    claim: ['proxy.oauth.write'],
    fresh: true,
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['not_found'],
    examples: [{ params: { id: laptop.id }, result: null }],
    handler: ({ id }) => tokens.remove(id),
  }),
]
