import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import { readPair, type Pair } from './key_pair.ts'

/** Seconds that the response to a challenge is kept: authorities request it within minutes. */
const challengeLifetimeSeconds = 3600

/** When a certificate was issued and expires, in Unix seconds. */
export interface Life {
  readonly issued: number
  readonly ends: number
}

const rowOf = (domain: string) => `certificates:${domain}`
const accountRow = (directory: string) => `acme_accounts:${directory}`

/** Ordered certificates, ACME accounts and challenges. All nodes share them; private keys are sealed. */
export class Certificates {
  readonly #database: Database
  readonly #seal: Seal
  readonly #lives: Cached<ReadonlyMap<string, Life>>
  /** Caches the pairs, so that each key is unsealed once. */
  readonly #pairs = new Map<string, { readonly life: Life; readonly pair: Pair }>()

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
    this.#lives = new Cached(database, ['certificates'], async () => {
      const rows = await database.query
        .selectFrom('certificates')
        .select(['domain', 'updated_at', 'not_after'])
        .execute()
      return new Map(rows.map((row) => [row.domain, { issued: row.updated_at, ends: row.not_after }]))
    })
  }

  /** The lifetimes of all certificates, by domain. */
  async lives(): Promise<ReadonlyMap<string, Life>> {
    return this.#lives.get()
  }

  async find(domain: string): Promise<Pair | undefined> {
    const life = (await this.lives()).get(domain)
    if (!life) return undefined
    const known = this.#pairs.get(domain)
    if (known?.life === life) return known.pair
    const row = await this.#database.query
      .selectFrom('certificates')
      .selectAll()
      .where('domain', '=', domain)
      .executeTakeFirst()
    if (!row) return undefined
    const pair = readPair(row.chain, this.#seal.open(row.key_sealed, rowOf(domain)))
    this.#pairs.set(domain, { life, pair })
    return pair
  }

  /** Stores a new certificate. Throws if the key does not belong to it. */
  async keep(domain: string, chain: string, key: string): Promise<void> {
    const { notAfter } = readPair(chain, key)
    const values = {
      chain,
      key_sealed: this.#seal.seal(key, rowOf(domain)),
      not_after: notAfter,
      updated_at: now(),
    }
    await this.#database.write(async () => {
      await this.#database.query
        .insertInto('certificates')
        .values({ domain, ...values })
        .onConflict((there) => there.column('domain').doUpdateSet(values))
        .execute()
      this.#database.changed('certificates')
    })
  }

  /** The account at an authority. The first node that needs it makes its key, and all nodes use this key. */
  async account(directory: string, makeKey: () => Promise<string>): Promise<{ key: string; url: string }> {
    const find = () =>
      this.#database.query
        .selectFrom('acme_accounts')
        .selectAll()
        .where('directory', '=', directory)
        .executeTakeFirst()
    if (!(await find())) {
      const key_sealed = this.#seal.seal(await makeKey(), accountRow(directory))
      await this.#database.write(() =>
        this.#database.query
          .insertInto('acme_accounts')
          .values({ directory, url: '', key_sealed, created_at: now() })
          .onConflict((there) => there.column('directory').doNothing())
          .execute(),
      )
    }
    const row = (await find())!
    return { key: this.#seal.open(row.key_sealed, accountRow(directory)), url: row.url }
  }

  /** Stores the URL that the authority has assigned to our account. */
  async keepAccountUrl(directory: string, url: string): Promise<void> {
    await this.#database.write(() =>
      this.#database.query
        .updateTable('acme_accounts')
        .set({ url })
        .where('directory', '=', directory)
        .execute(),
    )
  }

  /** The response at /.well-known/acme-challenge/TOKEN (RFC 8555 section 8.3). */
  async answerTo(token: string): Promise<string | undefined> {
    const row = await this.#database.query
      .selectFrom('acme_challenges')
      .select('key_authorization')
      .where('token', '=', token)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    return row?.key_authorization
  }

  async addChallenge(token: string, key_authorization: string): Promise<void> {
    const { query } = this.#database
    const expires_at = now() + challengeLifetimeSeconds
    await query.deleteFrom('acme_challenges').where('expires_at', '<=', now()).execute()
    await query
      .insertInto('acme_challenges')
      .values({ token, key_authorization, expires_at })
      .onConflict((there) => there.column('token').doUpdateSet({ key_authorization, expires_at }))
      .execute()
  }

  async removeChallenge(token: string): Promise<void> {
    await this.#database.query.deleteFrom('acme_challenges').where('token', '=', token).execute()
  }
}
