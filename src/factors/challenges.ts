import { sql, type SqlBool } from 'kysely'
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

const lifetime = 300
const randomLength = 16
const macLength = 16
const length = randomLength + 4 + macLength

/** Challenges of WebAuthn (section 13.4.3): ours by their seal, for one purpose, five minutes, one use. Asking for one keeps nothing. */
export class Challenges {
  readonly #database: Database
  readonly #key: Buffer

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
  }

  issue(purpose: string): string {
    const open = Buffer.concat([randomBytes(randomLength), Buffer.alloc(4)])
    open.writeUInt32BE(now() + lifetime, randomLength)
    return Buffer.concat([open, this.#mac(open, purpose)]).toString('base64url')
  }

  /** Whether it is ours, for this purpose, and young enough; it may have been used. */
  isFor(challenge: string, purpose: string): boolean {
    const bytes = Buffer.from(challenge, 'base64url')
    if (bytes.length !== length || bytes.toString('base64url') !== challenge) return false
    const open = bytes.subarray(0, randomLength + 4)
    if (!timingSafeEqual(this.#mac(open, purpose), bytes.subarray(-macLength))) return false
    const expires = open.readUInt32BE(randomLength)
    return expires > now() && expires <= now() + lifetime + 60
  }

  /** Uses it up, inside the transaction of what it allows; of any number at the same time one passes. */
  async spend(challenge: string): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#database.query
      .insertInto('spent_challenges')
      .values({ challenge_hash: digest(challenge), expires_at: now() + 2 * lifetime })
      .onConflict((conflict) => conflict.column('challenge_hash').doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n)
      throw new AppError('unauthenticated', 'This passkey answer was used before; try again', {
        reason: 'passkey_used',
      })
  }

  /** Forgets challenges that are too old to be used; called on a timer. */
  async sweep(): Promise<void> {
    const old = sql<SqlBool>`expires_at <= ${now()}`
    await sweepRows(this.#database, 'spent_challenges', 'challenge_hash', old, (query) =>
      query.deleteFrom('spent_challenges'),
    )
  }

  #mac(open: Buffer, purpose: string): Buffer {
    return createHmac('sha256', this.#key).update(open).update(purpose).digest().subarray(0, macLength)
  }
}
