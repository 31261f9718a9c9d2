import { sql } from 'kysely'
import { anotherDevice, wishes, type Caller } from '../contract/caller.ts'
import type { Attempts, CountedAttempt } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { AppError, conflict, invalidParams } from '../contract/errors.ts'
import type { FactorKind, Factors } from '../factors/factors.ts'
import type { PasskeyAssertion } from '../factors/passkeys.ts'
import type { OwnSignInMethod } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, signInColumns, type UserRow } from '../storage/schema.ts'
import { switchSeconds } from './person_switch.ts'
import { whyNot, wrongLogin } from './refused_sign_in.ts'
import type { ProviderProof } from './one_time_token.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'
import { SecondSteps } from './second_steps.ts'
import type { SecurityNotices } from './security_notices.ts'
import type { SessionOrigin } from '../sessions/opened_session.ts'
import type { TrustedBrowsers } from './trust/trusted_browsers.ts'
import { signedInAs } from './signed_in.ts'

/** How long a sign-in lasts at most that another device opened. */
const anotherDeviceSeconds = 43_200

interface Parts {
  readonly database: Database
  readonly credentials: Passwords
  readonly sessions: Sessions
  readonly attempts: Attempts
  readonly factors: Factors
  readonly links: OneTimeTokens
  readonly magicLinks: () => Promise<boolean>
  readonly notices: Pick<SecurityNotices, 'signedIn' | 'signedInElsewhere'>
  readonly trusted: TrustedBrowsers
}

/** A user, and the proof that the given password was theirs. */
interface Proven {
  readonly user_id: string
  readonly proof: string
  readonly counted: CountedAttempt
}

/** Turns a proof of identity into a session. */
export class SignIn {
  readonly #database: Database
  readonly #credentials: Passwords
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #parts: Pick<Parts, 'notices' | 'trusted'>
  readonly secondSteps: SecondSteps

  constructor(parts: Parts) {
    this.#parts = parts
    this.#database = parts.database
    this.#credentials = parts.credentials
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.secondSteps = new SecondSteps({ ...parts, open: this.open.bind(this) })
  }

  /**
   * Verifies a username or an email address with the password; slow, so before the transaction that opens the session. An unknown,
   * unconfirmed or inactive user and a wrong password get the same answer after the same work. Throws factor_required.
   */
  async verifyPassword(typed: string, password: string, caller: Caller): Promise<Proven> {
    // Pasted text brings blanks. They belong to no name, so they make no guess at another.
    const login = typed.trim()
    if (login === '') throw invalidParams('login', 'a username or email address')
    const leave = this.#credentials.reserve()
    try {
      return await this.#verify(login, password, caller)
    } finally {
      leave()
    }
  }

  async #verify(login: string, password: string, caller: Caller): Promise<Proven> {
    const user = await this.#find(login)
    const counted = await this.#attempts.count(user ? { userId: user.id } : { login }, caller.address)
    const proof = await this.verifyCounted(user?.id, password, counted)
    if (user && proof !== undefined && maySignIn(user)) {
      if (!(await this.secondSteps.isNeeded(user, caller))) return { user_id: user.id, proof, counted }
      // The password was right, but only the second factor decides whether the attempt succeeded.
      await this.#attempts.uncount(counted)
      throw await this.secondSteps.begin(user, 'after_password', { remember: wishes(caller).remember })
    }
    const refusal = user && proof !== undefined ? whyNot(user) : wrongLogin()
    // Record only names of existing users, because people type their password into the wrong field.
    if (user) refusal.about = `user=${user.username}`
    throw refusal
  }

  /** Verifies the password of a known user, after the attempt was counted. */
  async verifyCounted(userId: string | undefined, password: string, counted: CountedAttempt) {
    try {
      return await this.#credentials.verify(userId, password)
    } catch (error) {
      // Too many verifications at once: this password was not checked, so the attempt does not count.
      await this.#attempts.uncount(counted)
      throw error
    }
  }

  /** Opens the session of a verified password, unless the password has changed since: a change ends sessions of the old one. */
  async openByPassword({ user_id, proof, counted }: Proven, caller: Caller) {
    if (!(await this.#credentials.isStillCurrent(user_id, proof))) throw wrongLogin()
    await this.#attempts.succeeded(counted)
    return this.open(user_id, 'password', caller)
  }

  /**
   * Opens the session of a verified user, with a cookie for browsers and a token for programs. Every sign-in passes here. A user
   * with a second factor must have used it, or a passkey, which counts as two factors, unless they trust this browser. `provider` is one of our own ways to sign
   * in, or the name of the identity provider that vouched for the user.
   */
  async open(
    userId: string,
    provider: OwnSignInMethod | (string & {}),
    caller: Caller,
    factor: '' | FactorKind | PasskeyAssertion = '',
    by?: Pick<ProviderProof, 'identity_id' | 'at_provider' | 'proven_at'> & { readonly second_at?: number },
  ) {
    const user = await this.#database.query
      .selectFrom('users')
      .select(['username', 'has_factor', ...signInColumns])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (!user) throw wrongLogin()
    if (!maySignIn(user)) throw whyNot(user)
    const lacks = user.has_factor === 1 && factor === ''
    const trusted = lacks ? await this.#parts.trusted.use(userId, caller) : undefined
    // Since the proof, the user may have been deactivated or removed, may have got a second factor, or trust the browser no more.
    if (lacks && !trusted) throw wrongLogin()
    const origin: SessionOrigin = {
      kind: caller.via === 'browser' ? 'cookie' : 'token',
      provider,
      factor: typeof factor === 'string' ? factor : 'passkey',
      by_passkey: typeof factor !== 'string' && factor.verified_user,
      by_trust: trusted !== undefined,
      remember: wishes(caller).remember,
      address: caller.address ?? '',
      user_agent: caller.user_agent ?? '',
      vouching: by && { provider, identity_id: by.identity_id, ...by.at_provider },
      // A second factor was proven just now, so the provider's older time does not apply.
      proven_at: factor === '' ? by?.proven_at : undefined,
      second_at: factor === '' ? by?.second_at : undefined,
    }
    const opened = await this.#openOrRenew(userId, origin, caller.replaces)
    await this.#parts.notices.signedIn(userId, caller)
    return signedInAs(user.username, opened, trusted)
  }

  /**
   * Opens the session of a browser that another device of its person has approved. It proves nothing and is never kept. Throws conflict
   * in a browser where somebody is signed in.
   */
  async openForAnotherDevice(userId: string, caller: Caller) {
    const user = await this.#database.query
      .selectFrom('users')
      .select(['username', ...signInColumns])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (!user) throw wrongLogin()
    if (!maySignIn(user)) throw whyNot(user)
    if (caller.replaces !== undefined) throw conflict('Somebody is signed in in this browser already')
    const { address = '', user_agent = '' } = caller
    const origin = { provider: anotherDevice, factor: '', address, user_agent, proven_at: 0 }
    const lifetime = Math.min(anotherDeviceSeconds, await this.#sessions.limits.lifetime(false))
    const opened = await this.#sessions.open(userId, { ...origin, kind: 'cookie' }, lifetime)
    await this.#parts.notices.signedInElsewhere(userId, caller)
    return signedInAs(user.username, opened)
  }

  async #openOrRenew(userId: string, origin: SessionOrigin, replaces: string | undefined) {
    // A browser has one sign-in at a time. The same person keeps it, and with it what it has opened at other hosts.
    const again =
      replaces === undefined ? undefined : await this.#sessions.renewals.signInAgain(replaces, userId, origin)
    if (again) return again
    // Somebody else is signed in there: the page asks before it replaces them.
    const lifetime = replaces === undefined ? undefined : switchSeconds
    return this.#sessions.open(userId, origin, lifetime)
  }

  /** Returns the username of a user who may still be signed in, or throws unauthenticated. */
  async assertMaySignIn(userId: string): Promise<string> {
    const user = await this.#database.query
      .selectFrom('users')
      .select(['username', ...signInColumns])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (!user || !maySignIn(user))
      throw new AppError('unauthenticated', 'The session has ended; sign in', { reason: 'session_ended' })
    return user.username
  }

  #find(login: string): Promise<UserRow | undefined> {
    const name = login.toLowerCase()
    // No username contains an @.
    const column = name.includes('@') ? sql`lower(email)` : sql`lower(username)`
    return this.#database.query.selectFrom('users').selectAll().where(column, '=', name).executeTakeFirst()
  }
}
