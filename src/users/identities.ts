import { alreadyExists } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { signInColumns } from '../storage/schema.ts'

/** What a provider reports about an account at every sign-in. */
export interface ReportedIdentity {
  readonly login: string
  readonly avatar_url: string
  /** The address that it has verified; undefined if it reports none. */
  readonly email?: string
}

/** Accounts at providers, by provider and subject, and the users they are linked to. */
export class Identities {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The identity and its user, even if that user may not sign in. */
  async find(provider: string, subject: string) {
    return this.#database.query
      .selectFrom('user_identities')
      .innerJoin('users', 'users.id', 'user_identities.user_id')
      .select([
        'user_identities.id',
        'user_identities.email as reported_email',
        'users.id as user_id',
        'users.username',
        ...signInColumns,
        'users.has_factor',
      ])
      .where('user_identities.provider', '=', provider)
      .where('user_identities.subject', '=', subject)
      .executeTakeFirst()
  }

  /** Links an identity to a user; the caller has verified that it is theirs. Inside a transaction. */
  async link(userId: string, provider: string, subject: string, reported: ReportedIdentity) {
    if (await this.find(provider, subject)) throw alreadyExists('subject', 'subject')
    const at = now()
    const row = {
      id: newId(),
      user_id: userId,
      provider,
      subject,
      email: '',
      ...reported,
      created_at: at,
      last_used_at: at,
    }
    await this.#database.query.insertInto('user_identities').values(row).execute()
    this.#database.changed('users')
    return row
  }

  /** Records that the user has just signed in with this identity. Inside a transaction. */
  async recordSignIn(id: string, reported: ReportedIdentity): Promise<void> {
    await this.#database.query
      .updateTable('user_identities')
      .set({ ...reported, last_used_at: now() })
      .where('id', '=', id)
      .execute()
  }

  /** Removes the identities that were linked to a user since a time, and returns them. Inside a transaction. */
  async forgetSince(userId: string, since: number): Promise<{ id: string; provider: string }[]> {
    const removed = await this.#database.query
      .deleteFrom('user_identities')
      .where('user_id', '=', userId)
      .where('created_at', '>=', since)
      .returning(['id', 'provider'])
      .execute()
    this.#database.changed('users')
    return removed
  }

  /** Removes all identities of a provider that was removed. Inside a transaction. */
  async forgetProvider(provider: string): Promise<void> {
    await this.#database.query.deleteFrom('user_identities').where('provider', '=', provider).execute()
    this.#database.changed('users')
  }
}
