import { sql, type Insertable } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { browserHash, codeHash, codeLifetimeSeconds, newCode, openedBy, type LinkKey } from './mailed_code.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { bit, isUnconfirmedSql, type AuthTables, type Bit } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { keepProviderProof, readProviderProof } from './provider_proofs.ts'
import {
  firstSteps,
  noticePurposes,
  invalidLink,
  tokenLifetimesSeconds,
  type FirstStep,
  type OneTimeToken,
  type ProviderProof,
  type FormPurpose,
  type Purpose,
  type WantedNames,
} from './one_time_token.ts'

const halfLifetimeSeconds = 300
/** How far in the future, in seconds, a row may have been created, because clocks differ. */
const maxClockSkewSeconds = 300
/** Links of one purpose that may be live for one address at the same time. */
const maxLive = 5

/** Who a link is for, and what for. */
interface Link {
  readonly purpose: Purpose
  /** Null for nobody: the link is issued, but opens nothing. */
  readonly userId: string | null
  readonly address: string
  readonly lifetime?: number
  /** The browser that asks. */
  readonly browser?: string | undefined
  /** With this secret of the browser, the mail carries a code as well. */
  readonly browserSecret?: string | undefined
  /** The names that a registration wants. */
  readonly wanted?: WantedNames | undefined
  /** Whether the person asks to stay signed in in that browser. */
  readonly remember?: boolean
}

/** Mailed links: tokens of 256 bits, stored as SHA-256. Each works once, and so does the code beside it. */
export class OneTimeTokens {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Issues a link if `mail`, which gets its token and its code, queues the mail that carries them: no link is made without its mail, and a
   * request that sends nothing leaves older links as they are. A newer link replaces an older one only if the same browser
   * asked for both, so that nobody can end another person's link by asking for one. Returns whether it was issued.
   */
  async issue(
    link: Link,
    mail: (token: string, code: string | undefined) => Promise<boolean>,
  ): Promise<boolean> {
    const { purpose, userId, browser = '', browserSecret, wanted, remember = false } = link
    const address = link.address.toLowerCase()
    return this.#database.write(async () => {
      const { query } = this.#database
      const live = await query
        .selectFrom('one_time_tokens')
        .select(['token_hash', 'browser'])
        .where('purpose', '=', purpose)
        .where((w) =>
          w.or([w('address', '=', address), ...(userId === null ? [] : [w('user_id', '=', userId)])]),
        )
        .where('expires_at', '>', now())
        .execute()
      const replaced = live.filter((older) => browser !== '' && older.browser === browser)
      if (live.length - replaced.length >= maxLive) return false
      const token = randomBytes(32).toString('base64url')
      const code = browserSecret === undefined ? undefined : newCode()
      if (!(await mail(token, code))) return false
      const hashes = replaced.map(({ token_hash }) => token_hash)
      if (hashes.length > 0)
        await query.deleteFrom('one_time_tokens').where('token_hash', 'in', hashes).execute()
      const lifetime = link.lifetime ?? tokenLifetimesSeconds[purpose]
      await this.#insert(token, purpose, userId, address, lifetime, {
        browser,
        wanted: wanted === undefined ? '' : JSON.stringify(wanted),
        remember: bit(remember),
        ...(code !== undefined && {
          code_hash: codeHash({ code, browser_secret: browserSecret! }),
          code_browser: browserHash(browserSecret!),
          code_until: now() + Math.min(lifetime, codeLifetimeSeconds),
        }),
      })
      return true
    })
  }

  /** Issues a link that is shown to somebody, and not mailed. Those of the person before end. Inside a transaction. */
  async issueShown(purpose: 'recovery' | 'enrolment', userId: string, wanted: WantedNames): Promise<string> {
    const earlier = this.#database.query.deleteFrom('one_time_tokens').where('user_id', '=', userId)
    await earlier.where('purpose', '=', purpose).execute()
    const token = randomBytes(32).toString('base64url')
    const more = { wanted: JSON.stringify(wanted) }
    await this.#insert(token, purpose, userId, '', tokenLifetimesSeconds[purpose], more)
    return token
  }

  /** Issues a token for the second step of a sign-in. A user may have several, in several browsers. */
  async begin(
    half: FirstStep,
    userId: string,
    { remember, by }: { readonly remember: boolean; readonly by?: ProviderProof | undefined },
  ): Promise<string> {
    return this.#database.write(async () => {
      const token = randomBytes(32).toString('base64url')
      await this.#insert(token, half, userId, '', halfLifetimeSeconds, { remember: bit(remember) })
      if (by) await keepProviderProof(this.#database, token, by)
      return token
    })
  }

  /** Returns what a provider asserted in the first step. Call it before `use`, which deletes this row with the token. */
  providerProof(token: string): Promise<ProviderProof | undefined> {
    return readProviderProof(this.#database, token)
  }

  async #insert(
    token: string,
    purpose: Purpose | FirstStep,
    userId: string | null,
    address: string,
    lifetime: number,
    more: Partial<Insertable<AuthTables['one_time_tokens']>> = {},
  ): Promise<void> {
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
        ...more,
      })
      .execute()
  }

  /** Returns what a link is for, without using it up. Throws unauthenticated if it is not valid. */
  async read<P extends FormPurpose | FirstStep>(
    key: LinkKey,
    ...purposes: readonly P[]
  ): Promise<OneTimeToken & { readonly purpose: P }> {
    const row = await this.#database.query
      .selectFrom('one_time_tokens')
      .leftJoin('users', 'users.id', 'one_time_tokens.user_id')
      .select([
        'user_id',
        'address',
        'purpose',
        'wanted',
        'browser',
        'remember',
        'one_time_tokens.created_at',
      ])
      .select(sql<Bit | null>`case when ${isUnconfirmedSql()} then 1 end`.as('unconfirmed'))
      .where(openedBy(key))
      .where('purpose', 'in', purposes)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    // Without this check, a clock that was set back would extend the life of a link.
    if (!row || row.created_at > now() + maxClockSkewSeconds) throw invalidLink()
    const wanted = row.wanted === '' ? undefined : (JSON.parse(row.wanted) as WantedNames)
    const [unconfirmed, remember] = [row.unconfirmed === 1, row.remember === 1]
    return { ...row, purpose: row.purpose as P, wanted, unconfirmed, remember }
  }

  /** Returns what a link is for, if it would still work. Asking uses nothing up. */
  async find<P extends FormPurpose>(
    key: LinkKey,
    ...purposes: readonly P[]
  ): Promise<(OneTimeToken & { readonly purpose: P }) | undefined> {
    try {
      const link = await this.read(key, ...purposes)
      return link.user_id !== null || link.purpose === 'setup' ? link : undefined
    } catch (error) {
      if (error instanceof AppError) return undefined
      throw error
    }
  }

  /** Uses a link up, with its code. Of several concurrent calls, only one succeeds. Call it inside the transaction that the token permits. */
  async use<P extends Purpose | FirstStep>(
    key: LinkKey,
    ...purposes: readonly P[]
  ): Promise<OneTimeToken & { readonly purpose: P }> {
    const link = await this.read(key, ...purposes)
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where(openedBy(key))
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw invalidLink()
    return link
  }

  /** Deletes the tokens of a user that open anything: the password or the address changed, or the account was deactivated. */
  async forget(userId: string): Promise<void> {
    const { query } = this.#database
    const tokens = query.deleteFrom('one_time_tokens').where('user_id', '=', userId)
    await tokens.where('purpose', 'not in', noticePurposes).execute()
  }

  /** Deletes the half-completed sign-ins of a user. */
  async forgetFirstSteps(userId: string): Promise<void> {
    await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('user_id', '=', userId)
      .where('purpose', 'in', firstSteps)
      .execute()
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'one_time_tokens', 'token_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('one_time_tokens'),
    )
  }
}
