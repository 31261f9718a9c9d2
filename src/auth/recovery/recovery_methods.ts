import { Type } from '../../contract/schema_builder.ts'
import { method } from '../../contract/method.ts'
import { Shape, Time, Username } from '../../contract/schemas.ts'
import type { RecoveryLinks } from './recovery_links.ts'

/** The method that makes a link by which a person chooses a new password. */
export const recoveryMethods = (recovery: RecoveryLinks) => [
  method({
    name: 'users.recovery_link',
    summary: 'Make a link by which a person chooses a new password, to hand over yourself',
    description:
      'Shown this once, for one hour. It sets the password and no more: second factors are still asked for, and factors.clear removes them. An administrator’s link needs proxy.admin, when it is made and when it is used. A mail and the account page tell the person who made it. No token and no agent makes one.',
    effect: 'write',
    claim: ['proxy.users.write'],
    fresh: true,
    params: Shape({ user: Username }),
    result: Shape({
      user: Username,
      link: Type.String({ description: 'Shown this once' }),
      qr: Type.String({ description: 'The link as a QR code, in SVG' }),
      expires_at: Time,
    }),
    errors: ['not_found', 'conflict', 'proof_required'],
    examples: [
      {
        params: { user: 'grace' },
        result: {
          user: 'grace',
          link: 'https://id.example.org/auth/reset?token=pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE',
          qr: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
          expires_at: 1795438800,
        },
      },
    ],
    handler: ({ user }, caller) => recovery.make(user, caller),
  }),
]
