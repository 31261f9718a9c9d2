import { randomBytes } from 'node:crypto'
import { sql, type SqlBool } from 'kysely'
import type { Audit } from '../../audit/audit.ts'
import type { Caller } from '../../contract/caller.ts'
import { notFound } from '../../contract/errors.ts'
import { digest } from '../../secrets/digest.ts'
import type { Database } from '../../storage/database.ts'
import { newId, now } from '../../storage/ids.ts'
import { sweepRows } from '../../storage/sweeping.ts'
import type { NextValue } from '../signed_in.ts'
import type { SecurityNotices } from '../security_notices.ts'

/** Browsers that one person may trust. */
const maxBrowsers = 10
const daySeconds = 86_400
const looksLikeValue = (value: string | undefined): value is string =>
  value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)

interface Parts {
  readonly database: Database
  readonly audit: Pick<Audit, 'append'>
  readonly notices: Pick<SecurityNotices, 'send'>
  /** The days for which a browser is trusted; 0 for none. */
  readonly days: () => Promise<number>
}

/**
 * Browsers in which people give no second factor when they sign in. Each has a cookie with 256 random bits, of which we store the
 * SHA-256, and a row for each person who trusts it. At each use it gets a new value. The value before counts until a new one has been
 * shown, because an answer can be lost. A value that is older exists twice: somebody has copied it, so the trust ends.
 */
export class TrustedBrowsers {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get #query() {
    return this.#parts.database.query
  }

  /** Whether a person may leave out the second factor in the browser that shows this value. A copied value ends the trust of all in it. */
  async admits(userId: string, caller: Caller): Promise<boolean> {
    if (!looksLikeValue(caller.trusted)) return false
    const known = await this.#known(caller.trusted)
    if (!known) return false
    if (known.state === 'old') {
      await this.#parts.database.write(() => this.#copied(known.browser, caller))
      return false
    }
    return (await this.#row(userId, known.browser)) !== undefined
  }

  /** Uses a value in place of a second factor. Undefined if it does not count. Inside the transaction of the sign-in. */
  async use(userId: string, { trusted }: Caller): Promise<NextValue | undefined> {
    const known = looksLikeValue(trusted) ? await this.#known(trusted) : undefined
    const row = known && known.state !== 'old' ? await this.#row(userId, known.browser) : undefined
    if (!row) return undefined
    await this.#query
      .updateTable('trusted_browsers')
      .set({ last_used_at: now() })
      .where('id', '=', row.id)
      .execute()
    return this.#next(row.browser, digest(trusted!))
  }

  /** A person who has just given a second factor trusts this browser. Undefined while nobody may. Inside a transaction. */
  async trust(userId: string, caller: Caller): Promise<NextValue | undefined> {
    const days = await this.#parts.days()
    if (days === 0) return undefined
    const shown = looksLikeValue(caller.trusted) ? await this.#known(caller.trusted) : undefined
    if (shown?.state === 'old') await this.#copied(shown.browser, caller)
    const isKnown = shown !== undefined && shown.state !== 'old'
    const browser = isKnown ? shown.browser : newId()
    const at = now()
    const facts = {
      address: caller.address ?? '',
      user_agent: (caller.user_agent ?? '').slice(0, 300),
      created_at: at,
      last_used_at: at,
      expires_at: at + days * daySeconds,
    }
    await this.#query
      .insertInto('trusted_browsers')
      .values({ id: newId(), user_id: userId, browser, ...facts })
      .onConflict((same) => same.columns(['user_id', 'browser']).doUpdateSet(facts))
      .execute()
    await this.#makeRoom(userId)
    return this.#next(browser, isKnown ? digest(caller.trusted!) : undefined)
  }

  /** The browsers that a person trusts, the newest first. `shown` is the value of the browser that asks. */
  async list(userId: string, shown: string | undefined) {
    const known = looksLikeValue(shown) ? await this.#known(shown) : undefined
    const rows = await this.#living(userId).orderBy('id', 'desc').execute()
    return rows.map(({ id, browser, address, user_agent, created_at, last_used_at, expires_at }) => ({
      id,
      address,
      user_agent,
      created_at,
      last_used_at,
      expires_at,
      current: known !== undefined && known.state !== 'old' && known.browser === browser,
    }))
  }

  /** Throws not_found, also for a browser of somebody else. Inside a transaction. */
  async revoke(userId: string, id: string): Promise<void> {
    const { numDeletedRows } = await this.#query
      .deleteFrom('trusted_browsers')
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw notFound('trusted browser', id)
  }

  /** A person trusts no browser any more. Others who use the same ones do. Inside a transaction. */
  async forget(userId: string): Promise<void> {
    await this.#query.deleteFrom('trusted_browsers').where('user_id', '=', userId).execute()
  }

  async sweep(): Promise<void> {
    const { database } = this.#parts
    await sweepRows(database, 'trusted_browsers', 'id', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('trusted_browsers'),
    )
    const unused = sql<SqlBool>`not exists (
      select 1 from trusted_browsers where trusted_browsers.browser = trusted_values.browser)`
    await sweepRows(database, 'trusted_values', 'value_hash', unused, (query) =>
      query.deleteFrom('trusted_values'),
    )
  }

  #known(value: string) {
    return this.#query
      .selectFrom('trusted_values')
      .select(['browser', 'state'])
      .where('value_hash', '=', digest(value))
      .executeTakeFirst()
  }

  #living(userId: string) {
    return this.#query
      .selectFrom('trusted_browsers')
      .selectAll()
      .where('user_id', '=', userId)
      .where('expires_at', '>', now())
  }

  /** Fewer days since count at once; more days do not lengthen what the page promised. */
  async #row(userId: string, browser: string) {
    const days = await this.#parts.days()
    return this.#living(userId)
      .where('browser', '=', browser)
      .where('created_at', '>', now() - days * daySeconds)
      .executeTakeFirst()
  }

  /** Gives a browser its next value. The one that it has shown is its current one now, and all others of it are old. */
  async #next(browser: string, shown: string | undefined): Promise<NextValue> {
    if (shown !== undefined) {
      const isCurrent = sql<SqlBool>`value_hash = ${shown} and state = 'current'`
      const current = await this.#query
        .selectFrom('trusted_values')
        .select('value_hash')
        .where(isCurrent)
        .executeTakeFirst()
      // Shown again, it leaves the values that were given since as they are: one of them may be what the browser keeps.
      if (!current) {
        const values = this.#query.updateTable('trusted_values').where('browser', '=', browser)
        await values.set({ state: 'old' }).where('value_hash', '!=', shown).execute()
        await values.set({ state: 'current' }).where('value_hash', '=', shown).execute()
      }
    }
    const value = randomBytes(32).toString('base64url')
    await this.#query
      .insertInto('trusted_values')
      .values({ value_hash: digest(value), browser, state: 'next' })
      .execute()
    const { until } = await this.#query
      .selectFrom('trusted_browsers')
      .select(({ fn }) => fn.max('expires_at').as('until'))
      .where('browser', '=', browser)
      .executeTakeFirstOrThrow()
    return { value, expires_in: until! - now() }
  }

  async #makeRoom(userId: string): Promise<void> {
    const rows = await this.#living(userId).orderBy('last_used_at', 'desc').orderBy('id', 'desc').execute()
    const oldest = rows.slice(maxBrowsers).map(({ id }) => id)
    if (oldest.length > 0)
      await this.#query.deleteFrom('trusted_browsers').where('id', 'in', oldest).execute()
  }

  /** Ends the trust of everybody in a browser, and tells them. */
  async #copied(browser: string, caller: Caller): Promise<void> {
    const rows = await this.#query
      .deleteFrom('trusted_browsers')
      .where('browser', '=', browser)
      .returning('user_id')
      .execute()
    await this.#query.deleteFrom('trusted_values').where('browser', '=', browser).execute()
    for (const { user_id } of rows) {
      await this.#parts.notices.send('trust_ended', user_id, caller)
      await this.#parts.audit.append(caller, 'auth.trusted_browser', `id=${user_id}`, 'copied')
    }
  }
}
