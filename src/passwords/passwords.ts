import { hash, verify, type Options } from '@node-rs/argon2'
import { invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { HashQueue } from './hash_queue.ts'
import { strength } from './strength.ts'

/**
 * OWASP's minimum for Argon2id: 19 MiB, two passes, one lane. To strengthen hashing, raise it here; older hashes are
 * replaced when their users sign in.
 */
const parameters: Options = { memoryCost: 19456, timeCost: 2, parallelism: 1 }
const current = '$argon2id$v=19$m=19456,t=2,p=1$'

/** Whether a stored hash costs less work than a new one would. */
const isWeaker = (stored: string) => {
  const [, m, t] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(stored) ?? []
  return !(Number(m) * Number(t) >= parameters.memoryCost! * parameters.timeCost!)
}

/** Parameters above these in a stored hash would let a row in the database exhaust us. */
const withinBounds = (stored: string) => {
  const [, m, t, p] = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$/.exec(stored) ?? []
  return Number(m) <= 262_144 && Number(t) <= 16 && Number(p) <= 16
}

let dummyHash: Promise<string> | undefined
/** The hash that an unknown username is checked against, so that it takes the same work as a wrong password. */
const hashOfNobody = () => (dummyHash ??= hash('dummyHash', parameters))

/** Hashes once, so that a broken binary fails at the start and not at the first sign-in. Needs no database. */
export const testHashing = async (): Promise<void> => {
  if (!(await hashOfNobody()).startsWith(current))
    throw new Error('the password hash has unexpected parameters')
}

const maxCharacters = 256
const maxBytes = 1024
const minScore = 3

/** NIST SP 800-63B-4 section 3.1.1.2: every spelling of the same characters gives the same hash. */
const normalised = (password: string) => password.normalize('NFKC')

/** Passwords: stored as Argon2id hashes, computed in a bounded queue. */
export class Passwords {
  readonly #database: Database
  readonly #minLength: () => Promise<number>
  readonly #queue = new HashQueue()

  constructor(database: Database, minLength: () => Promise<number>) {
    this.#database = database
    this.#minLength = minLength
  }

  /**
   * Checks a new password and returns its hash. `names` are the user's names, which must not make up the password.
   * Throws invalid_params if it is too short, too long or guessable, and rate_limited if too many calls are waiting.
   */
  async hash(password: string, names: readonly string[]): Promise<string> {
    const text = await this.check(password, names)
    return this.#queue.run(() => hash(text, parameters))
  }

  /** Checks a password in the same way, without hashing it, and returns the form that would be hashed. */
  async check(password: string, names: readonly string[]): Promise<string> {
    const text = normalised(password)
    const least = await this.#minLength()
    const length = [...text].length
    if (length < least || length > maxCharacters || Buffer.byteLength(text) > maxBytes) {
      throw invalidParams('password', `${least} to ${maxCharacters} characters, ${maxBytes} bytes at most`, {
        reason: 'password_length',
        least,
        most: maxCharacters,
      })
    }
    if (
      (await strength.score(
        text,
        names.filter((name) => name !== ''),
      )) < minScore
    ) {
      throw invalidParams(
        'password',
        'a password that is harder to guess: longer, or several unrelated words',
        {
          reason: 'password_guessable',
        },
      )
    }
    return text
  }

  async store(userId: string, hashed: string): Promise<void> {
    const row = { user_id: userId, kind: 'password' as const, hash: hashed, updated_at: now() }
    await this.#database.write(() =>
      this.#database.query
        .insertInto('credentials')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['user_id', 'kind']).doUpdateSet({ hash: hashed, updated_at: row.updated_at }),
        )
        .execute(),
    )
  }

  /** Whether a user has a password. */
  async has(userId: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('credentials')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('kind', '=', 'password')
      .executeTakeFirst()
    return row !== undefined
  }

  /** Removes the password of a user, inside a transaction. */
  async remove(userId: string): Promise<void> {
    await this.#database.query
      .deleteFrom('credentials')
      .where('user_id', '=', userId)
      .where('kind', '=', 'password')
      .execute()
  }

  /**
   * Verifies the user's password and returns a proof for `stands`; undefined for a wrong password. An unknown user
   * (undefined) takes the same work and is refused.
   */
  async verify(userId: string | undefined, password: string): Promise<string | undefined> {
    const row =
      userId === undefined
        ? undefined
        : await this.#database.query
            .selectFrom('credentials')
            .select('hash')
            .where('user_id', '=', userId)
            .where('kind', '=', 'password')
            .executeTakeFirst()
    const stored = row && withinBounds(row.hash) ? row.hash : undefined
    const text = normalised(password)
    if (Buffer.byteLength(text) > maxBytes) return undefined
    const matches = await this.#queue.run(async () => {
      const against = stored ?? (await hashOfNobody())
      return verify(against, text).catch(() => false)
    })
    if (!matches || stored === undefined) return undefined
    if (!isWeaker(stored)) return stored
    const stronger = await this.#queue.run(() => hash(text, parameters))
    // If somebody changed the password or raised the parameters in the meantime, the stored hash decides.
    return (await this.#replace(userId!, stored, stronger)) ? stronger : this.verify(userId, password)
  }

  /**
   * Reserves a place in the queue before anything is looked up or counted. Call the returned function to release it.
   * Throws rate_limited.
   */
  reserve(): () => void {
    return this.#queue.reserve()
  }

  /** Whether the password behind a proof is still the user's: to check at the moment the proof is used. */
  async isStillCurrent(userId: string, proof: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('credentials')
      .select('hash')
      .where('user_id', '=', userId)
      .where('kind', '=', 'password')
      .executeTakeFirst()
    return row?.hash === proof
  }

  async #replace(userId: string, from: string, to: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.write(() =>
      this.#database.query
        .updateTable('credentials')
        .set({ hash: to, updated_at: now() })
        .where('user_id', '=', userId)
        .where('kind', '=', 'password')
        .where('hash', '=', from)
        .executeTakeFirst(),
    )
    return numUpdatedRows > 0n
  }
}
