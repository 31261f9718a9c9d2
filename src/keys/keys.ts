import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import type { Seal } from '../storage/seal.ts'
import type { Jwk, Jwks, Key } from './key.ts'

/** Seconds that a retired key is still published: far longer than anything it signed is valid or any verifier caches. */
const overlap = 24 * 3600

export interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
}

const rowOf = (kid: string) => `signing_keys:${kid}`

/** Our signing keys (Ed25519). The newest signs; those before it verify for another day. Private parts are sealed. */
export class Keys {
  readonly #database: Database
  readonly #seal: Seal
  readonly #signing: Cached<SigningKey | undefined>

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
    this.#signing = new Cached(database, ['keys'], async () => {
      const row = await database.query
        .selectFrom('signing_keys')
        .selectAll()
        .where('retired_at', 'is', null)
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && { kid: row.id, key: createPrivateKey(seal.open(row.private_sealed, rowOf(row.id))) }
    })
  }

  /** The key that signs now; the first is made when it is first asked for. */
  signing(): SigningKey | Promise<SigningKey> {
    return this.#signing.warm() ?? this.#first()
  }

  async #first(): Promise<SigningKey> {
    const known = await this.#signing.get()
    if (known) return known
    await this.#database.write(async () => {
      // Another process may have made it just now.
      if ((await this.#signing.get()) === undefined) await this.#add()
    })
    return (await this.#signing.get())!
  }

  async list(): Promise<{ items: Key[] }> {
    const rows = await this.#database.query
      .selectFrom('signing_keys')
      .selectAll()
      .orderBy('id', 'desc')
      .execute()
    return {
      items: rows.map(({ id, algorithm, created_at, retired_at }) => ({
        kid: id,
        algorithm,
        created_at,
        retired_at,
        signs: retired_at === null,
      })),
    }
  }

  async rotate(): Promise<Key> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const at = now()
      await query
        .updateTable('signing_keys')
        .set({ retired_at: at })
        .where('retired_at', 'is', null)
        .execute()
      await query
        .deleteFrom('signing_keys')
        .where('retired_at', '<', at - overlap)
        .execute()
      const kid = await this.#add()
      return { kid, algorithm: 'EdDSA', created_at: at, retired_at: null, signs: true }
    })
  }

  /** The public parts, for whoever verifies. */
  async jwks(): Promise<Jwks> {
    await this.signing()
    const rows = await this.#database.query
      .selectFrom('signing_keys')
      .select('public_jwk')
      .where((eb) => eb.or([eb('retired_at', 'is', null), eb('retired_at', '>', now() - overlap)]))
      .orderBy('id', 'desc')
      .execute()
    return { keys: rows.map(({ public_jwk }) => JSON.parse(public_jwk) as Jwk) }
  }

  async #add(): Promise<string> {
    const kid = newId()
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const { x } = publicKey.export({ format: 'jwk' })
    const jwk: Jwk = { kty: 'OKP', crv: 'Ed25519', x: x!, kid, alg: 'EdDSA', use: 'sig' }
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    await this.#database.query
      .insertInto('signing_keys')
      .values({
        id: kid,
        algorithm: 'EdDSA',
        public_jwk: JSON.stringify(jwk),
        private_sealed: this.#seal.seal(pem, rowOf(kid)),
        created_at: now(),
        retired_at: null,
      })
      .execute()
    this.#database.changed('keys')
    return kid
  }
}
