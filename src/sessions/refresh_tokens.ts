import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { SessionRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { looksLikeToken, newToken } from './session_token.ts'

/** Seconds within which a repeated refresh token is taken for a retry by the same program after a lost answer. */
const refreshGraceSeconds = 10

/** Tokens that renew the sessions of programs: each works once, within a lifetime that starts at the sign-in. */
export class RefreshTokens {
  readonly #database: Database
  readonly #limit: (name: 'session_idle' | 'refresh_lifetime') => Promise<number>

  /** `limit` reads a setting, in seconds. */
  constructor(database: Database, limit: (name: 'session_idle' | 'refresh_lifetime') => Promise<number>) {
    this.#database = database
    this.#limit = limit
  }

  /**
   * Issues a token for a session. It expires `refresh_lifetime` after the sign-in, however often it is renewed. Inside
   * a transaction.
   */
  async issue({ id, created_at }: Pick<SessionRow, 'id' | 'created_at'>): Promise<string> {
    const token = newToken()
    const expires_at = created_at + (await this.#limit('refresh_lifetime'))
    await this.#database.query
      .insertInto('refresh_tokens')
      .values({ token_hash: digest(token), session_id: id, created_at: now(), expires_at, used_at: null })
      .execute()
    return token
  }

  /**
   * Returns what a refresh token renews, or undefined for an invalid one. `reused` if it was used before: somebody else
   * may have it, unless that was just now and the answer was lost.
   */
  async read(token: string) {
    if (!looksLikeToken(token)) return undefined
    const row = await this.#database.query
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
      .select(['sessions.id', 'sessions.user_id', 'sessions.created_at', 'refresh_tokens.used_at'])
      .where('refresh_tokens.token_hash', '=', digest(token))
      .where('refresh_tokens.expires_at', '>', now())
      .where('sessions.last_used_at', '>', now() - (await this.#limit('session_idle')))
      .executeTakeFirst()
    if (!row) return undefined
    const { used_at, ...session } = row
    return {
      ...session,
      reused: used_at === null ? null : used_at > now() - refreshGraceSeconds ? 'just now' : 'before',
    }
  }

  /**
   * Marks a token as used and returns what it renews. Undefined for an invalid one, or if another call was first.
   * Inside a transaction.
   */
  async use(token: string): Promise<Pick<SessionRow, 'id' | 'created_at'> | undefined> {
    const session = await this.read(token)
    const { numUpdatedRows } = await this.#database.query
      .updateTable('refresh_tokens')
      .set({ used_at: now() })
      .where('token_hash', '=', digest(token))
      .where('used_at', 'is', null)
      .executeTakeFirst()
    return numUpdatedRows === 1n ? session : undefined
  }

  /** Deletes expired tokens. */
  async sweep(at: number): Promise<void> {
    await sweepRows(this.#database, 'refresh_tokens', 'token_hash', sql`expires_at <= ${at}`, (query) =>
      query.deleteFrom('refresh_tokens'),
    )
  }
}
