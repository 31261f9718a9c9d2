import { randomBytes } from 'node:crypto'
import type { Caller } from '../contract/caller.ts'
import { digest } from '../secrets/digest.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { instanceFact, keepInstanceFact } from '../storage/instance_facts.ts'
import { maySignInSql } from '../storage/schema.ts'

const purpose = 'setup'
const tokenLifetimeSeconds = 24 * 3600

/**
 * Set-up creates the first administrator. It needs the token that was printed at the start, or the operator's socket. Afterwards it
 * is closed.
 */
export class Setup {
  readonly #database: Database
  readonly #closed: (at: string) => void
  readonly #log: Log

  /** `closed` is called with the time, as soon as an administrator exists. */
  constructor(database: Database, closed: (at: string) => void, log: Log) {
    this.#database = database
    this.#closed = closed
    this.#log = log
  }

  /** Whether this instance has no administrator and never had one. */
  async isOpen(): Promise<boolean> {
    if ((await instanceFact(this.#database, 'initialised_at')) !== undefined) return false
    const { query } = this.#database
    return !(await query.selectFrom('users').select('id').where('is_admin', '=', 1).executeTakeFirst())
  }

  /** Issues the token of this start and deletes the token of an earlier start. */
  async issueToken(): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    await this.#database.write(async () => {
      await this.#database.query.deleteFrom('one_time_tokens').where('purpose', '=', purpose).execute()
      await this.#database.query
        .insertInto('one_time_tokens')
        .values({
          token_hash: digest(token),
          purpose,
          user_id: null,
          address: '',
          created_at: now(),
          expires_at: now() + tokenLifetimeSeconds,
        })
        .execute()
    })
    return token
  }

  /** Refuses a hopeless call early, before the slow hashing of its password. */
  async assertAllowed(caller: Caller, token: string | undefined): Promise<void> {
    const { query } = this.#database
    const administrator = await query
      .selectFrom('users')
      .select('id')
      .where('is_admin', '=', 1)
      .where(maySignInSql())
      .executeTakeFirst()
    if (administrator)
      throw conflict('An administrator already exists; sign in, or ask an administrator', {
        reason: 'already_set_up',
      })
    // The operator may run set-up again when every administrator is gone. A remote caller never may.
    if (caller.kind === 'operator') return
    if (!(await this.isOpen()))
      throw conflict('This instance is already set up; its operator can run `hero-proxy setup`', {
        reason: 'set_up_before',
      })
    const row =
      token === undefined
        ? undefined
        : await query
            .selectFrom('one_time_tokens')
            .select('token_hash')
            .where('token_hash', '=', digest(token))
            .where('purpose', '=', purpose)
            .where('expires_at', '>', now())
            .executeTakeFirst()
    if (!row)
      throw new AppError(
        'unauthenticated',
        'This set-up link is no longer valid; restart the daemon for a new one',
        { reason: 'dead_setup_link' },
      )
  }

  /** Call it inside the transaction that adds the administrator: it checks again and closes set-up. */
  async close(caller: Caller, token: string | undefined): Promise<void> {
    await this.assertAllowed(caller, token)
    const { query } = this.#database
    await query.deleteFrom('one_time_tokens').where('purpose', '=', purpose).execute()
    const at = String(now())
    await keepInstanceFact(this.#database, 'initialised_at', at)
    this.#database.afterCommit(() => {
      try {
        this.#closed(at)
      } catch (error) {
        // Set-up is complete nevertheless. The next start writes the marker again.
        this.#log.warn({ error: (error as Error).message }, 'could not write the set-up marker')
      }
    })
  }
}
