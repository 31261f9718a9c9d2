import { Type } from '../../contract/schema_builder.ts'
import { method } from '../../contract/method.ts'
import { Shape, Username } from '../../contract/schemas.ts'
import { exampleTokens, LinkToken } from '../email_methods.ts'
import type { Intrusions } from './intrusions.ts'

export const noticeMethods = (intrusions: Intrusions) => [
  method({
    name: 'auth.not_me',
    summary:
      'Report, with the link of a security notice, that it wasn’t you: all sessions of the account end',
    description:
      'It also ends what was made in the account since the event: consents, grants and tokens of applications, tokens to keep, half-finished sign-ins and mailed links. Passkeys, authenticator apps and linked identities stay. The notice of a change that the person’s own account made to its address also gives the account this address back: then the password is removed, as are identities that were linked since. It does nothing if another account has the address now. It signs nobody in. The link works for seven days.',
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken }),
    result: Shape({
      user: Username,
      address_changed: Type.Boolean({
        description: 'The account has another address by now, so its owner cannot get a new password by mail',
      }),
      address_restored: Type.Boolean({
        description: 'The account has the address back to which the notice went, and needs a new password',
      }),
    }),
    errors: ['unauthenticated', 'conflict'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [
      {
        params: { token: exampleTokens.not_me },
        result: { user: 'grace', address_changed: false, address_restored: false },
      },
    ],
    handler: ({ token }) => intrusions.report(token),
  }),
]
