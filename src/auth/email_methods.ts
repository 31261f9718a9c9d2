import { Type } from '../contract/schema_builder.ts'
import { refuseWhileImpersonating } from '../contract/caller.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { AppError } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Email, Password, Shape, Username } from '../contract/schemas.ts'
import { DisplayName } from '../users/user.ts'
import type { EmailFlows } from './email_flows.ts'
import type { Registration } from './sign_up/registration.ts'
import { BrowserSecret } from './code_methods.ts'
import { SignedIn, signedIn, wrongCurrentPassword } from './methods.ts'
import { signedInTarget } from './signed_in.ts'
import type { SignIn } from './sign_in.ts'

export const LinkToken = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'From the link that was mailed',
})
export const exampleTokens = {
  verify: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE',
  reset: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hI',
  magic: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hM',
  reopen: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hk',
  not_me: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hc',
}

/** Names for an account that nobody has confirmed: they may come from somebody else who registered the address. */
const chosenNames = {
  username: Type.Optional(Username),
  display_name: Type.Optional(DisplayName),
}
const aboutNames =
  'An account that nobody has confirmed may have been registered by somebody else: its person chooses `username` and `display_name` here. Under another username it begins anew; without one the username stays, and the display name is the same. A confirmed account keeps its names.'

interface Parts {
  readonly flows: EmailFlows
  readonly registration: Registration
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly signIn: SignIn
}

/** The methods that request mailed links, and those that use them. */
export const emailMethods = ({ flows, registration, credentials, attempts, signIn }: Parts) => [
  method({
    name: 'auth.register',
    summary: 'Create an account, if registration_mode allows it',
    description:
      'Without an invitation, a link is mailed to the address, and only the mail says whether the address already has an account. The person who opens the link chooses the password (auth.verify_email); the one given here does not count, because it may come from somebody else. With an invitation to an address, the account is ready under that address, with this password. With a link for several people, the address is confirmed as without one; where no mail server is set, leave it out and give a password.',
    effect: 'write',
    claim: null,
    params: Shape({
      username: Username,
      email: Type.Optional(Email),
      password: Type.Optional(Password),
      display_name: Type.Optional(DisplayName),
      invite: Type.Optional(LinkToken),
    }),
    result: Shape({
      next: Type.Enum(['verify', 'sign_in', 'wait'], {
        description:
          'verify: a link was mailed; sign_in: the account is ready; wait: somebody must approve it',
      }),
    }),
    errors: ['conflict', 'already_exists', 'unauthenticated', 'rate_limited'],
    examples: [
      {
        params: { username: 'joan', email: 'joan@example.org', password: 'mosaic-lantern-42-orbit' },
        result: { next: 'verify' },
      },
    ],
    paced: true,
    prepare: (wanted, caller) => registration.prepare(wanted, caller),
    handler: (wanted, caller, hash) => registration.register(wanted, hash, caller),
  }),
  method({
    name: 'auth.verify_email',
    summary: 'Confirm an address with the link that was mailed to it',
    description:
      'For a new account, give the password that it shall have. Without one, its person signs in by a mailed link, or asks for a new password. A password that is refused does not use up the link.',
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken, password: Type.Optional(Password) }),
    result: Shape({
      user: Username,
      awaits_approval: Type.Optional(
        Type.Literal(true, {
          description: 'Somebody must approve the account; a mail says when that is done',
        }),
      ),
    }),
    errors: ['unauthenticated', 'conflict', 'already_exists', 'rate_limited'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [
      {
        params: { token: exampleTokens.verify, password: 'velvet-harbor-93-comet' },
        result: { user: 'grace' },
      },
    ],
    prepare: ({ token, password }) => flows.hashForLink(token, password),
    handler: ({ token }, caller, hash) => flows.verifyEmail(token, hash, caller),
  }),
  method({
    name: 'auth.request_password_reset',
    summary: 'Mail a link for setting a new password; the answer is the same for every address',
    effect: 'write',
    claim: null,
    params: Shape({ email: Email }),
    result: Type.Null(),
    errors: ['rate_limited'],
    examples: [{ params: { email: 'ada@example.org' }, result: null }],
    paced: true,
    prepare: ({ email }, caller) => flows.countRequest(email, caller),
    handler: ({ email }, caller) => flows.request('reset', email, caller),
  }),
  method({
    name: 'auth.reset_password',
    summary: 'Set a new password with a mailed link; all sessions of the account end',
    description: `A password that is refused does not use up the link. ${aboutNames}`,
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken, password: Password, ...chosenNames }),
    result: Shape({ user: Username }),
    errors: ['unauthenticated', 'conflict', 'already_exists', 'rate_limited'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [
      { params: { token: exampleTokens.reset, password: 'velvet-harbor-93-comet' }, result: { user: 'ada' } },
    ],
    prepare: async ({ token, password, ...chosen }) => {
      const { username, email, display_name } = await flows.readReset(token)
      return credentials.hash(password, [username, email ?? '', display_name, ...Object.values(chosen)])
    },
    handler: ({ token, password: _, ...names }, caller, hash) =>
      flows.resetPassword(token, names, hash, caller),
  }),
  method({
    name: 'auth.request_magic_link',
    summary: 'Mail a link that signs in, if magic_links is on; the answer is the same for every address',
    effect: 'write',
    claim: null,
    description:
      'With `browser_secret`, and while mail_codes is on, the mail carries a code as well: the browser that has the secret can type it (auth.login_by_mailed_code) instead of opening the link.',
    params: Shape({ email: Email, browser_secret: Type.Optional(BrowserSecret) }),
    result: Type.Null(),
    errors: ['conflict', 'rate_limited'],
    examples: [{ params: { email: 'ada@example.org' }, result: null }],
    paced: true,
    prepare: async ({ email }, caller) => {
      await flows.assertMagicLinksOn()
      await flows.countRequest(email, caller)
    },
    handler: ({ email, browser_secret }, caller) => flows.request('magic', email, caller, browser_secret),
  }),
  method({
    name: 'auth.login_by_link',
    summary: 'Sign in with a mailed link',
    description: aboutNames,
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken, ...chosenNames }),
    result: SignedIn,
    errors: ['unauthenticated', 'factor_required', 'conflict', 'already_exists'],
    target: (_, result) => signedInTarget(result),
    examples: [{ params: { token: exampleTokens.magic }, result: signedIn }],
    prepare: ({ token, ...names }, caller) => flows.settleLink(token, names, caller),
    handler: ({ token, ...names }, caller) => flows.openByLink(token, names, caller),
  }),
  method({
    name: 'auth.change_email',
    summary: 'Mail a link to your new address; the address changes when you use the link',
    description:
      'An address is a way in, so this needs a fresh proof. A password that is given with it must be right.',
    fresh: true,
    effect: 'write',
    claim: 'self',
    params: Shape({ email: Email, current_password: Type.Optional(Password) }),
    result: Type.Null(),
    errors: ['unauthenticated', 'conflict', 'rate_limited'],
    examples: [
      {
        params: { email: 'lovelace@example.org' },
        result: null,
      },
    ],
    prepare: async ({ current_password }, caller) => {
      refuseWhileImpersonating(caller)
      const { user_id } = caller
      if (user_id === undefined) throw new AppError('conflict', 'Only a signed-in user has an address')
      if (current_password === undefined) return { user_id, proof: undefined }
      const counted = await attempts.count({ userId: user_id }, caller.address)
      const proof = await signIn.verifyCounted(user_id, current_password, counted)
      if (proof === undefined) throw wrongCurrentPassword()
      await attempts.succeeded(counted)
      return { user_id, proof }
    },
    handler: async ({ email }, caller, { user_id, proof }) => {
      if (proof !== undefined && !(await credentials.isStillCurrent(user_id, proof)))
        throw wrongCurrentPassword()
      await flows.changeEmail(user_id, email, caller)
      return null
    },
  }),
]
