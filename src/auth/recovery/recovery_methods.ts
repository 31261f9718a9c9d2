import { Type } from '../../contract/schema_builder.ts'
import { method } from '../../contract/method.ts'
import { OpaqueToken, Shape, Time, Username } from '../../contract/schemas.ts'
import type { EnrolmentLinks } from './enrolment_links.ts'
import type { RecoveryLinks } from './recovery_links.ts'

/** A link that is handed over. */
const Handed = Shape({
  user: Username,
  link: Type.String({ description: 'Shown this once' }),
  qr: Type.String({ description: 'The link as a QR code, in SVG' }),
  expires_at: Time,
})
const handed = (path: string) => ({
  user: 'grace',
  link: `https://id.example.org/auth/${path}?token=pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE`,
  qr: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  expires_at: 1795438800,
})

/** The methods of links to an account that somebody makes and hands over. */
export const recoveryMethods = (recovery: RecoveryLinks, enrolment: EnrolmentLinks) => [
  method({
    name: 'users.recovery_link',
    summary: 'Make a link by which a person chooses a new password, to hand over yourself',
    description:
      'Shown this once, for one hour. It sets the password and no more: second factors are still asked for, and factors.clear removes them. An administrator’s link needs proxy.admin, when it is made and when it is used. A mail and the account page tell the person who made it. No token and no agent makes one.',
    effect: 'write',
    claim: ['proxy.users.write'],
    fresh: true,
    params: Shape({ user: Username }),
    result: Handed,
    errors: ['not_found', 'conflict', 'proof_required'],
    examples: [{ params: { user: 'grace' }, result: handed('reset') }],
    handler: ({ user }, caller) => recovery.make(user, caller),
  }),
  method({
    name: 'users.enrolment_link',
    summary: 'Make a link by which a person may add their first second factor, to hand over yourself',
    description:
      'Shown this once, for one hour. The person uses it in a session of their own (auth.use_enrolment_link), in place of the mailed code; it opens no session and says nothing of their password. While factor_enrolment is `administrator`, nothing else does. An administrator’s link needs proxy.admin, when it is made and when it is used. A mail tells the person who made it. No token and no agent makes one.',
    effect: 'write',
    claim: ['proxy.users.write'],
    fresh: true,
    params: Shape({ user: Username }),
    result: Handed,
    errors: ['not_found', 'conflict', 'proof_required'],
    examples: [{ params: { user: 'grace' }, result: handed('enrol') }],
    handler: ({ user }, caller) => enrolment.make(user, caller),
  }),
  method({
    name: 'auth.use_enrolment_link',
    summary: 'Use the link for your first second factor in this session, for 15 minutes',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({ token: OpaqueToken('From the link') }),
    result: Type.Null(),
    errors: ['conflict', 'unauthenticated'],
    examples: [{ params: { token: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE' }, result: null }],
    handler: async ({ token }, caller) => {
      await enrolment.use(token, caller)
      return null
    },
  }),
]
