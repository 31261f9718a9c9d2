import { sql, type SqlBool } from 'kysely'
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

const lifetimeSeconds = 300
const randomBytesLength = 16
const macBytes = 16
const challengeBytes = randomBytesLength + 4 + macBytes

/**
 * WebAuthn challenges (section 13.4.3): recognised by their MAC, each for one purpose, five minutes and one use.
 * Issuing one stores nothing.
 */
export class Challenges {
  readonly #database: Database
  readonly #key: Buffer

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
  }

  issue(purpose: string): string {
    const content = Buffer.concat([randomBytes(randomBytesLength), Buffer.alloc(4)])
    content.writeUInt32BE(now() + lifetimeSeconds, randomBytesLength)
    return Buffer.concat([content, this.#mac(content, purpose)]).toString('base64url')
  }

  /** Whether this is our challenge for this purpose and has not expired. It may have been used. */
  isFor(challenge: string, purpose: string): boolean {
    const bytes = Buffer.from(challenge, 'base64url')
    if (bytes.length !== challengeBytes || bytes.toString('base64url') !== challenge) return false
    const content = bytes.subarray(0, randomBytesLength + 4)
    if (!timingSafeEqual(this.#mac(content, purpose), bytes.subarray(-macBytes))) return false
    const expires = content.readUInt32BE(randomBytesLength)
    return expires > now() && expires <= now() + lifetimeSeconds + 60
  }

  /** Marks the challenge as used, inside the transaction of what it allows. Of concurrent uses, only one succeeds. */
  async spend(challenge: string): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#database.query
      .insertInto('spent_challenges')
      .values({ challenge_hash: digest(challenge), expires_at: now() + 2 * lifetimeSeconds })
      .onConflict((conflict) => conflict.column('challenge_hash').doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows !== 1n)
      throw new AppError('unauthenticated', 'This passkey response was already used; try again', {
        reason: 'passkey_used',
      })
  }

  /** Deletes challenges that have expired. Called on a timer. */
  async sweep(): Promise<void> {
    const old = sql<SqlBool>`expires_at <= ${now()}`
    await sweepRows(this.#database, 'spent_challenges', 'challenge_hash', old, (query) =>
      query.deleteFrom('spent_challenges'),
    )
  }

  #mac(content: Buffer, purpose: string): Buffer {
    return createHmac('sha256', this.#key).update(content).update(purpose).digest().subarray(0, macBytes)
  }
}
