import { refuseByAnotherDevice, refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import type { Attempts, CountedAttempt } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { AppError, conflict, invalidParams } from '../contract/errors.ts'
import type { Factors } from '../factors/factors.ts'
import { exampleOptions, PasskeyResponse, RequestOptions, SecretCode } from '../factors/passkey_schemas.ts'
import { notAlone } from '../factors/passkey_answers.ts'
import type { PasskeyAssertion, Passkeys } from '../factors/passkeys.ts'
import { method } from '../contract/method.ts'
import { OpaqueToken, Password, Shape } from '../contract/schemas.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { Type } from '../contract/schema_builder.ts'
import type { Users } from '../users/users.ts'
import { SignedIn, signedIn } from './methods.ts'
import { BrowserSecret, MailCode } from './code_methods.ts'
import type { EmailFlows } from './email_flows.ts'
import { wrongCode, type MailedCode } from './mailed_code.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'
import type { PreviousHostProofs } from './previous_host_proofs.ts'
import { signedInTarget } from './signed_in.ts'
import type { SignIn } from './sign_in.ts'

const PasskeyCode = OpaqueToken(
  'Of a passkey that was used at the host of an earlier public URL: the one-time code, a dot, and what the browser kept at home',
)
const RpId = (description: string) => Type.String({ minLength: 1, maxLength: 253, description })

interface Parts {
  readonly users: Users
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly factors: Factors
  readonly passkeys: Passkeys
  readonly previousHosts: Pick<PreviousHostProofs, 'use'>
  readonly signIn: SignIn
  readonly links: OneTimeTokens
  readonly flows: Pick<EmailFlows, 'checkCode'>
}

/** The answer of a passkey, or the code of one that was given at the host of an earlier public URL. */
interface PasskeyGiven {
  readonly assertion?: string | undefined
  readonly passkey_code?: string | undefined
}

/** The proof of a step-up, passed from `prepare` to `handler`. */
type Proof =
  | { readonly way: 'password'; readonly stored: string; readonly counted: CountedAttempt }
  | { readonly way: 'mail'; readonly key: MailedCode; readonly counted: CountedAttempt }
  | { readonly way: 'code'; readonly code: string; readonly counted: CountedAttempt }
  | { readonly way: 'passkey'; readonly asserted: PasskeyAssertion }

/** Returns the signed-in user and their session, or throws conflict. */
const personOf = (caller: Caller): { user_id: string; session_id: string } => {
  refuseWhileImpersonating(caller)
  refuseByAnotherDevice(caller)
  const { user_id, session_id } = caller
  if (user_id === undefined || session_id === undefined)
    throw conflict('This call was made without a session')
  return { user_id, session_id }
}

/** Binds a passkey challenge to the session that proves itself, so that no other session can use the answer. */
const proveWith = (session_id: string) => `prove ${session_id}`

/** Second factors, passkeys, step-up proofs and the renewal of sessions. */
export const proofMethods = ({
  users,
  credentials,
  attempts,
  sessions,
  factors,
  passkeys,
  previousHosts,
  signIn,
  links,
  flows,
}: Parts) => {
  const assertedBy = async ({ assertion, passkey_code }: PasskeyGiven, purpose: string) => {
    if ((assertion === undefined) === (passkey_code === undefined))
      throw invalidParams('assertion', 'either assertion or passkey_code')
    return assertion === undefined
      ? previousHosts.use(passkey_code!, purpose)
      : passkeys.assert(assertion, purpose)
  }
  return [
    method({
      name: 'auth.login_by_code',
      summary: 'Complete a sign-in with a code of the authenticator app or a recovery code',
      description:
        'A wrong code does not use up `sign_in`, which expires after five minutes. You have five attempts, then one a minute.',
      effect: 'write',
      claim: null,
      params: Shape({
        sign_in: OpaqueToken('From `data.sign_in` of factor_required'),
        code: SecretCode,
      }),
      result: SignedIn,
      errors: ['unauthenticated', 'rate_limited'],
      target: (_, result) => signedInTarget(result),
      examples: [
        {
          params: { sign_in: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hU', code: '492039' },
          result: signedIn,
        },
      ],
      prepare: ({ sign_in }, caller) => signIn.secondSteps.countCodeAttempt(sign_in, caller),
      handler: ({ sign_in, code }, caller, counted) =>
        signIn.secondSteps.openByCode(sign_in, code, counted, caller),
    }),
    method({
      name: 'auth.passkey_options',
      summary:
        'Return the options for a passkey prompt: for auth.login_by_passkey or, with a session, for auth.prove',
      effect: 'read',
      claim: null,
      params: Shape({
        rp_id: Type.Optional(
          RpId(
            'The host for which the passkey was made; the one for which new passkeys are made if not given',
          ),
        ),
        sign_in: Type.Optional(
          OpaqueToken(
            'From `data.sign_in` of factor_required: the keys of this person then count without PIN too',
          ),
        ),
      }),
      result: RequestOptions,
      errors: ['unauthenticated'],
      examples: [{ params: {}, result: exampleOptions }],
      handler: async ({ rp_id, sign_in }, { session_id, user_id }) => {
        if (rp_id !== undefined && !passkeys.rpIds.isOurs(rp_id))
          throw invalidParams('rp_id', 'the host of public_url or of one of previous_public_urls')
        const purpose = session_id === undefined ? 'sign_in' : proveWith(session_id)
        const owner =
          sign_in === undefined ? session_id && user_id : await signIn.secondSteps.personOf(sign_in)
        return passkeys.requestOptions(purpose, rp_id ?? (await passkeys.rpIds.current()), owner)
      },
    }),
    method({
      name: 'auth.login_by_passkey',
      summary: 'Sign in with a passkey, which counts as two factors if it verifies its user',
      description:
        'Give exactly one of `assertion` and `passkey_code`. With `sign_in`, it completes a sign-in that began in another way, for example with a provider; then a key without PIN does too. The session records that way.',
      effect: 'write',
      claim: null,
      params: Shape({
        assertion: Type.Optional(PasskeyResponse),
        passkey_code: Type.Optional(PasskeyCode),
        sign_in: Type.Optional(OpaqueToken('From `data.sign_in` of factor_required')),
      }),
      result: SignedIn,
      errors: ['unauthenticated'],
      target: (_, result) => signedInTarget(result),
      examples: [
        { params: { assertion: '{"id":"KEDetxZcUfinhVi6Za5nZQ","type":"public-key"}' }, result: signedIn },
      ],
      prepare: async (given) => {
        const asserted = await assertedBy(given, 'sign_in')
        if (given.sign_in === undefined && !asserted.verified_user) throw notAlone()
        return asserted
      },
      handler: async ({ sign_in }, caller, asserted) => {
        await passkeys.use(asserted)
        if (sign_in !== undefined) return signIn.secondSteps.openByPasskey(sign_in, asserted, caller)
        return signIn.open(asserted.user_id, 'passkey', caller, asserted)
      },
    }),
    method({
      name: 'auth.prove',
      summary: "Confirm that it's you: for 15 minutes, methods that need a fresh proof accept this session",
      description:
        'Give exactly one of the five; `mailed_code` (auth.request_mailed_code) comes with `browser_secret`. If you have a second factor, neither the password nor a mailed code is accepted.',
      effect: 'write',
      claim: 'self',
      params: Shape({
        password: Type.Optional(Password),
        code: Type.Optional(SecretCode),
        assertion: Type.Optional(PasskeyResponse),
        passkey_code: Type.Optional(PasskeyCode),
        mailed_code: Type.Optional(MailCode),
        browser_secret: Type.Optional(BrowserSecret),
      }),
      result: Type.Null(),
      errors: ['conflict', 'unauthenticated', 'rate_limited'],
      examples: [{ params: { password: 'mosaic-lantern-42-orbit' }, result: null }],
      prepare: async (
        { password, code, assertion, passkey_code, mailed_code, browser_secret },
        caller,
      ): Promise<Proof> => {
        const { user_id, session_id } = personOf(caller)
        const ways = { password, code, assertion, passkey_code, mailed_code }
        if (Object.values(ways).filter((given) => given !== undefined).length !== 1)
          throw invalidParams('password', `exactly one of ${Object.keys(ways).join(', ')}`)
        if ((mailed_code === undefined) !== (browser_secret === undefined))
          throw invalidParams('browser_secret', 'given with mailed_code, and only with it')
        if (assertion !== undefined || passkey_code !== undefined) {
          const asserted = await assertedBy({ assertion, passkey_code }, proveWith(session_id))
          if (asserted.user_id !== user_id)
            throw new AppError('unauthenticated', 'This is another person’s passkey', {
              reason: 'passkey_of_another',
            })
          return { way: 'passkey', asserted }
        }
        if (code !== undefined)
          return { way: 'code', code, counted: await attempts.count({ factorOf: user_id }, caller.address) }
        if ((await users.get({ id: user_id })).has_factor)
          throw new AppError('unauthenticated', 'You have a second factor: use a code or a passkey', {
            reason: 'factor_needed',
          })
        if (mailed_code !== undefined) {
          const key = { code: mailed_code, browser_secret: browser_secret! }
          return { way: 'mail', key, counted: await flows.checkCode(key, 'prove', caller) }
        }
        const counted = await attempts.count({ userId: user_id }, caller.address)
        const stored = await signIn.verifyCounted(user_id, password!, counted)
        if (stored === undefined) throw wrongPassword()
        return { way: 'password', stored, counted }
      },
      handler: async (_, caller, proof) => {
        const { user_id, session_id } = personOf(caller)
        const isFirst = proof.way === 'password' || proof.way === 'mail'
        if (isFirst && (await users.get({ id: user_id })).has_factor) throw wrongPassword()
        if (proof.way === 'password') {
          if (!(await credentials.isStillCurrent(user_id, proof.stored))) throw wrongPassword()
        } else if (proof.way === 'mail') {
          if ((await links.use(proof.key, 'prove')).user_id !== user_id) throw wrongCode()
        } else if (proof.way === 'code') await factors.useCode(user_id, proof.code, caller)
        else await passkeys.use(proof.asserted)
        if (proof.way !== 'passkey') await attempts.succeeded(proof.counted)
        await sessions.proofs.add(session_id, {
          second: !isFirst,
          mailed: proof.way === 'mail',
          passkey: proof.way === 'passkey' && proof.asserted.verified_user,
        })
        return null
      },
    }),
  ]
}

const wrongPassword = () =>
  new AppError('unauthenticated', 'The password is wrong', { reason: 'wrong_password' })
