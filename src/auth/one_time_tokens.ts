import { sql } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** What a mailed link is good for, and for how many seconds. A link of one purpose is worth nothing for another. */
export const lifetimes = {
  verify: 24 * 3600,
  change: 24 * 3600,
  reset: 3600,
  magic: 900,
  invite: 7 * 24 * 3600,
} as const
export type Purpose = keyof typeof lifetimes

/** Half a sign-in, by what was proven already: worth a try at the second factor, for five minutes. Never mailed. */
export type Half = 'after_password' | 'after_magic_link' | 'after_provider'
export const halves: readonly Half[] = ['after_password', 'after_magic_link', 'after_provider']
const halfLifetime = 300

export interface Link {
  readonly user_id: string | null
  /** Where it was sent to, in lower case; empty if nowhere. */
  readonly address: string
}

/** What a provider vouched for, until the second step is done. */
export interface ByProvider {
  readonly provider: string
  readonly identity_id: string
  readonly at_provider: { readonly sid: string; readonly id_token: string }
  /**
   * The host to which the answer was sent on: its pages could send another's answer, and read what comes of it. The session counts
   * there alone.
   */
  readonly only_at?: string | undefined
  /** When the person proved themselves to the provider, as far as it tells; 0 where it does not. */
  readonly proven_at: number
}

/** Of any link that opens nothing, whatever the reason: the words are the same. */
export const deadLink = () =>
  new AppError(
    'unauthenticated',
    'This link is not valid any more: it was used, is too old, or a newer one was sent',
    { reason: 'dead_link' },
  )

/** Mailed links: 256 bits, of which we keep the SHA-256; each works once, and only the newest of its kind. */
export class Links {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** A new token; older ones for this purpose and address are dead. For nobody (null) it is made just the same, and opens nothing. */
  async issue(
    purpose: Purpose,
    userId: string | null,
    address: string,
    lifetime: number = lifetimes[purpose],
  ) {
    const to = address.toLowerCase()
    return this.#database.write(async () => {
      const { query } = this.#database
      const older = query.deleteFrom('one_time_tokens').where('purpose', '=', purpose)
      await older.where('address', '=', to).execute()
      if (userId !== null) await older.where('user_id', '=', userId).execute()
      return this.#insert(purpose, userId, to, lifetime)
    })
  }

  /** A token for half a sign-in; several may be on their way, in several browsers. */
  async begin(half: Half, userId: string, by?: ByProvider): Promise<string> {
    return this.#database.write(async () => {
      const token = await this.#insert(half, userId, '', halfLifetime)
      if (by) {
        const { provider, identity_id, at_provider, only_at = '', proven_at } = by
        const { sid: provider_sid, id_token: provider_id_token } = at_provider
        await this.#database.query
          .insertInto('provider_proofs')
          .values({
            token_hash: digest(token),
            provider,
            identity_id,
            provider_sid,
            provider_id_token,
            only_at,
            proven_at,
          })
          .execute()
      }
      return token
    })
  }

  /** What a provider vouched for in the first half of a sign-in. Read before the token is used: it goes with it. */
  async vouchedFor(token: string): Promise<ByProvider | undefined> {
    const row = await this.#database.query
      .selectFrom('provider_proofs')
      .selectAll()
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (!row) return undefined
    const { provider, identity_id, provider_sid, provider_id_token, only_at, proven_at } = row
    const at_provider = { sid: provider_sid, id_token: provider_id_token }
    return { provider, identity_id, at_provider, only_at: only_at || undefined, proven_at }
  }

  async #insert(purpose: Purpose | Half, userId: string | null, address: string, lifetime: number) {
    const token = randomBytes(32).toString('base64url')
    const at = now()
    await this.#database.query
      .insertInto('one_time_tokens')
      .values({
        token_hash: digest(token),
        purpose,
        user_id: userId,
        address,
        created_at: at,
        expires_at: at + lifetime,
      })
      .execute()
    return token
  }

  /** What a token is for, without using it up; throws unauthenticated for a dead one. */
  async read<P extends Purpose | Half>(
    token: string,
    ...purposes: readonly P[]
  ): Promise<Link & { readonly purpose: P }> {
    const row = await this.#database.query
      .selectFrom('one_time_tokens')
      .select(['user_id', 'address', 'purpose', 'created_at'])
      .where('token_hash', '=', digest(token))
      .where('purpose', 'in', purposes)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    // A clock that was set back would make a link live for longer than it was given.
    if (!row || row.created_at > now() + 300) throw deadLink()
    return row as typeof row & { purpose: P }
  }

  /** Uses a token up; of any number at the same time one gets it. Inside the transaction of what it allows. */
  async use<P extends Purpose | Half>(
    token: string,
    ...purposes: readonly P[]
  ): Promise<Link & { readonly purpose: P }> {
    const link = await this.read(token, ...purposes)
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw deadLink()
    return link
  }

  /** Every link of a person is dead: the password or the address is another one now, or the account is not active. */
  async forget(userId: string): Promise<void> {
    await this.#database.query.deleteFrom('one_time_tokens').where('user_id', '=', userId).execute()
  }

  /** Sign-ins of a person that are half done come to nothing. */
  async forgetHalves(userId: string): Promise<void> {
    await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('user_id', '=', userId)
      .where('purpose', 'in', halves)
      .execute()
  }

  /**
   * The same of what a provider vouched for: all of it, a person's part, or what it calls by one name; of a person's part also what
   * has no name, which could be that. Returns how many. Inside a transaction.
   */
  async endVouchedFor(provider: string, { userId, sid }: { userId?: string; sid?: string }): Promise<number> {
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('purpose', '=', 'after_provider')
      .$if(userId !== undefined, (ended) => ended.where('user_id', '=', userId!))
      .where('token_hash', 'in', (query) =>
        query
          .selectFrom('provider_proofs')
          .select('token_hash')
          .where('provider', '=', provider)
          .$if(sid !== undefined, (proofs) =>
            proofs.where('provider_sid', 'in', userId === undefined ? [sid!] : [sid!, '']),
          ),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'one_time_tokens', 'token_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('one_time_tokens'),
    )
  }
}
