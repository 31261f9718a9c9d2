import type { Attempts, CountedAttempt } from '../attempts/attempts.ts'
import { wishes, wishing, type Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { FactorKind, Factors } from '../factors/factors.ts'
import type { PasskeyAssertion } from '../factors/passkeys.ts'
import type { Database } from '../storage/database.ts'
import type { UserRow } from '../storage/schema.ts'
import {
  firstSteps,
  invalidLink,
  type FirstStep,
  type OneTimeToken,
  type ProviderProof,
} from './one_time_token.ts'
import { wrongLogin } from './refused_sign_in.ts'
import { forgetProviderProofs } from './provider_proofs.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'
import type { TrustedBrowsers } from './trust/trusted_browsers.ts'
import type { signedInAs } from './signed_in.ts'

interface Parts {
  readonly database: Database
  readonly attempts: Attempts
  readonly factors: Factors
  readonly links: OneTimeTokens
  readonly magicLinks: () => Promise<boolean>
  readonly trusted: TrustedBrowsers
  /** Opens the session. */
  readonly open: (
    userId: string,
    provider: string,
    caller: Caller,
    factor: FactorKind | PasskeyAssertion,
    by?: ProviderProof,
  ) => Promise<ReturnType<typeof signedInAs>>
}

/** The second steps of signing in: a code or a passkey after a password, a mailed link or a provider. */
export class SecondSteps {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether a person who has given a first factor must give a second one: they have one, and do not trust this browser. */
  async isNeeded({ id, has_factor }: Pick<UserRow, 'id' | 'has_factor'>, caller: Caller): Promise<boolean> {
    return has_factor === 1 && !(await this.#parts.trusted.admits(id, caller))
  }

  /** Returns the error that requests the second factor. It carries a token for the second step, which alone signs nobody in. */
  async begin(
    user: Pick<UserRow, 'id' | 'username'>,
    half: FirstStep,
    { remember, by }: { readonly remember: boolean; readonly by?: ProviderProof },
  ): Promise<AppError> {
    const sign_in = await this.#parts.links.begin(half, user.id, { remember, by })
    const error = new AppError('factor_required', undefined, {
      sign_in,
      factors: await this.#parts.factors.kinds(user.id),
    })
    error.about = `user=${user.username}`
    return error
  }

  /** Returns the id of the user whose sign-in waits for its second factor. Throws unauthenticated. */
  personOf = async (signIn: string): Promise<string> =>
    (await this.#parts.links.read(signIn, ...firstSteps)).user_id!

  /** Counts an attempt at the second factor before the code is checked. */
  async countCodeAttempt(signIn: string, caller: Caller): Promise<CountedAttempt> {
    return this.#parts.attempts.count({ factorOf: await this.personOf(signIn) }, caller.address)
  }

  /** Completes a sign-in with a code. A wrong code uses up an attempt and nothing else. */
  async openByCode(signIn: string, code: string, counted: CountedAttempt, caller: Caller) {
    const by = await this.#parts.links.providerProof(signIn)
    const half = await this.#parts.links.use(signIn, ...firstSteps)
    const factor = await this.#parts.factors.useCode(half.user_id!, code, caller)
    await this.#parts.attempts.succeeded(counted)
    return this.#openHalf(half, by, caller, factor)
  }

  /** Completes a sign-in with a passkey of the same user. */
  async openByPasskey(signIn: string, asserted: PasskeyAssertion, caller: Caller) {
    const by = await this.#parts.links.providerProof(signIn)
    const half = await this.#parts.links.use(signIn, ...firstSteps)
    if (half.user_id !== asserted.user_id)
      throw new AppError('unauthenticated', 'This is another person’s passkey', {
        reason: 'passkey_of_another',
      })
    return this.#openHalf(half, by, caller, asserted)
  }

  async #openHalf(
    half: OneTimeToken & { purpose: FirstStep },
    by: ProviderProof | undefined,
    given: Caller,
    factor: FactorKind | PasskeyAssertion,
  ) {
    const caller = wishing(given, half.remember)
    const opened = await this.#openProven(half, by, caller, factor)
    // A recovery code says that the factor is lost, or that somebody has found the codes.
    if (!wishes(caller).trust || factor === 'recovery' || caller.via !== 'browser') return opened
    const trusted_browser = await this.#parts.trusted.trust(half.user_id!, caller)
    return trusted_browser ? { ...opened, trusted_browser } : opened
  }

  async #openProven(
    { user_id, purpose }: OneTimeToken & { purpose: FirstStep },
    by: ProviderProof | undefined,
    caller: Caller,
    factor: FactorKind | PasskeyAssertion,
  ) {
    // Turning the setting off also ends what waits.
    if (purpose === 'after_magic_link' && !(await this.#parts.magicLinks())) throw invalidLink()
    if (purpose !== 'after_provider')
      return this.#parts.open(
        user_id!,
        purpose === 'after_password' ? 'password' : 'magic_link',
        caller,
        factor,
      )
    if (!by) throw wrongLogin()
    // Since the first step, the identity may have been unlinked or the provider turned off.
    const identity = await this.#parts.database.query
      .selectFrom('user_identities')
      .innerJoin('providers', 'providers.provider', 'user_identities.provider')
      .select('user_identities.id')
      .where('user_identities.id', '=', by.identity_id)
      .where('user_identities.user_id', '=', user_id)
      .where('providers.enabled', '=', 1)
      .executeTakeFirst()
    if (!identity) throw wrongLogin()
    return this.#parts.open(user_id!, by.provider, caller, factor, by)
  }

  /** Ends the sign-ins by a provider that wait for their second step. Returns how many. Call it inside a transaction. */
  endPendingByProvider(provider: string, which: { userId?: string; sid?: string }): Promise<number> {
    return forgetProviderProofs(this.#parts.database, provider, which)
  }
}
