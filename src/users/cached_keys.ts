import { createPublicKey, ECDH, type KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { personColumns, toKnownPerson, type KnownPerson } from './person.ts'

/** A public key of somebody, ready to verify with. */
export interface KnownKey {
  /** Compressed, lower-case hex. */
  readonly pubkey: string
  readonly key: KeyObject
  readonly owner: KnownPerson
}

const keep = 50_000

const publicKeyOf = (pubkey: string): KeyObject => {
  const point = ECDH.convertKey(pubkey, 'secp256k1', 'hex', undefined, 'uncompressed') as Buffer
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  return createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' })
}

/** The keys that people sign requests with, and the nonces that those requests used up. */
export class KnownKeys {
  readonly #database: Database
  readonly #known: Cached<BoundedMap<KnownKey | 'none'>>

  constructor(database: Database) {
    this.#database = database
    this.#known = new Cached(database, ['users'], async () => boundedMap<KnownKey | 'none'>(keep))
  }

  /** Whose key this is, by its canonical form; the person may be inactive. */
  async find(pubkey: string): Promise<KnownKey | undefined> {
    const kept = await this.#known.get()
    const known = kept.get(pubkey)
    if (known !== undefined) return known === 'none' ? undefined : known
    const row = await this.#database.query
      .selectFrom('user_keys')
      .innerJoin('users', 'users.id', 'user_keys.user_id')
      .select(personColumns)
      .where('user_keys.pubkey', '=', pubkey)
      .executeTakeFirst()
    const found = row && { pubkey, key: publicKeyOf(pubkey), owner: toKnownPerson(row) }
    // Kept in the map that was current before the row was read: after a change nobody looks there any more.
    kept.set(pubkey, found ?? 'none')
    return found
  }

  /** Uses up a nonce of a key until `expiresAt`; false if that has happened before, on any node. Committed when it returns. */
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

  /** Forgets nonces whose requests are too old to be let in again; called on a timer. */
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
