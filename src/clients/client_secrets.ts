import { randomBytes, timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { ClientSecretRow } from '../storage/schema.ts'
import type { KnownClient } from './client.ts'

/** Seconds that a secret still counts after a newer one was made. */
const overlap = 7 * 86_400

/** Whether a secret is one of those that count at present, compared in constant time. */
export const verifies = ({ secret_hashes }: KnownClient, secret: string): boolean => {
  const given = Buffer.from(digest(secret))
  const at = now()
  const counts = secret_hashes.map(
    ({ hash, expires_at }) =>
      timingSafeEqual(given, Buffer.from(hash)) && (expires_at === null || expires_at > at),
  )
  return counts.includes(true)
}

/** The secrets of clients, by the ids of their rows; what changes them is called inside a transaction. */
export class Secrets {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Those that count at present, newest first. */
  async of(id: string): Promise<ClientSecretRow[]> {
    return this.#database.query
      .selectFrom('client_secrets')
      .selectAll()
      .where('client_id', '=', id)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now())]))
      .orderBy(sql`coalesce(expires_at, 253402300799)`, 'desc')
      .execute()
  }

  /** Makes one, and tells it this once. */
  async add(id: string): Promise<string> {
    const secret = randomBytes(32).toString('base64url')
    await this.insert(id, digest(secret))
    return secret
  }

  /** Takes one that somebody else made, by its SHA-256 in hex. */
  async insert(id: string, secret_hash: string): Promise<void> {
    const row = { client_id: id, secret_hash, created_at: now(), expires_at: null }
    await this.#database.query.insertInto('client_secrets').values(row).execute()
  }

  /** Makes another. The one before counts for a week more, or not at all with `drop`; those before that one end now. */
  async rotate(id: string, drop: boolean): Promise<string> {
    const { query } = this.#database
    const [newest] = await this.of(id)
    await query
      .deleteFrom('client_secrets')
      .where('client_id', '=', id)
      .$if(!drop && newest !== undefined, (all) => all.where('secret_hash', '!=', newest!.secret_hash))
      .execute()
    await query
      .updateTable('client_secrets')
      .set({ expires_at: now() + overlap })
      .where('client_id', '=', id)
      .execute()
    return this.add(id)
  }
}
