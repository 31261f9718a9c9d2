import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../contract/errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { Schema } from '../storage/schema.ts'
import type { Seal } from '../secrets/seal.ts'
import { algorithms, type Algorithm, type Jwk, type Jwks, type Key } from './key.ts'

/** Seconds for which a retired key stays published: longer than anything it signed is in use. */
const retiredSeconds = 30 * 86_400
/**
 * Seconds after which every verifier has seen a published key: as long as the key set may be cached (its `max-age`).
 */
const cacheSeconds = 300
const generate = promisify(generateKeyPair)

type Row = Schema['signing_keys']
/** A new key pair that is not stored yet. */
type Pair = Pick<Row, 'id' | 'algorithm' | 'public_jwk' | 'private_sealed'>

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

const rowOf = (kid: string) => `signing_keys:${kid}`

/**
 * Our signing keys. For each algorithm, one key signs, the next one is already published, so that verifiers with a
 * cached key set know it in time, and retired ones verify for another month. Private keys are stored sealed.
 */
export class Keys {
  readonly #database: Database
  readonly #seal: Seal
  readonly #rows: Cached<readonly Row[]>
  readonly #private: Cached<ReadonlyMap<Algorithm, SigningKey>>
  readonly #public: Cached<Map<string, KeyObject>>

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
    this.#rows = new Cached(database, ['keys'], () =>
      database.query.selectFrom('signing_keys').selectAll().execute(),
    )
    this.#private = new Cached(database, ['keys'], async () => {
      const signing = (await this.#rows.get()).filter((row) => stateOf(row) === 'signing')
      return new Map(signing.map((row) => [row.algorithm as Algorithm, this.#open(row)]))
    })
    this.#public = new Cached(database, ['keys'], async () => new Map<string, KeyObject>())
  }

  /** The key that signs now. The first keys are created on first use. */
  signing(algorithm: Algorithm = 'EdDSA'): SigningKey | Promise<SigningKey> {
    return this.#private.warm()?.get(algorithm) ?? this.#first(algorithm)
  }

  async #first(algorithm: Algorithm): Promise<SigningKey> {
    await this.#complete()
    return (await this.#private.get()).get(algorithm)!
  }

  /**
   * The public half of a published EdDSA key, by key id; undefined for any other. Synchronous when the cache is
   * current.
   */
  verifying(kid: string): KeyObject | undefined | Promise<KeyObject | undefined> {
    return this.#public.warm()?.get(kid) ?? this.#findPublic(kid)
  }

  async #findPublic(kid: string): Promise<KeyObject | undefined> {
    const current = await this.#public.get()
    const row = (await this.#published()).find(({ id, algorithm }) => id === kid && algorithm === 'EdDSA')
    if (!row) return undefined
    const key = createPublicKey({ key: JSON.parse(row.public_jwk) as never, format: 'jwk' })
    current.set(kid, key)
    return key
  }

  /** All published keys, with private parts; the signing keys come first. */
  async allPublished(): Promise<readonly SigningKey[]> {
    await this.#complete()
    return (await this.#published()).map((row) => this.#open(row))
  }

  async list(): Promise<{ items: Key[] }> {
    return { items: inOrder(await this.#rows.get()).map(toKey) }
  }

  /** The public parts, for verifiers. */
  async jwks(): Promise<Jwks> {
    await this.#complete()
    return { keys: (await this.#published()).map(({ public_jwk }) => JSON.parse(public_jwk) as Jwk) }
  }

  /** Generates key pairs for `rotate`, which takes a while. */
  async generatePairs(count = 1): Promise<readonly Pair[]> {
    return Promise.all(
      algorithms.flatMap((algorithm) => Array.from({ length: count }, () => this.#pair(algorithm))),
    )
  }

  /**
   * Makes the next keys sign, and publishes `pairs` as the new next keys. With `drop`, for leaked keys, no earlier key
   * stays published, not even the next ones; this needs two pairs per algorithm. Throws `conflict` while the next keys
   * are so new that some verifiers may not know them.
   */
  async rotate(pairs: readonly Pair[], drop = false): Promise<{ items: Key[] }> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const at = now()
      if (!drop) mayRotate(await this.#rows.get(), at)
      if (drop) await query.deleteFrom('signing_keys').execute()
      const current = query.updateTable('signing_keys').where('retired_at', 'is', null)
      await current.set({ retired_at: at }).where('signs_since', 'is not', null).execute()
      await current.set({ signs_since: at }).where('signs_since', 'is', null).execute()
      await query
        .deleteFrom('signing_keys')
        .where('retired_at', '<', at - retiredSeconds)
        .execute()
      const signingAtOnce = drop
        ? pairs.filter(({ algorithm }, i) => pairs.findIndex((other) => other.algorithm === algorithm) === i)
        : []
      for (const pair of pairs) await this.#add(pair, signingAtOnce.includes(pair) ? at : null)
      this.#database.changed('keys')
      const rows = await query.selectFrom('signing_keys').selectAll().execute()
      return { items: inOrder(rows).map(toKey) }
    })
  }

  /** Rotates once the signing keys are older than this many days; 0 means never. Called on a timer. */
  async rotateWhenDue(days: number): Promise<void> {
    const isDue = (rows: readonly Row[]) =>
      rows.some((row) => stateOf(row) === 'signing' && row.signs_since! < now() - days * 86_400)
    if (days === 0 || !isDue(await this.#rows.get())) return
    const pairs = await this.generatePairs()
    await this.#database.write(async () => {
      // Another node may have done it in the meantime.
      if (isDue(await this.#rows.get())) await this.rotate(pairs)
    })
  }

  /** Generates missing signing and next keys. */
  async #complete(): Promise<void> {
    const missing = (rows: readonly Row[]) =>
      algorithms.flatMap((algorithm) =>
        (['signing', 'next'] as const)
          .filter((state) => !rows.some((row) => row.algorithm === algorithm && stateOf(row) === state))
          .map((state) => ({ algorithm, state })),
      )
    const wanted = missing(await this.#rows.get())
    if (wanted.length === 0) return
    const pairs = await Promise.all(wanted.map(({ algorithm }) => this.#pair(algorithm)))
    await this.#database.write(async () => {
      // Another process may have created them in the meantime.
      const stillMissing = missing(await this.#rows.get())
      for (const [i, { algorithm, state }] of wanted.entries()) {
        if (stillMissing.some((key) => key.algorithm === algorithm && key.state === state))
          await this.#add(pairs[i]!, state === 'signing' ? now() : null)
      }
      this.#database.changed('keys')
    })
  }

  async #published(): Promise<readonly Row[]> {
    const rows = await this.#rows.get()
    return inOrder(
      rows.filter(({ retired_at }) => retired_at === null || retired_at > now() - retiredSeconds),
    )
  }

  #open({ id, algorithm, private_sealed }: Row): SigningKey {
    const key = createPrivateKey(this.#seal.open(private_sealed, rowOf(id)))
    return { kid: id, algorithm: algorithm as Algorithm, key }
  }

  async #pair(algorithm: Algorithm): Promise<Pair> {
    const { publicKey, privateKey } =
      algorithm === 'EdDSA' ? await generate('ed25519') : await generate('rsa', { modulusLength: 2048 })
    const id = newId()
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const public_jwk = JSON.stringify({
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      alg: algorithm,
      use: 'sig',
    })
    return { id, algorithm, public_jwk, private_sealed: this.#seal.seal(pem, rowOf(id)) }
  }

  async #add(pair: Pair, signs_since: number | null): Promise<void> {
    const row = { ...pair, created_at: now(), signs_since, retired_at: null }
    await this.#database.query.insertInto('signing_keys').values(row).execute()
  }
}

const stateOf = ({ signs_since, retired_at }: Pick<Row, 'signs_since' | 'retired_at'>): Key['state'] =>
  retired_at !== null ? 'retired' : signs_since === null ? 'next' : 'signing'

const mayRotate = (rows: readonly Row[], at: number): void => {
  const age = at - Math.max(...rows.map(({ retired_at }) => retired_at ?? 0))
  // A clock that was set back must not block the rotation.
  if (age < 0 || age >= cacheSeconds) return
  throw new AppError(
    'conflict',
    `The keys were rotated ${age} s ago, and some verifiers may not know the next ones yet: rotate in ${cacheSeconds - age} s, or with \`drop\` if keys leaked`,
  )
}

const states: readonly Key['state'][] = ['signing', 'next', 'retired']

/** Signing keys come first: the engine and many verifiers use the first key that matches. */
const inOrder = (rows: readonly Row[]): readonly Row[] =>
  rows.toSorted(
    (one, other) =>
      states.indexOf(stateOf(one)) - states.indexOf(stateOf(other)) ||
      algorithms.indexOf(one.algorithm as Algorithm) - algorithms.indexOf(other.algorithm as Algorithm) ||
      (one.id < other.id ? 1 : -1),
  )

const toKey = (row: Row): Key => ({
  kid: row.id,
  algorithm: row.algorithm as Algorithm,
  state: stateOf(row),
  created_at: row.created_at,
  signs_since: row.signs_since,
  retired_at: row.retired_at,
})
