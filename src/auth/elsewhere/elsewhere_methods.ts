import { conflict } from '../../contract/errors.ts'
import { method } from '../../contract/method.ts'
import { Type } from '../../contract/schema_builder.ts'
import { Nullable, Shape, Time, Username } from '../../contract/schemas.ts'
import { BrowserSecret } from '../code_methods.ts'
import { SignedIn, signedIn } from '../methods.ts'
import { signedInTarget } from '../signed_in.ts'
import type { ElsewhereRequests } from './elsewhere_requests.ts'

const Code = Type.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: 'The parameter `code` of the link',
})

export const exampleElsewhere = {
  browser_secret: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hU',
  code: 'wrvwvo_my_wRNH_vXp08JA',
}

const faults = {
  digits: () =>
    conflict('These are not the digits that the browser shows; begin again there', {
      reason: 'elsewhere_digits',
    }),
  network: () => conflict('The browser is in another network', { reason: 'elsewhere_network' }),
  family: () =>
    conflict('Of browser and phone, one has an IPv4 address and the other one of IPv6', {
      reason: 'elsewhere_family',
    }),
}

/** The methods by which a phone signs in another browser. */
export const elsewhereMethods = (elsewhere: ElsewhereRequests) => [
  method({
    name: 'auth.begin_elsewhere',
    summary: 'Ask for a sign-in by another device of the person: begin in the browser that waits',
    description:
      'Pages of home call it; other callers have no network address that we believe. While the setting `elsewhere` is `anywhere`, local programs may call it too. Then show the link of auth.look_elsewhere as a QR code, and its digits. It all ends after five minutes.',
    effect: 'write',
    claim: null,
    params: Shape({ browser_secret: BrowserSecret }),
    result: Type.Null(),
    errors: ['conflict', 'unauthenticated', 'rate_limited'],
    examples: [{ params: { browser_secret: exampleElsewhere.browser_secret }, result: null }],
    handler: async ({ browser_secret }, caller) => {
      await elsewhere.begin(browser_secret, caller)
      return null
    },
  }),
  method({
    name: 'auth.look_elsewhere',
    summary: 'Return what has become of a sign-in by another device, for the browser that waits',
    effect: 'read',
    claim: null,
    params: Shape({ browser_secret: BrowserSecret }),
    result: Shape({
      state: Type.Enum(['waiting', 'opened', 'approved', 'ended'], {
        description:
          'waiting: no phone has opened the link; opened: one has, and its person is to type the digits; approved: auth.login_elsewhere opens the session; ended: begin again',
      }),
      why: Type.Enum(['', 'network', 'family', 'digits', 'over'], {
        description:
          'Why it has ended. network: the phone was in another network; family: one of the two has an IPv4 address and the other one of IPv6; digits: wrong ones were typed; over: five minutes have passed, or nothing was begun',
      }),
      link: Nullable(Type.String({ description: 'For the phone' })),
      digits: Nullable(Type.String({ description: 'Two digits that the person types on the phone' })),
      user: Nullable(Username),
      expires_at: Nullable(Time),
    }),
    examples: [
      {
        params: { browser_secret: exampleElsewhere.browser_secret },
        result: {
          state: 'waiting',
          why: '',
          link: `https://id.example.org/auth/elsewhere/open?code=${exampleElsewhere.code}`,
          digits: '47',
          user: null,
          expires_at: 1795435500,
        },
      },
    ],
    handler: ({ browser_secret }) => elsewhere.look(browser_secret),
  }),
  method({
    name: 'auth.open_elsewhere',
    summary: 'Open the link of a browser that asks to be signed in, on your phone; the first phone owns it',
    description:
      'Takes a fresh proof, which is a second factor or a passkey if you have one. Never while you impersonate somebody, and never in a sign-in that another device opened. A request that may not go on because of its network has ended.',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({ code: Code }),
    result: Shape({
      address: Type.String({ description: 'The network address of the browser' }),
      user_agent: Type.String({ description: 'What the browser calls itself' }),
      network: Type.Enum(['same', 'other', 'family'], {
        description:
          'Whether the browser is in the network of the phone. family: nobody can tell, because one has an IPv4 address and the other one of IPv6',
      }),
      may: Type.Boolean({ description: 'Whether the setting `elsewhere` lets this phone go on' }),
    }),
    errors: ['conflict', 'unauthenticated', 'proof_required'],
    target: (_, result) => (result ? `address=${result.address} network=${result.network}` : ''),
    examples: [
      {
        params: { code: exampleElsewhere.code },
        result: { address: '192.0.2.7', user_agent: 'Mozilla/5.0', network: 'other', may: true },
      },
    ],
    handler: ({ code }, caller) => elsewhere.open(code, caller),
  }),
  method({
    name: 'auth.approve_elsewhere',
    summary: 'Sign in the browser whose link your phone has opened, by the two digits that it shows',
    description:
      'You have one try. The session proves nothing, lasts 12 hours at most, and never holds `admin`, `groups.admin` or `proxy.*`; it gives no application access, approves no device and makes no token, until its person signs in anew. A mail tells you.',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({
      code: Code,
      digits: Type.String({ pattern: '^[0-9]{2}$', description: 'As the browser shows them' }),
    }),
    result: Type.Null(),
    errors: ['conflict', 'unauthenticated', 'proof_required'],
    examples: [{ params: { code: exampleElsewhere.code, digits: '47' }, result: null }],
    prepare: ({ code, digits }, caller) => elsewhere.tryDigits(code, digits, caller),
    target: (_, __, tried) => (tried === undefined ? '' : `address=${tried.address}`),
    handler: async ({ code }, caller, { fault }) => {
      if (fault !== undefined) throw faults[fault]()
      await elsewhere.approve(code, caller)
      return null
    },
  }),
  method({
    name: 'auth.login_elsewhere',
    summary: 'Open the session that another device has approved, in the browser that asked for it',
    description:
      'For pages of home: the session is one of a browser. It is opened once, while the phone that approved it is signed in.',
    effect: 'write',
    claim: null,
    params: Shape({ browser_secret: BrowserSecret }),
    result: SignedIn,
    errors: ['conflict', 'unauthenticated'],
    target: (_, result) => signedInTarget(result),
    examples: [
      {
        params: { browser_secret: exampleElsewhere.browser_secret },
        result: {
          access_token: signedIn.access_token,
          token_type: signedIn.token_type,
          expires_in: 43200,
          user: 'ada',
        },
      },
    ],
    handler: ({ browser_secret }, caller) => elsewhere.enter(browser_secret, caller),
  }),
]
