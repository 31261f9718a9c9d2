import { randomBytes } from 'node:crypto'
import { digest } from '../../secrets/digest.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import { invalidLink, noticePurposes } from '../one_time_token.ts'

export const noticeLinkSeconds = 7 * 86_400
/** How far in the future, in seconds, a row may have been created, because clocks differ. */
const maxClockSkewSeconds = 300
/** Links of each purpose that a person may have at once. Any older one ends more than a newer one would, so the newer ones can be left out. */
const maxLive = 100

/** The event that a security notice reported. */
export interface ReportedEvent {
  readonly user_id: string
  /** Where the notice went. */
  readonly address: string
  /** Whether the person had changed their address, so that this one can come back. */
  readonly restores: boolean
  /** When it happened. */
  readonly at: number
}

/**
 * The links in security notices, by which people say that it wasn't them. They sign nobody in, so that they outlive what ends other
 * links: an intruder who changes the password does not silence the notice of their own sign-in.
 */
export class NoticeLinks {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Returns the token of a new link, or undefined if the person has very many. Inside the transaction of the event. */
  async issue(userId: string, address: string, restores: boolean): Promise<string | undefined> {
    const { query } = this.#database
    const purpose = restores ? 'restore_address' : 'not_me'
    const { count } = await query
      .selectFrom('one_time_tokens')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('user_id', '=', userId)
      .where('purpose', '=', purpose)
      .executeTakeFirstOrThrow()
    if (Number(count) >= maxLive) return undefined
    const token = randomBytes(32).toString('base64url')
    const created_at = now()
    const expires_at = created_at + noticeLinkSeconds
    await query
      .insertInto('one_time_tokens')
      .values({
        token_hash: digest(token),
        purpose,
        user_id: userId,
        address,
        created_at,
        expires_at,
      })
      .execute()
    return token
  }

  /** Returns what a link reports, without using it up. Undefined if it does not work. */
  async find(token: string): Promise<ReportedEvent | undefined> {
    const row = await this.#database.query
      .selectFrom('one_time_tokens')
      .select(['user_id', 'address', 'purpose', 'created_at'])
      .where('token_hash', '=', digest(token))
      .where('purpose', 'in', noticePurposes)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    // Without this check, a clock that was set back would extend the life of a link.
    if (!row || row.user_id === null || row.created_at > now() + maxClockSkewSeconds) return undefined
    const { user_id, address, created_at: at, purpose } = row
    return { user_id, address, at, restores: purpose === 'restore_address' }
  }

  /** Ends the links about what happened since a time: they went to addresses that are no longer believed. Inside a transaction. */
  async forgetSince(userId: string, since: number): Promise<void> {
    const links = this.#database.query.deleteFrom('one_time_tokens').where('user_id', '=', userId)
    await links.where('purpose', 'in', noticePurposes).where('created_at', '>=', since).execute()
  }

  /** Uses a link up. Of several concurrent calls, only one succeeds. Inside a transaction. */
  async use(token: string): Promise<ReportedEvent> {
    const event = await this.find(token)
    if (!event) throw invalidLink()
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw invalidLink()
    return event
  }
}
