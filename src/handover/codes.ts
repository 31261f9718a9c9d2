import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import type { ChildSessions } from '../sessions/child_sessions.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { bit, type ArrivalCodeRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { Destination } from './destination.ts'
import type { Passage } from './passages.ts'

/** Seconds within which a code must be shown. */
export const codeSeconds = 60
/** Seconds for which a code that is no longer valid still leads to its path. */
const keptSeconds = 600
/** Unused codes of one sign-in; beyond that, the oldest is deleted. */
const maxUnused = 20

/** The browser that a code is for. */
export interface Arrival {
  /** SHA-256 of its arrival cookie, hex. */
  readonly arrivalHash: string
  /** Whether an earlier code of this browser has failed. */
  readonly again: boolean
}

const looksLikeCode = (code: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(code)

/** One-time codes that carry a sign-in at home to the host of a service: 256 bits, of which we store the SHA-256. */
export class ArrivalCodes {
  readonly #database: Database
  readonly #children: Pick<ChildSessions, 'round'>

  constructor(database: Database, children: Pick<ChildSessions, 'round'>) {
    this.#database = database
    this.#children = children
  }

  /** Makes a code for one browser and one page. */
  async issue(
    parentId: string,
    { origin, path }: Pick<Destination, 'origin' | 'path'>,
    { arrivalHash, again }: Arrival,
    passage?: Passage,
  ): Promise<string> {
    const code = randomBytes(32).toString('base64url')
    await this.#database.write(async () => {
      await this.#makeRoom(parentId)
      const row: ArrivalCodeRow = {
        code_hash: digest(code),
        parent_id: parentId,
        origin,
        path,
        arrival_hash: arrivalHash,
        round: (await this.#children.round(origin, arrivalHash)) + 1,
        again: bit(again),
        passage: passage ? JSON.stringify(passage) : '',
        created_at: now(),
        used_at: null,
      }
      await this.#database.query.insertInto('arrival_codes').values(row).execute()
    })
    return code
  }

  /**
   * Uses a code up, whatever comes of it. `valid` for the first of several calls, within the lifetime of the code. Undefined for an
   * unknown code. Inside a transaction.
   */
  async use(code: string): Promise<(ArrivalCodeRow & { readonly valid: boolean }) | undefined> {
    const row = await this.find(code)
    if (!row) return undefined
    const at = now()
    const { numUpdatedRows } = await this.#database.query
      .updateTable('arrival_codes')
      .set({ used_at: at })
      .where('code_hash', '=', row.code_hash)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    const age = at - row.created_at
    // Without the lower bound, a clock that was set back would extend the life of a code.
    return { ...row, valid: numUpdatedRows === 1n && age >= 0 && age < codeSeconds }
  }

  /** Returns what is known of a code, used or not. */
  async find(code: string): Promise<ArrivalCodeRow | undefined> {
    if (!looksLikeCode(code)) return undefined
    return this.#database.query
      .selectFrom('arrival_codes')
      .selectAll()
      .where('code_hash', '=', digest(code))
      .executeTakeFirst()
  }

  async sweep(): Promise<void> {
    const old = sql<boolean>`created_at < ${now() - keptSeconds}`
    await sweepRows(this.#database, 'arrival_codes', 'code_hash', old, (query) =>
      query.deleteFrom('arrival_codes'),
    )
  }

  async #makeRoom(parentId: string): Promise<void> {
    const rows = await this.#database.query
      .selectFrom('arrival_codes')
      .select('code_hash')
      .where('parent_id', '=', parentId)
      .where('used_at', 'is', null)
      .where('created_at', '>', now() - codeSeconds)
      .orderBy('created_at', 'desc')
      .execute()
    const old = rows.slice(maxUnused - 1).map(({ code_hash }) => code_hash)
    if (old.length === 0) return
    await this.#database.query.deleteFrom('arrival_codes').where('code_hash', 'in', old).execute()
  }
}
