import { randomBytes } from 'node:crypto'
import { sql, type SqlBool } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { PasskeyAssertion } from './passkeys.ts'

/** Seconds within which a code must be shown. */
const codeSeconds = 60

const looksLikeCode = (code: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(code)

/** What a code stands for: the answer of a passkey, and what it was asked for. */
export interface CarriedProof {
  readonly asserted: PasskeyAssertion
  readonly begun: string
}

/** One-time codes that carry the answer of a passkey home: 256 bits, of which we store the SHA-256. */
export class PasskeyCodes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** `begun` is what the answer was asked for, sealed. */
  async issue({ asserted, begun }: CarriedProof): Promise<string> {
    const code = randomBytes(32).toString('base64url')
    const { id: passkey_id, counter, challenge } = asserted
    await this.#database.write(() =>
      this.#database.query
        .insertInto('passkey_codes')
        .values({ code_hash: digest(code), begun, passkey_id, counter, challenge, created_at: now() })
        .execute(),
    )
    return code
  }

  /** Returns what a code that was not used yet stands for. */
  async find(code: string): Promise<CarriedProof | undefined> {
    if (!looksLikeCode(code)) return undefined
    const row = await this.#database.query
      .selectFrom('passkey_codes')
      .innerJoin('passkeys', 'passkeys.id', 'passkey_codes.passkey_id')
      .select([
        'passkey_codes.begun',
        'passkey_codes.challenge',
        'passkey_codes.counter',
        'passkey_codes.created_at',
        'passkeys.id',
        'passkeys.user_id',
      ])
      .where('code_hash', '=', digest(code))
      .executeTakeFirst()
    if (!row) return undefined
    const age = now() - row.created_at
    // Without the lower bound, a clock that was set back would extend the life of a code.
    if (age < 0 || age >= codeSeconds) return undefined
    const { begun, created_at: _, ...asserted } = row
    // Only the answers of keys that verified their user are carried.
    return { begun, asserted: { ...asserted, verified_user: true } }
  }

  /** Uses a code up, whatever comes of it. Of several calls, only the first gets what it stands for. */
  async use(code: string): Promise<CarriedProof | undefined> {
    return this.#database.write(async () => {
      const found = await this.find(code)
      if (!found) return undefined
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('passkey_codes')
        .where('code_hash', '=', digest(code))
        .executeTakeFirst()
      return numDeletedRows === 1n ? found : undefined
    })
  }

  async sweep(): Promise<void> {
    const old = sql<SqlBool>`created_at <= ${now() - codeSeconds}`
    await sweepRows(this.#database, 'passkey_codes', 'code_hash', old, (query) =>
      query.deleteFrom('passkey_codes'),
    )
  }
}
