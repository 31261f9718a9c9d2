import { sql, type SqlBool } from 'kysely'
import { hash } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { beginsWith } from '../storage/text.ts'
import { networkOf } from '../contract/networks.ts'
import { limitOf, limits, waitSeconds, type Limit, type Row } from './limits.ts'

/** Seconds for which a network stays known after a sign-in. */
const placeMemorySeconds = 90 * 86400
/** Seconds after which the count for an unknown username is forgotten. */
const unknownNameMemorySeconds = 86400
const memorySeconds = {
  name: unknownNameMemorySeconds,
  client: unknownNameMemorySeconds,
  device: unknownNameMemorySeconds,
  code: unknownNameMemorySeconds,
  proof: unknownNameMemorySeconds,
  mail: unknownNameMemorySeconds,
  network: unknownNameMemorySeconds,
  place: placeMemorySeconds,
}
interface Bucket {
  readonly key: string
  readonly limit: Limit
}

/** An attempt that counts as a failure until `succeeded` or `uncount` is called. */
export interface CountedAttempt {
  readonly account: string
  readonly network: string | undefined
  readonly buckets: readonly Bucket[]
}

/**
 * Limits guesses at passwords and codes. Each attempt is counted before it is checked, in a transaction of its own:
 * parallel attempts all count, and the count remains if what follows rolls back or crashes. A correct answer removes
 * it.
 */
export class Attempts {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Counts one attempt on an account: by user id or, for an unknown username, by what was typed, with the same limits.
   * Attempts on a client, and mails to an address, count per network; codes from mails, in all browsers of a person together, and apart from
   * those that a person who is signed in asks for. Throws rate_limited with the seconds to wait.
   */
  async count(
    who:
      | { userId: string }
      | { factorOf: string }
      | { login: string }
      | { client: string }
      | { mailTo: string }
      | { mailedCodeOf: string }
      | { mailedProofOf: string }
      | { deviceOf: string | undefined },
    address: string | undefined,
  ): Promise<CountedAttempt> {
    const network = networkOf(address)
    const account =
      'userId' in who
        ? `user ${who.userId}`
        : 'factorOf' in who
          ? `factor ${who.factorOf}`
          : 'client' in who
            ? `client ${who.client} ${network}`
            : 'mailTo' in who
              ? `mail ${digestOf(who.mailTo)} ${network}`
              : 'mailedCodeOf' in who
                ? `code ${who.mailedCodeOf}`
                : 'mailedProofOf' in who
                  ? `proof ${who.mailedProofOf}`
                  : 'deviceOf' in who
                    ? `device ${who.deviceOf ?? network}`
                    : `name ${digestOf(who.login)}`
    // Refuse without a transaction, so that a flood of refused attempts blocks no writer.
    this.#refuse(await this.#buckets(account, network))
    return this.#database.write(async () => {
      const found = await this.#buckets(account, network)
      this.#refuse(found)
      const at = now()
      for (const { bucket, row } of found) {
        const { burst, intervalSeconds } = bucket.limit
        const full =
          Math.min(Math.max(row?.full_until ?? 0, at), at + burst * intervalSeconds) + intervalSeconds
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
   * The attempt was correct: clears what was counted against the user, and remembers this network. Inside the
   * transaction of what the attempt proves.
   */
  async succeeded(counted: CountedAttempt): Promise<void> {
    await this.#database.write(async () => {
      await this.uncount(counted)
      const { account, network } = counted
      const [kind, id] = account.split(' ')
      const isPerson = kind === 'user' || kind === 'factor' || kind === 'code' || kind === 'proof'
      // A password that was guessed or stolen must not clear what was counted against the codes in the person's mail.
      const codes = kind === 'user' ? [] : codesOf(id!)
      const keys = isPerson ? [`user ${id}`, `factor ${id}`, ...codes] : [account]
      await this.#database.query.deleteFrom('attempts').where('key', 'in', keys).execute()
      if (network !== undefined && isPerson)
        await this.#put({ key: placeOf(`user ${id}`, network), full_until: 0, failures: 0, seen_at: now() })
    })
  }

  /** Takes an attempt back that was never checked. */
  async uncount({ buckets }: CountedAttempt): Promise<void> {
    await this.#database.write(async () => {
      const rows = await this.#rows(buckets.map(({ key }) => key))
      for (const { key, limit } of buckets) {
        const row = rows.get(key)
        if (!row) continue
        const { full_until, failures } = row
        await this.#put({
          ...row,
          full_until: full_until - limit.intervalSeconds,
          failures: Math.max(0, failures - 1),
        })
      }
    })
  }

  /**
   * Clears counts after a new password, or anything else that makes earlier guesses worthless. Known networks stay
   * known.
   */
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

  /** Clears what was counted against the codes in a person's mail: they have shown that they read it, or have a new password. */
  async forgetCodes(userId: string): Promise<void> {
    await this.#database.write(() =>
      this.#database.query.deleteFrom('attempts').where('key', 'in', codesOf(userId)).execute(),
    )
  }

  async sweep(): Promise<void> {
    const at = now()
    for (const [kind, memory] of Object.entries(memorySeconds)) {
      const old = sql<SqlBool>`${this.#beginsWith(`${kind} `)} and seen_at < ${at - memory}`
      await sweepRows(this.#database, 'attempts', 'key', old, (query) => query.deleteFrom('attempts'))
    }
  }

  #beginsWith(prefix: string) {
    return beginsWith(this.#database.kind, sql.ref<string>('key'), prefix)
  }

  /** The buckets in which an attempt counts, with their current rows. */
  async #buckets(account: string, network: string | undefined) {
    const ofUser = account.startsWith('user ')
    const place = network === undefined || !ofUser ? '' : placeOf(account, network)
    const rows = await this.#rows([account, place, `network ${network}`])
    const known = rows.get(place)
    const found: { bucket: Bucket; row: Row | undefined }[] = []
    const add = (key: string, limit: Limit) => found.push({ bucket: { key, limit }, row: rows.get(key) })
    if (known && known.seen_at > now() - placeMemorySeconds) add(place, limits.place)
    else add(account, limitOf(account))
    if (network !== undefined) add(`network ${network}`, limits.network)
    return found
  }

  #refuse(found: readonly { bucket: Bucket; row: Row | undefined }[]): void {
    const at = now()
    const wait = Math.max(...found.map(({ bucket, row }) => waitSeconds(row, bucket.limit, at)))
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

/** The counts of codes from mails. */
const codesOf = (userId: string): string[] => [`code ${userId}`, `proof ${userId}`]

const digestOf = (name: string): string => hash('sha256', name.toLowerCase(), 'hex')

const placeOf = (account: string, network: string): string => `place ${account.slice(5)} ${network}`
