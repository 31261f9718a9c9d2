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
const lifetime = 24 * 3600

/** The first administrator: needs the token printed at start, or the operator's socket, and closes behind itself. */
export class Setup {
  readonly #database: Database
  readonly #closed: (at: string) => void
  readonly #log: Log

  /** `closed` is called once there is an administrator, with the time. */
  constructor(database: Database, closed: (at: string) => void, log: Log) {
    this.#database = database
    this.#closed = closed
    this.#log = log
  }

  /** Whether nobody administers this instance and nobody ever did. */
  async isOpen(): Promise<boolean> {
    if ((await instanceFact(this.#database, 'initialised_at')) !== undefined) return false
    const { query } = this.#database
    return !(await query.selectFrom('users').select('id').where('is_admin', '=', 1).executeTakeFirst())
  }

  /** Makes the one token of this start; the one of an earlier start is dead from now on. */
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
          expires_at: now() + lifetime,
        })
        .execute()
    })
    return token
  }

  /** Refuses early, before any password is hashed, whoever could not set up anyway. */
  async admit(caller: Caller, token: string | undefined): Promise<void> {
    const { query } = this.#database
    const active = await query
      .selectFrom('users')
      .select('id')
      .where('is_admin', '=', 1)
      .where(maySignInSql())
      .executeTakeFirst()
    if (active)
      throw conflict('There is an administrator already; sign in, or ask one', { reason: 'already_set_up' })
    // The operator may begin anew when every administrator is gone; from outside that door never opens again.
    if (caller.kind === 'operator') return
    if (!(await this.isOpen()))
      throw conflict('This instance was set up before; its operator can run `hero-proxy setup`', {
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
        'This set-up link is not valid any more; start the daemon again for a new one',
        { reason: 'dead_setup_link' },
      )
  }

  /** Inside the transaction that adds the administrator: admits once more and closes. */
  async close(caller: Caller, token: string | undefined): Promise<void> {
    await this.admit(caller, token)
    const { query } = this.#database
    await query.deleteFrom('one_time_tokens').where('purpose', '=', purpose).execute()
    const at = String(now())
    await keepInstanceFact(this.#database, 'initialised_at', at)
    this.#database.afterCommit(() => {
      try {
        this.#closed(at)
      } catch (error) {
        // It is done all the same; the next start tries again.
        this.#log.warn({ error: (error as Error).message }, 'the mark of set-up could not be written')
      }
    })
  }
}
