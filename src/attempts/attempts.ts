import { sql, type SqlBool } from 'kysely'
import { hash } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { beginsWith } from '../storage/text.ts'
import { networkOf } from '../contract/networks.ts'

/** `burst` at once, then one more every `interval` seconds; `failures` in a row at most, ever. */
interface Limit {
  readonly burst: number
  readonly interval: number
  readonly failures: number
}

const limits = {
  /** An account, from wherever its person has not signed in before. NIST SP 800-63B-4 section 3.2.2 allows a hundred in a row. */
  account: { burst: 10, interval: 60, failures: 100 },
  /** An account, from a network in which its person has signed in: strangers elsewhere use nothing of this up. */
  place: { burst: 10, interval: 20, failures: 100 },
  /** Codes of a second factor, from anywhere: whoever gets here knows the password already. */
  factor: { burst: 5, interval: 60, failures: 100 },
  /** Codes that devices show, by whoever types them: a person, or a network of guests (RFC 8628 section 5.1). */
  device: { burst: 10, interval: 60, failures: Infinity },
  /** A client's network, whatever accounts it tries. */
  network: { burst: 50, interval: 6, failures: Infinity },
} as const satisfies Record<string, Limit>

/** Seconds for which a network stays known after a sign-in. */
const placeMemory = 90 * 86400
/** Seconds after which a count of a name that is nobody's is forgotten. */
const nobodyMemory = 86400
const memories = {
  name: nobodyMemory,
  client: nobodyMemory,
  device: nobodyMemory,
  network: nobodyMemory,
  place: placeMemory,
}
/** What somebody is told to wait who has failed too often in a row; waiting alone does not help. */
const longWait = 3600

interface Bucket {
  readonly key: string
  readonly limit: Limit
}

/** An attempt that was counted as a failure until `succeeded` or `uncount` says otherwise. */
export interface Counted {
  readonly account: string
  readonly network: string | undefined
  readonly buckets: readonly Bucket[]
}

interface Row {
  readonly key: string
  readonly full_until: number
  readonly failures: number
  readonly seen_at: number
}

/** Seconds until the bucket takes one more, or 0. The clock may have been set back: nobody waits longer than a full bucket. */
const waitFor = (row: Row | undefined, { burst, interval, failures }: Limit, at: number): number => {
  if (!row) return 0
  if (row.failures >= failures) return longWait
  const full = Math.min(Math.max(row.full_until, at), at + burst * interval)
  return Math.max(0, full + interval - (at + burst * interval))
}

/**
 * Guesses at passwords and codes. Each is counted before it is checked, in a transaction of its own: parallel ones count each,
 * and what was counted stays so when whatever follows rolls back or dies. The right answer takes it back.
 */
export class Attempts {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Counts one attempt on an account: by the id of its user, or, where nobody is called so, by what was typed, which limits
   * it just the same. Those on a client count from each network apart. Throws rate_limited with the seconds to wait.
   */
  async count(
    who:
      | { userId: string }
      | { factorOf: string }
      | { login: string }
      | { client: string }
      | { deviceOf: string | undefined },
    address: string | undefined,
  ): Promise<Counted> {
    const network = networkOf(address)
    const account =
      'userId' in who
        ? `user ${who.userId}`
        : 'factorOf' in who
          ? `factor ${who.factorOf}`
          : 'client' in who
            ? `client ${who.client} ${network}`
            : 'deviceOf' in who
              ? `device ${who.deviceOf ?? network}`
              : `name ${hash('sha256', who.login.toLowerCase(), 'hex')}`
    // Refusing costs no transaction: a flood of refused ones holds up no writer.
    this.#refuse(await this.#buckets(account, network))
    return this.#database.write(async () => {
      const found = await this.#buckets(account, network)
      this.#refuse(found)
      const at = now()
      for (const { bucket, row } of found) {
        const { burst, interval } = bucket.limit
        const full = Math.min(Math.max(row?.full_until ?? 0, at), at + burst * interval) + interval
        await this.#put({
          key: bucket.key,
          full_until: full,
          failures: (row?.failures ?? 0) + 1,
          seen_at: at,
        })
      }
      return { account, network, buckets: found.map(({ bucket }) => bucket) }
    })
  }

  /**
   * It was the person: nothing that was counted against them counts, and this network is known from now on. Inside the
   * transaction of what it proves.
   */
  async succeeded(counted: Counted): Promise<void> {
    await this.#database.write(async () => {
      await this.uncount(counted)
      const { account, network } = counted
      const [kind, id] = account.split(' ')
      const isPerson = kind === 'user' || kind === 'factor'
      const keys = isPerson ? [`user ${id}`, `factor ${id}`] : [account]
      await this.#database.query.deleteFrom('attempts').where('key', 'in', keys).execute()
      if (network !== undefined && isPerson)
        await this.#put({ key: placeOf(`user ${id}`, network), full_until: 0, failures: 0, seen_at: now() })
    })
  }

  /** It was never checked. */
  async uncount({ buckets }: Counted): Promise<void> {
    await this.#database.write(async () => {
      const rows = await this.#rows(buckets.map(({ key }) => key))
      for (const { key, limit } of buckets) {
        const row = rows.get(key)
        if (!row) continue
        const { full_until, failures } = row
        await this.#put({
          ...row,
          full_until: full_until - limit.interval,
          failures: Math.max(0, failures - 1),
        })
      }
    })
  }

  /** A new password, or whatever else makes earlier guesses worthless, wherever they came from. Known networks stay known. */
  async forget(account: string): Promise<void> {
    await this.#database.write(async () => {
      const { query } = this.#database
      await query.deleteFrom('attempts').where('key', '=', account).execute()
      await query
        .updateTable('attempts')
        .set({ full_until: 0, failures: 0 })
        .where(this.#beginsWith(placeOf(account, '')))
        .execute()
    })
  }

  async sweep(): Promise<void> {
    const at = now()
    for (const [kind, memory] of Object.entries(memories)) {
      const old = sql<SqlBool>`${this.#beginsWith(`${kind} `)} and seen_at < ${at - memory}`
      await sweepRows(this.#database, 'attempts', 'key', old, (query) => query.deleteFrom('attempts'))
    }
  }

  #beginsWith(prefix: string) {
    return beginsWith(this.#database.kind, sql.ref<string>('key'), prefix)
  }

  /** What an attempt counts in, each with what it holds now. */
  async #buckets(account: string, network: string | undefined) {
    const ofUser = account.startsWith('user ')
    const place = network === undefined || !ofUser ? '' : placeOf(account, network)
    const rows = await this.#rows([account, place, `network ${network}`])
    const known = rows.get(place)
    const found: { bucket: Bucket; row: Row | undefined }[] = []
    const add = (key: string, limit: Limit) => found.push({ bucket: { key, limit }, row: rows.get(key) })
    if (known && known.seen_at > now() - placeMemory) add(place, limits.place)
    else add(account, limitOf(account))
    if (network !== undefined) add(`network ${network}`, limits.network)
    return found
  }

  #refuse(found: readonly { bucket: Bucket; row: Row | undefined }[]): void {
    const at = now()
    const wait = Math.max(...found.map(({ bucket, row }) => waitFor(row, bucket.limit, at)))
    if (wait === 0) return
    throw new AppError('rate_limited', 'Too many attempts; try again later', { retry_after: wait })
  }

  async #rows(keys: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const rows = await this.#database.query
      .selectFrom('attempts')
      .selectAll()
      .where('key', 'in', [...keys])
      .execute()
    return new Map(rows.map((row) => [row.key, row]))
  }

  async #put(row: Row): Promise<void> {
    const { key: _, ...rest } = row
    await this.#database.query
      .insertInto('attempts')
      .values(row)
      .onConflict((conflict) => conflict.column('key').doUpdateSet(rest))
      .execute()
  }
}

const limitOf = (account: string): Limit => {
  const [kind] = account.split(' ')
  return kind === 'factor' || kind === 'device' ? limits[kind] : limits.account
}

const placeOf = (account: string, network: string): string => `place ${account.slice(5)} ${network}`
