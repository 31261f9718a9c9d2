import { sql } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import type { Attempts, Counted } from '../attempts/attempts.ts'
import type { Credentials } from '../passwords/passwords.ts'
import { AppError } from '../contract/errors.ts'
import type { FactorKind, Factors } from '../factors/factors.ts'
import type { OwnWay } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, signInColumns, type UserRow } from '../storage/schema.ts'
import { halves, type ByProvider, type Half, type Link, type Links } from './one_time_tokens.ts'
import type { OpenedSession } from '../sessions/opened_session.ts'

const wrongLogin = () =>
  new AppError('unauthenticated', 'Wrong username, email or password', { reason: 'wrong_login' })

interface Parts {
  readonly database: Database
  readonly credentials: Credentials
  readonly sessions: Sessions
  readonly attempts: Attempts
  readonly factors: Factors
  readonly links: Links
}

/** A person, and the proof that the password given was theirs. */
interface Proven {
  readonly user_id: string
  readonly proof: string
  readonly counted: Counted
}

export const signedInAs = (user: string, { token, expires_in, refresh_token }: OpenedSession) => ({
  access_token: token,
  token_type: 'Bearer' as const,
  expires_in,
  ...(refresh_token !== undefined && { refresh_token }),
  user,
})

/** Signing in: a proof of who somebody is becomes a session. */
export class SignIn {
  readonly #database: Database
  readonly #credentials: Credentials
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #factors: Factors
  readonly #links: Links

  constructor(parts: Parts) {
    this.#database = parts.database
    this.#credentials = parts.credentials
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.#factors = parts.factors
    this.#links = parts.links
  }

  /**
   * Verifies username or email with the password. Unknown, wrong, unconfirmed and inactive get the same answer after the same work.
   * Slow, so it runs before the transaction that opens the session. Whoever has a second factor gets no further: factor_required.
   */
  async verifyPassword(login: string, password: string, caller: Caller): Promise<Proven> {
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
      if (user.has_factor === 0) return { user_id: user.id, proof, counted }
      // The password was right; whether it was the person is not told before the factor is.
      await this.#attempts.uncount(counted)
      throw await this.secondStep(user, 'after_password')
    }
    const refusal = wrongLogin()
    // Only a name that is somebody's: people type their password into the wrong field.
    if (user) refusal.about = `user=${user.username}`
    throw refusal
  }

  /** The same where it is known whose password it should be, and the attempt is counted. */
  async verifyCounted(userId: string | undefined, password: string, counted: Counted) {
    try {
      return await this.#credentials.verify(userId, password)
    } catch (error) {
      // Too many at once: nothing was learned about this one.
      await this.#attempts.uncount(counted)
      throw error
    }
  }

  /** Opens the session of a verified password, unless it was changed meanwhile: a change ends what the old one opened. */
  async openByPassword({ user_id, proof, counted }: Proven, caller: Caller) {
    if (!(await this.#credentials.stands(user_id, proof))) throw wrongLogin()
    await this.#attempts.succeeded(counted)
    return this.open(user_id, 'password', caller)
  }

  /** The error that asks for the second factor: with what it takes to go on from here, which signs in nobody by itself. */
  async secondStep(user: Pick<UserRow, 'id' | 'username'>, half: Half, by?: ByProvider): Promise<AppError> {
    const sign_in = await this.#links.begin(half, user.id, by)
    const error = new AppError('factor_required', undefined, {
      sign_in,
      factors: await this.#factors.kinds(user.id),
    })
    error.about = `user=${user.username}`
    return error
  }

  /** Counts a try at the second factor before it is looked at. */
  async admitCode(signIn: string, caller: Caller): Promise<Counted> {
    const { user_id } = await this.#links.read(signIn, ...halves)
    return this.#attempts.count({ factorOf: user_id! }, caller.address)
  }

  /** Opens the session of half a sign-in and a code. A wrong code uses nothing up but the try. */
  async openByCode(signIn: string, code: string, counted: Counted, caller: Caller) {
    const by = await this.#links.vouchedFor(signIn)
    const half = await this.#links.use(signIn, ...halves)
    const factor = await this.#factors.useCode(half.user_id!, code)
    await this.#attempts.succeeded(counted)
    return this.#openHalf(half, by, caller, factor)
  }

  /** The same where a passkey of that person is the second step. */
  async openByPasskey(signIn: string, userId: string, caller: Caller) {
    const by = await this.#links.vouchedFor(signIn)
    const half = await this.#links.use(signIn, ...halves)
    if (half.user_id !== userId)
      throw new AppError('unauthenticated', 'This is another person’s passkey', {
        reason: 'passkey_of_another',
      })
    return this.#openHalf(half, by, caller, 'passkey')
  }

  async #openHalf(
    { user_id, purpose }: Link & { purpose: Half },
    by: ByProvider | undefined,
    caller: Caller,
    factor: FactorKind,
  ) {
    if (purpose !== 'after_provider')
      return this.open(user_id!, purpose === 'after_password' ? 'password' : 'magic_link', caller, factor)
    // A token counts at every host.
    if (!by || (by.only_at !== undefined && caller.via !== 'browser')) throw wrongLogin()
    // Unlinked, or the provider turned off, since the first step.
    const stands = await this.#database.query
      .selectFrom('user_identities')
      .innerJoin('providers', 'providers.provider', 'user_identities.provider')
      .select('user_identities.id')
      .where('user_identities.id', '=', by.identity_id)
      .where('user_identities.user_id', '=', user_id)
      .where('providers.enabled', '=', 1)
      .executeTakeFirst()
    if (!stands) throw wrongLogin()
    return this.open(user_id!, by.provider, caller, factor, by)
  }

  /**
   * Ends what a provider vouched for and that waits for the second step, as `sessions.revokeOpenedBy` what it opened. Tells how many.
   * Inside a transaction.
   */
  endVouchedFor(provider: string, which: { userId?: string; sid?: string }): Promise<number> {
    return this.#links.endVouchedFor(provider, which)
  }

  /**
   * Opens the session for a verified person: a cookie's for our own pages, a token for programs. The one gate to being signed
   * in: whoever has a second factor needs it, or a passkey, which is two in one. `provider` is one of our own ways, or the name
   * of an identity provider that vouched for the person.
   */
  async open(
    userId: string,
    provider: OwnWay | (string & {}),
    caller: Caller,
    factor: '' | FactorKind = '',
    by?: Pick<ByProvider, 'at_provider' | 'only_at' | 'proven_at'>,
  ) {
    const user = await this.#database.query
      .selectFrom('users')
      .select(['username', 'has_factor', ...signInColumns])
      .where('id', '=', userId)
      .executeTakeFirst()
    // Deactivated or removed between the proof and here.
    if (!user || !maySignIn(user)) throw wrongLogin()
    // Given a factor between the proof and here.
    if (user.has_factor === 1 && factor === '') throw wrongLogin()
    // One browser, one identity: whoever was signed in there before is not any more.
    if (caller.replaces !== undefined) await this.#sessions.revoke(caller.replaces, 'logout')
    const opened = await this.#sessions.open(userId, {
      kind: caller.via === 'browser' ? 'cookie' : 'token',
      provider,
      factor,
      address: caller.address ?? '',
      user_agent: caller.user_agent ?? '',
      at_provider: by?.at_provider,
      only_at: by?.only_at,
      // A factor was proven here and now.
      proven_at: factor === '' ? by?.proven_at : undefined,
    })
    return signedInAs(user.username, opened)
  }

  /** Whether somebody who signed in may go on: the username, or unauthenticated. */
  async mayStay(userId: string): Promise<string> {
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
    // A username never holds an @, so a login is one or the other.
    const column = name.includes('@') ? sql`lower(email)` : sql`lower(username)`
    return this.#database.query.selectFrom('users').selectAll().where(column, '=', name).executeTakeFirst()
  }
}
