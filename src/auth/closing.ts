import { operator, type Caller } from '../contract/caller.ts'
import { conflict } from '../contract/errors.ts'
import type { Audit } from '../audit/audit.ts'
import type { Log } from '../log/log.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { attendEach } from '../storage/sweeping.ts'
import type { Users } from '../users/users.ts'
import type { LinkMails } from './link_mails.ts'
import { invalidLink } from './one_time_token.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'

interface Parts {
  readonly database: Database
  readonly log: Log
  readonly audit: Audit
  readonly users: Users
  readonly sessions: Sessions
  readonly links: OneTimeTokens
  readonly mailed: LinkMails
  readonly setting: <K extends 'self_delete' | 'delete_days'>(key: K) => Promise<SettingValues[K]>
}

const system = operator({ via: 'socket' })
/** How many accounts one sweep removes. */
const maxRemoved = 100

/** Accounts that their people close: off at once, and gone after some days unless a mailed link takes it back. */
export class ClosedAccounts {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async mayClose(): Promise<boolean> {
    return this.#parts.setting('self_delete')
  }

  async days(): Promise<number> {
    return this.#parts.setting('delete_days')
  }

  /** Throws conflict if nobody may do so here, or for the last administrator. Inside a transaction. */
  async close(userId: string, caller: Caller): Promise<{ removes_at: number; link_mailed: boolean }> {
    const { database, users, sessions, mailed, setting } = this.#parts
    if (!(await setting('self_delete')))
      throw conflict('People cannot delete their accounts here', { reason: 'no_self_delete' })
    const { username } = await users.get({ id: userId })
    const user = await users.update(username, { is_active: false }, system)
    await sessions.revokeAll(userId, 'deactivated')
    const closed_at = user.updated_at
    const lifetime = (await this.days()) * 86_400
    const removes_at = closed_at + lifetime
    await database.query
      .insertInto('closed_accounts')
      .values({ user_id: userId, closed_at, removes_at })
      .onConflict((same) => same.column('user_id').doUpdateSet({ closed_at, removes_at }))
      .execute()
    const { email } = user
    // After the sessions, whose end forgets every older link.
    if (email !== null) await mailed.send('reopen', user, email, caller, { lasting: lifetime })
    return { removes_at, link_mailed: email !== null }
  }

  /** Takes it back, by the link. Throws unauthenticated if somebody has changed the account since. Inside a transaction. */
  async reopen(token: string): Promise<{ user: string }> {
    const { database, users, links } = this.#parts
    const { user_id } = await links.use(token, 'reopen')
    const row = user_id === null ? undefined : await this.#untouched(user_id)
    if (!row) throw invalidLink()
    await users.update(row.username, { is_active: true }, system)
    await database.query.deleteFrom('closed_accounts').where('user_id', '=', row.user_id).execute()
    return { user: row.username }
  }

  /** Removes what is due. An account that anybody has changed since it was closed stays: that was somebody's decision about it. */
  async sweep(): Promise<void> {
    const { database, audit, users, sessions } = this.#parts
    const due = await database.query
      .selectFrom('closed_accounts')
      .select('user_id as id')
      .where('removes_at', '<=', now())
      .limit(maxRemoved)
      .execute()
    await attendEach(
      this.#parts,
      'could not remove an account that its person closed',
      due,
      async ({ id }) => {
        const row = await this.#untouched(id)
        await database.query.deleteFrom('closed_accounts').where('user_id', '=', id).execute()
        if (!row || row.removes_at > now()) return
        await sessions.revokeAll(id, 'removed')
        await users.remove(row.username, system)
        await audit.append(system, 'users.remove', `username=${row.username} closed by its person`, 'ok')
      },
    )
  }

  /** A closed account that is as it was when it was closed. */
  #untouched(userId: string) {
    return this.#parts.database.query
      .selectFrom('closed_accounts')
      .innerJoin('users', 'users.id', 'closed_accounts.user_id')
      .select(['user_id', 'username', 'removes_at'])
      .where('user_id', '=', userId)
      .where('users.is_active', '=', 0)
      .whereRef('users.updated_at', '=', 'closed_accounts.closed_at')
      .executeTakeFirst()
  }
}
