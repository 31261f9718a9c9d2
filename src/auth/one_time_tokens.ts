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
  /** Where it was sent to, in lower case; of half a sign-in by a provider, what is known of that. */
  readonly address: string
}

/** Of any link that opens nothing, whatever the reason: the words are the same. */
export const deadLink = () =>
  new AppError(
    'unauthenticated',
    'This link is not valid any more: it was used, is too old, or a newer one was sent',
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
  async begin(half: Half, userId: string, about = ''): Promise<string> {
    return this.#database.write(() => this.#insert(half, userId, about, halfLifetime))
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

  /** The same of one kind, whoever's they are: of those that are `over`. Tells how many. Inside a transaction. */
  async endHalves(half: Half, over: (begun: Link) => boolean): Promise<number> {
    const { query } = this.#database
    const begun = await query
      .selectFrom('one_time_tokens')
      .select(['token_hash', 'user_id', 'address'])
      .where('purpose', '=', half)
      .execute()
    const ended = begun.filter(over)
    for (const { token_hash } of ended)
      await query.deleteFrom('one_time_tokens').where('token_hash', '=', token_hash).execute()
    return ended.length
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'one_time_tokens', 'token_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('one_time_tokens'),
    )
  }
}
