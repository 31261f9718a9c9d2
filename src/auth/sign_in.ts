import { sql } from 'kysely'
import type { Caller } from '../caller.ts'
import type { Attempts, Counted } from '../credentials/attempts.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { AppError } from '../errors.ts'
import type { OwnWay } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { UserRow } from '../storage/schema.ts'

const wrong = 'Wrong username, email or password'

/** A person, and the proof that the password given was theirs. */
interface Proven {
  readonly user_id: string
  readonly proof: string
  readonly counted: Counted
}

/** Active, and with an address that was confirmed if it has one. */
const mayEnter = (user: Pick<UserRow, 'is_active' | 'email' | 'email_verified_at'>): boolean =>
  user.is_active === 1 && (user.email === null || user.email_verified_at !== null)

/** Signing in: a proof of who somebody is becomes a session. */
export class SignIn {
  readonly #database: Database
  readonly #credentials: Credentials
  readonly #sessions: Sessions
  readonly #attempts: Attempts

  constructor(database: Database, credentials: Credentials, sessions: Sessions, attempts: Attempts) {
    this.#database = database
    this.#credentials = credentials
    this.#sessions = sessions
    this.#attempts = attempts
  }

  /**
   * Verifies username or email with the password. Unknown, wrong, unconfirmed and inactive get the same answer after the same work.
   * Slow, so it runs before the transaction that opens the session.
   */
  async verifyPassword(login: string, password: string, caller: Caller): Promise<Proven> {
    this.#credentials.refuseIfBusy()
    const user = await this.#find(login)
    const counted = await this.#attempts.count(user ? { userId: user.id } : { login }, caller.address)
    const proof = await this.verifyCounted(user?.id, password, counted)
    if (user && proof !== undefined && mayEnter(user)) return { user_id: user.id, proof, counted }
    const refusal = new AppError('unauthenticated', wrong)
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
    if (!(await this.#credentials.stands(user_id, proof))) throw new AppError('unauthenticated', wrong)
    await this.#attempts.succeeded(counted)
    return this.open(user_id, 'password', caller)
  }

  /** Opens the session for a verified person: a cookie's for our own pages, a token for programs. */
  async open(userId: string, provider: OwnWay, caller: Caller) {
    const user = await this.#database.query
      .selectFrom('users')
      .select(['username', 'is_active', 'email', 'email_verified_at'])
      .where('id', '=', userId)
      .executeTakeFirst()
    // Deactivated or removed between the proof and here.
    if (!user || !mayEnter(user)) throw new AppError('unauthenticated', wrong)
    const { token, expires_in } = await this.#sessions.open(userId, {
      kind: caller.via === 'browser' ? 'cookie' : 'token',
      provider,
      address: caller.address ?? '',
      user_agent: caller.user_agent ?? '',
    })
    return { access_token: token, token_type: 'Bearer' as const, expires_in, user: user.username }
  }

  #find(login: string): Promise<UserRow | undefined> {
    const name = login.toLowerCase()
    // A username never holds an @, so a login is one or the other.
    const column = name.includes('@') ? sql`lower(email)` : sql`lower(username)`
    return this.#database.query.selectFrom('users').selectAll().where(column, '=', name).executeTakeFirst()
  }
}
