import type { ProofTimes } from '../contract/proofs.ts'
import { amrOf } from '../sessions/amr.ts'
import { anotherDevice } from '../contract/caller.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { maySignInSql } from '../storage/schema.ts'

/** A signed-in user, as the engine sees them. */
export interface SignedIn {
  readonly session_id: string
  readonly user_id: string
  /** When the user last authenticated, in Unix seconds. */
  readonly proven_at: number
  readonly proofs: ProofTimes
  /** How many proofs were given in this session. It tells whether one came after a request, which two clocks cannot. */
  readonly given: number
  /** Whether another device opened the session. Then it consents to nothing and approves no device. */
  readonly by_another_device: boolean
  /** Authentication methods (RFC 8176). */
  readonly amr: readonly string[]
}

interface Kept extends SignedIn {
  readonly expires_at: number
  readonly remembered: boolean
  readonly last_used_at: number
}

const maxCachedSessions = 10_000

/** Active sessions by id, for tokens that end with them. Cached, because every use of such a token needs its session. */
export class ActiveSessions {
  readonly #database: Database
  readonly #idle: (remembered: boolean) => Promise<number>
  readonly #known: Cached<BoundedMap<Kept>>

  /** `idle` is the seconds without use after which a session ends. */
  constructor(database: Database, idle: (remembered: boolean) => Promise<number>) {
    this.#database = database
    this.#idle = idle
    this.#known = new Cached(database, ['sessions', 'users', 'settings'], async () =>
      boundedMap<Kept>(maxCachedSessions),
    )
  }

  async find(id: string): Promise<SignedIn | undefined> {
    const known = await this.#known.get()
    const lives = async (kept: Kept | undefined) =>
      kept && kept.expires_at > now() && kept.last_used_at > now() - (await this.#idle(kept.remembered))
        ? kept
        : undefined
    // A cached session that looks idle may have been used since: the time of the last use changes without a notice.
    const kept = this.#database.seesCommitsAtOnce ? known.get(id) : undefined
    return (await lives(kept)) ?? lives(await this.#load(id, known))
  }

  async #load(id: string, known: BoundedMap<Kept>): Promise<Kept | undefined> {
    const row = await this.#database.query
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select([
        'user_id',
        'provider',
        'factor',
        'proven_at',
        'second_at',
        'passkey_at',
        'proofs',
        'expires_at',
        'remembered',
        'last_used_at',
        'users.ends_at',
      ])
      .where('sessions.id', '=', id)
      .where(maySignInSql())
      .executeTakeFirst()
    if (!row) return undefined
    const { user_id, proven_at, second_at, passkey_at, last_used_at } = row
    const expires_at = Math.min(row.expires_at, row.ends_at ?? Infinity)
    const proofs = { proven_at, second_at, passkey_at }
    const given = row.proofs
    const kept = {
      session_id: id,
      user_id,
      proven_at,
      proofs,
      given,
      by_another_device: row.provider === anotherDevice,
      amr: amrOf(row),
      expires_at,
      remembered: row.remembered === 1,
      last_used_at,
    }
    known.set(id, kept)
    return kept
  }
}
