import type { Attempts } from '../attempts/attempts.ts'
import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Shape } from '../contract/schemas.ts'
import { refuseWhileImpersonating } from '../contract/caller.ts'
import type { EmailFlows } from './email_flows.ts'
import type { Enrolment } from './enrolment.ts'
import { signedInTarget } from './signed_in.ts'
import { SignedIn, signedIn } from './methods.ts'

export const BrowserSecret = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'A secret of 256 bits in base64url that only the asking browser keeps',
})
export const MailCode = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'From the mail; capitals, spaces and dashes do not matter',
})

export const exampleCode = {
  code: 'BCDF-GHJK',
  browser_secret: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hQ',
}

interface Parts {
  readonly flows: EmailFlows
  readonly attempts: Attempts
  readonly enrolment: Enrolment
}

/** The methods that take the codes of mails. */
export const codeMethods = ({ flows, attempts, enrolment }: Parts) => [
  method({
    name: 'auth.request_mailed_code',
    summary: 'Mail a code to your confirmed address, for auth.prove',
    description:
      'Adding the first factor of an account takes such a code, while factor_enrolment is `mail` and a mail server is set.',
    effect: 'write',
    claim: 'self',
    params: Shape({ browser_secret: BrowserSecret }),
    result: Type.Null(),
    errors: ['conflict', 'rate_limited'],
    examples: [{ params: { browser_secret: exampleCode.browser_secret }, result: null }],
    handler: async ({ browser_secret }, caller) => {
      refuseWhileImpersonating(caller)
      await enrolment.request(browser_secret, caller)
      return null
    },
  }),
  method({
    name: 'auth.login_by_mailed_code',
    summary: 'Sign in with the code of a sign-in mail, in the browser that asked for it',
    description:
      'The code works for ten minutes and five tries, and is used up together with the link of its mail. Wrong codes count for the person in all browsers together, and for the network.',
    effect: 'write',
    claim: null,
    params: Shape({ code: MailCode, browser_secret: BrowserSecret }),
    result: SignedIn,
    errors: ['unauthenticated', 'factor_required', 'conflict', 'rate_limited'],
    target: (_, result) => signedInTarget(result),
    examples: [
      {
        params: exampleCode,
        result: signedIn,
      },
    ],
    prepare: async (key, caller) => {
      await flows.assertMagicLinksOn()
      const counted = await flows.checkCode(key, 'magic', caller)
      try {
        await flows.settleLink(key, {}, caller)
      } catch (error) {
        await attempts.uncount(counted)
        throw error
      }
      return counted
    },
    handler: async (key, caller, counted) => {
      const opened = await flows.openByLink(key, {}, caller)
      await attempts.succeeded(counted)
      return opened
    },
  }),
]
