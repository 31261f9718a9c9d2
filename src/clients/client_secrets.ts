import { randomBytes, timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { ClientSecretRow } from '../storage/schema.ts'
import type { ClientWithCredentials } from './client.ts'

/** Seconds for which a secret stays valid after a newer one was created. */
const overlapSeconds = 7 * 86_400

/** Whether this is one of the client's valid secrets, compared in constant time. */
export const verifies = ({ secret_hashes }: ClientWithCredentials, secret: string): boolean => {
  const given = Buffer.from(digest(secret))
  const at = now()
  const matches = secret_hashes.map(
    ({ hash, expires_at }) =>
      timingSafeEqual(given, Buffer.from(hash)) && (expires_at === null || expires_at > at),
  )
  return matches.includes(true)
}

/** The secrets of clients, by the ids of their rows. Call the methods that change them inside a transaction. */
export class Secrets {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The valid secrets, newest first. */
  async of(id: string): Promise<ClientSecretRow[]> {
    return this.#database.query
      .selectFrom('client_secrets')
      .selectAll()
      .where('client_id', '=', id)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now())]))
      .orderBy(sql`coalesce(expires_at, 253402300799)`, 'desc')
      .execute()
  }

  /** Creates a secret and returns it. It cannot be read again. */
  async add(id: string): Promise<string> {
    const secret = randomBytes(32).toString('base64url')
    await this.insert(id, digest(secret))
    return secret
  }

  /** Stores a secret that was created elsewhere, given its SHA-256 in hex. */
  async insert(id: string, secret_hash: string): Promise<void> {
    const row = { client_id: id, secret_hash, created_at: now(), expires_at: null }
    await this.#database.query.insertInto('client_secrets').values(row).execute()
  }

  /** Creates another secret. The previous one stays valid for a week, or with `drop` not at all; older ones end now. */
  async rotate(id: string, drop: boolean): Promise<string> {
    const { query } = this.#database
    const [newest] = await this.of(id)
    await query
      .deleteFrom('client_secrets')
      .where('client_id', '=', id)
      .$if(!drop && newest !== undefined, (secrets) =>
        secrets.where('secret_hash', '!=', newest!.secret_hash),
      )
      .execute()
    await query
      .updateTable('client_secrets')
      .set({ expires_at: now() + overlapSeconds })
      .where('client_id', '=', id)
      .execute()
    return this.add(id)
  }
}
