import { createPublicKey, ECDH, type KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { personColumns, toRecognisedUser, type RecognisedUser } from './person.ts'

/** A user's public key, parsed for verification. */
export interface CachedKey {
  /** Compressed, lower-case hex. */
  readonly pubkey: string
  readonly key: KeyObject
  readonly owner: RecognisedUser
}

const maxEntries = 50_000

const publicKeyOf = (pubkey: string): KeyObject => {
  const point = ECDH.convertKey(pubkey, 'secp256k1', 'hex', undefined, 'uncompressed') as Buffer
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  return createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' })
}

/** The public keys that users sign requests with, and the nonces those requests have used. */
export class CachedKeys {
  readonly #database: Database
  readonly #known: Cached<BoundedMap<CachedKey | 'none'>>

  constructor(database: Database) {
    this.#database = database
    this.#known = new Cached(database, ['users'], async () => boundedMap<CachedKey | 'none'>(maxEntries))
  }

  /** Returns the key with its owner, given its canonical form. The owner may be inactive. */
  async find(pubkey: string): Promise<CachedKey | undefined> {
    const cache = await this.#known.get()
    const known = cache.get(pubkey)
    if (known !== undefined) return known === 'none' ? undefined : known
    const row = await this.#database.query
      .selectFrom('user_keys')
      .innerJoin('users', 'users.id', 'user_keys.user_id')
      .select(personColumns)
      .where('user_keys.pubkey', '=', pubkey)
      .executeTakeFirst()
    const found = row && { pubkey, key: publicKeyOf(pubkey), owner: toRecognisedUser(row) }
    // Store it in the map that was current before the row was read: after a change, that map is no longer used.
    cache.set(pubkey, found ?? 'none')
    return found
  }

  /**
   * Marks a nonce of a key as used until `expiresAt`. Returns false if it was used before, on any node. Committed when
   * it returns.
   */
  async useNonce(pubkey: string, nonce: string, expiresAt: number): Promise<boolean> {
    return this.#database.write(async () => {
      const { numInsertedOrUpdatedRows } = await this.#database.query
        .insertInto('signature_nonces')
        .values({ pubkey, nonce, expires_at: expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    })
  }

  /** Deletes nonces whose requests are too old to be accepted again. Called on a timer. */
  async sweep(): Promise<void> {
    await sweepRows(
      this.#database,
      'signature_nonces',
      ['pubkey', 'nonce'],
      sql`expires_at < ${now()}`,
      (query) => query.deleteFrom('signature_nonces'),
    )
  }
}
