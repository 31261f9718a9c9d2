import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../contract/errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { Schema } from '../storage/schema.ts'
import type { Seal } from '../secrets/seal.ts'
import { algorithms, type Algorithm, type Jwk, type Jwks, type Key } from './key.ts'

/** Seconds that a retired key is still published: longer than anything it signed is shown to somebody. */
const overlap = 30 * 86_400
/** Seconds after which everybody has seen what was published: as long as the key set may be kept (its `max-age`). */
const spread = 300
const generate = promisify(generateKeyPair)

type Row = Schema['signing_keys']
/** A new pair, not stored yet. */
type Pair = Pick<Row, 'id' | 'algorithm' | 'public_jwk' | 'private_sealed'>

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

const rowOf = (kid: string) => `signing_keys:${kid}`

/**
 * Our signing keys. Of each algorithm one signs, the next is published already, so that whoever caches the key set knows it
 * when its time comes, and those before verify for another month. Private parts are sealed.
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

  /** The key that signs now; the first are made when one is first asked for. */
  signing(algorithm: Algorithm = 'EdDSA'): SigningKey | Promise<SigningKey> {
    return this.#private.warm()?.get(algorithm) ?? this.#first(algorithm)
  }

  async #first(algorithm: Algorithm): Promise<SigningKey> {
    await this.#complete()
    return (await this.#private.get()).get(algorithm)!
  }

  /** The public half of a published key for EdDSA, by its key id; undefined for any other. Warm, it is synchronous. */
  verifying(kid: string): KeyObject | undefined | Promise<KeyObject | undefined> {
    return this.#public.warm()?.get(kid) ?? this.#findPublic(kid)
  }

  async #findPublic(kid: string): Promise<KeyObject | undefined> {
    const known = await this.#public.get()
    const row = (await this.#published()).find(({ id, algorithm }) => id === kid && algorithm === 'EdDSA')
    if (!row) return undefined
    const key = createPublicKey({ key: JSON.parse(row.public_jwk) as never, format: 'jwk' })
    known.set(kid, key)
    return key
  }

  /** All that is published, with private parts: those that sign come first. */
  async all(): Promise<readonly SigningKey[]> {
    await this.#complete()
    return (await this.#published()).map((row) => this.#open(row))
  }

  async list(): Promise<{ items: Key[] }> {
    return { items: inOrder(await this.#rows.get()).map(toKey) }
  }

  /** The public parts, for whoever verifies. */
  async jwks(): Promise<Jwks> {
    await this.#complete()
    return { keys: (await this.#published()).map(({ public_jwk }) => JSON.parse(public_jwk) as Jwk) }
  }

  /** New pairs, for `rotate`: making them takes a while. */
  async make(count = 1): Promise<readonly Pair[]> {
    return Promise.all(
      algorithms.flatMap((algorithm) => Array.from({ length: count }, () => this.#pair(algorithm))),
    )
  }

  /**
   * Lets the next keys sign and publishes `made` as the next. With `drop` nothing of before is published any more, not even
   * what was to be next: for keys that leaked. It takes two pairs of each algorithm then.
   * `conflict` while the next keys are so new that somebody may know those before them only.
   */
  async rotate(made: readonly Pair[], drop = false): Promise<{ items: Key[] }> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const at = now()
      if (!drop) mayRotate(await this.#rows.get(), at)
      if (drop) await query.deleteFrom('signing_keys').execute()
      const known = query.updateTable('signing_keys').where('retired_at', 'is', null)
      await known.set({ retired_at: at }).where('signs_since', 'is not', null).execute()
      await known.set({ signs_since: at }).where('signs_since', 'is', null).execute()
      await query
        .deleteFrom('signing_keys')
        .where('retired_at', '<', at - overlap)
        .execute()
      const half = drop
        ? made.filter(({ algorithm }, i) => made.findIndex((one) => one.algorithm === algorithm) === i)
        : []
      for (const pair of made) await this.#add(pair, half.includes(pair) ? at : null)
      this.#database.changed('keys')
      const rows = await query.selectFrom('signing_keys').selectAll().execute()
      return { items: inOrder(rows).map(toKey) }
    })
  }

  /** Rotates once the keys that sign have done so for this many days; 0 is never. Called on a timer. */
  async rotateWhenDue(days: number): Promise<void> {
    const isDue = (rows: readonly Row[]) =>
      rows.some((row) => stateOf(row) === 'signing' && row.signs_since! < now() - days * 86_400)
    if (days === 0 || !isDue(await this.#rows.get())) return
    const made = await this.make()
    await this.#database.write(async () => {
      // Another node may have done it just now.
      if (isDue(await this.#rows.get())) await this.rotate(made)
    })
  }

  /** Makes what is missing of the keys that sign and the next ones. */
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
      // Another process may have made them just now.
      const still = missing(await this.#rows.get())
      for (const [i, { algorithm, state }] of wanted.entries()) {
        if (still.some((one) => one.algorithm === algorithm && one.state === state))
          await this.#add(pairs[i]!, state === 'signing' ? now() : null)
      }
      this.#database.changed('keys')
    })
  }

  async #published(): Promise<readonly Row[]> {
    const rows = await this.#rows.get()
    return inOrder(rows.filter(({ retired_at }) => retired_at === null || retired_at > now() - overlap))
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
  // A clock that was set back holds up nothing.
  if (age < 0 || age >= spread) return
  throw new AppError(
    'conflict',
    `The keys were rotated ${age} s ago, and who fetched them before does not know the next ones yet: rotate in ${spread - age} s, or with \`drop\` if keys leaked`,
  )
}

const states: readonly Key['state'][] = ['signing', 'next', 'retired']

/** Those that sign come first: the engine and many verifiers take the first that fits. */
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
