import { sql, type SqlBool } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** Browsers that we remember for each person. */
const maxDevices = 20
/** Seconds without a sign-in after which a browser is forgotten: as long as it keeps our cookie. */
export const deviceLifetimeSeconds = 400 * 86_400

/** Two people may use one browser, so each has a row of their own for it. */
const hashOf = (userId: string, device: string): string => digest(`${userId} ${device}`)

/** The browsers and programs with which each person has signed in. They prove nothing: they only tell what is new. */
export class KnownDevices {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Records a sign-in with a device, and returns whether it is the person's first or new to them. Inside a transaction. */
  async meet(
    userId: string,
    device: string,
    language: string | undefined,
  ): Promise<'first' | 'known' | 'new'> {
    const { query } = this.#database
    const [device_hash, at] = [hashOf(userId, device), now()]
    const known = await query
      .selectFrom('known_devices')
      .select('device_hash')
      .where('user_id', '=', userId)
      .orderBy('last_seen_at', 'desc')
      .orderBy('device_hash')
      .execute()
    await query
      .insertInto('known_devices')
      .values({
        device_hash,
        user_id: userId,
        language: language ?? null,
        first_seen_at: at,
        last_seen_at: at,
      })
      .onConflict((same) =>
        same
          .column('device_hash')
          .doUpdateSet({ last_seen_at: at, ...(language !== undefined && { language }) }),
      )
      .execute()
    if (known.some((row) => row.device_hash === device_hash)) return 'known'
    const oldest = known.slice(maxDevices - 1).map((row) => row.device_hash)
    if (oldest.length > 0)
      await query.deleteFrom('known_devices').where('device_hash', 'in', oldest).execute()
    return known.length === 0 ? 'first' : 'new'
  }

  /**
   * The language in which a person reads: that of the device that they have had for longest, because an intruder's is newer. Undefined
   * if it asked for none that we offer.
   */
  async languageOf(userId: string): Promise<string | undefined> {
    const row = await this.#database.query
      .selectFrom('known_devices')
      .select('language')
      .where('user_id', '=', userId)
      .orderBy('first_seen_at')
      .limit(1)
      .executeTakeFirst()
    return row?.language ?? undefined
  }

  /**
   * From now on, devices that a person has had since a time are new to them. The rows stay, so that the next device is not taken for
   * the person's first. Inside a transaction.
   */
  async disown(userId: string, since: number): Promise<void> {
    const { query } = this.#database
    const rows = await query
      .selectFrom('known_devices')
      .select('device_hash')
      .where('user_id', '=', userId)
      .where('first_seen_at', '>=', since)
      .execute()
    for (const { device_hash } of rows)
      await query
        .updateTable('known_devices')
        .set({ device_hash: digest(randomBytes(32).toString('base64url')) })
        .where('device_hash', '=', device_hash)
        .execute()
  }

  /** The newest row of each person stays, so that a sign-in after a long time is not taken for their first. */
  async sweep(): Promise<void> {
    const which = sql<SqlBool>`last_seen_at < ${now() - deviceLifetimeSeconds} and exists (
      select 1 from known_devices as newer
      where newer.user_id = known_devices.user_id and newer.last_seen_at > known_devices.last_seen_at)`
    await sweepRows(this.#database, 'known_devices', 'device_hash', which, (query) =>
      query.deleteFrom('known_devices'),
    )
  }
}
