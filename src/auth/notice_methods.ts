import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Shape, Username } from '../contract/schemas.ts'
import { exampleTokens, LinkToken } from './email_methods.ts'
import type { Intrusions } from './intrusions.ts'

export const noticeMethods = (intrusions: Intrusions) => [
  method({
    name: 'auth.not_me',
    summary:
      'Report, with the link of a security notice, that it wasn’t you: all sessions of the account end',
    description:
      'It also ends what was made in the account since the event: consents, grants and tokens of applications, tokens to keep, half-finished sign-ins and mailed links. Passkeys, authenticator apps and linked identities stay. It signs nobody in. The link works for seven days.',
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken }),
    result: Shape({
      user: Username,
      address_changed: Type.Boolean({
        description: 'The account has another address by now, so its owner cannot get a new password by mail',
      }),
    }),
    errors: ['unauthenticated'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [
      { params: { token: exampleTokens.not_me }, result: { user: 'grace', address_changed: false } },
    ],
    handler: ({ token }) => intrusions.report(token),
  }),
]
