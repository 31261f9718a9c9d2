import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { bit } from '../storage/schema.ts'
import { joinedBy, provenBy, type OpenedSession, type SessionOrigin } from './opened_session.ts'
import { anotherDevice } from '../contract/caller.ts'
import type { SessionLimits } from './session_limits.ts'
import { newToken } from './session_token.ts'
import type { Vouchings } from './vouchings.ts'

/** Sign-ins that are open already and begin anew. */
export class SessionRenewals {
  readonly #database: Database
  readonly #limits: SessionLimits
  readonly #vouchings: Pick<Vouchings, 'add'>

  constructor(database: Database, limits: SessionLimits, vouchings: Pick<Vouchings, 'add'>) {
    this.#database = database
    this.#limits = limits
    this.#vouchings = vouchings
  }

  /**
   * Gives a sign-in a new cookie, because the same person has just signed in again in the same browser. Its children stay.
   * Undefined if it has ended. Inside a transaction.
   */
  async signInAgain(id: string, userId: string, origin: SessionOrigin): Promise<OpenedSession | undefined> {
    const token = newToken()
    const at = now()
    const joins =
      origin.vouching !== undefined && origin.factor === '' && !(await this.#isByAnotherDevice(id))
    // A provider that vouches for an open sign-in neither shortens it nor lets it last for longer than its person asked.
    const kept = joins ? await this.#keptUntil(id) : undefined
    const remembered = kept !== undefined || (await this.#limits.keeps(origin))
    const expires_in = kept === undefined ? await this.#limits.lifetime(remembered) : kept - at
    const { numUpdatedRows } = await this.#database.query
      .updateTable('sessions')
      .set({
        ...(joins ? joinedBy(origin, at) : { ...provenBy(origin, at), proofs: sql<number>`proofs + 1` }),
        token_hash: digest(token),
        remembered: bit(remembered),
        expires_at: at + expires_in,
        last_used_at: at,
        impersonated_user_id: null,
        impersonating_until: null,
      })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where('kind', '=', 'cookie')
      .where('expires_at', '>', at)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return undefined
    if (origin.vouching) await this.#vouchings.add(id, origin.vouching)
    this.#database.changed('sessions')
    return { token, id, expires_in, remembered }
  }

  /** Whether another device opened it. Then whatever its person proves themselves begins it anew. */
  async #isByAnotherDevice(id: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('sessions')
      .select('id')
      .where('id', '=', id)
      .where('provider', '=', anotherDevice)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Until when a sign-in lasts that its person asked to keep; undefined for any other. */
  async #keptUntil(id: string): Promise<number | undefined> {
    const row = await this.#database.query
      .selectFrom('sessions')
      .select('expires_at')
      .where('id', '=', id)
      .where('remembered', '=', 1)
      .executeTakeFirst()
    return row?.expires_at
  }

  /**
   * Gives a sign-in that was opened for some seconds, in which somebody decides, its full lifetime: once, because only the state in
   * which it was opened takes it. Undefined if it has ended, or was decided about before. Inside a transaction.
   */
  async keepOpened(token: string, openedForSeconds: number): Promise<OpenedSession | undefined> {
    const open = await this.living(token)
    if (!open) return undefined
    const lifetime = await this.#limits.lifetime(open.remembered)
    const { numUpdatedRows } = await this.#database.query
      .updateTable('sessions')
      .set((eb) => ({ expires_at: eb('created_at', '+', lifetime) }))
      .where('token_hash', '=', digest(token))
      .where('expires_at', '>', now())
      .where((eb) => eb('expires_at', '<=', eb('created_at', '+', openedForSeconds)))
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return undefined
    this.#database.changed('sessions')
    return this.living(token)
  }

  /** The open sign-in of a cookie. */
  async living(token: string): Promise<OpenedSession | undefined> {
    const at = now()
    const row = await this.#database.query
      .selectFrom('sessions')
      .select(['id', 'remembered', 'expires_at'])
      .where('token_hash', '=', digest(token))
      .where('kind', '=', 'cookie')
      .where('expires_at', '>', at)
      .executeTakeFirst()
    return row && { token, id: row.id, expires_in: row.expires_at - at, remembered: row.remembered === 1 }
  }
}
