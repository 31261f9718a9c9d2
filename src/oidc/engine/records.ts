import { sql, type CompiledQuery, type RawBuilder, type SqlBool } from 'kysely'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { digest } from '../../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../../storage/bounded_map.ts'
import { Cached } from '../../storage/cached.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import type { OidcRecordRow } from '../../storage/schema.ts'
import type { Seal } from '../../secrets/seal.ts'
import { sweepRows } from '../../storage/sweeping.ts'

/** A refresh token that is used again this soon was probably sent by the same program, which lost the response. */
const refreshGraceSeconds = 10
/** How long we keep expired rows, so that the engine can answer late callers precisely. */
const retentionSeconds = 3600

const usedUp = (kind: string): Error => new Error(`${kind} was already used`)

const idOf = (kind: string, id: string) => digest(`${kind}:${id}`)
const rowOf = (id: string) => `oidc_records:${id}`

type Found = Pick<OidcRecordRow, 'id' | 'payload_sealed' | 'consumed_at' | 'expires_at'>

/** Kinds that we cache, because every use of a token reads them. */
const cachedKinds = new Set(['AccessToken', 'Grant', 'OurSession'])
/** Kinds that work once: of two concurrent inserts of the same record, the second fails. */
const onceOnly = new Set(['ReplayDetection'])
/** The cached kinds that are written more than once. */
const changingKinds = new Set(['Grant', 'OurSession'])
const maxCachedRecords = 5000
interface Kept {
  /** JSON rather than an object, because callers may modify what they get. */
  readonly text: string
  readonly expires_at: number
}

/** The prefix of each kind of token, so that introspecting a token of unknown kind takes one lookup. */
export const tokenPrefixes: Readonly<Record<string, string>> = {
  AccessToken: 'at~',
  ClientCredentials: 'ct~',
  RefreshToken: 'rt~',
}
const allPrefixes = Object.values(tokenPrefixes)

/** Whether the prefix shows another kind. Older tokens have no prefix and can be of any kind. */
const isOfAnother = (kind: string, id: string): boolean =>
  Object.hasOwn(tokenPrefixes, kind) &&
  !id.startsWith(tokenPrefixes[kind]!) &&
  allPrefixes.includes(id.slice(0, 3))

/** The grant whose removal removes this record. An open interaction does not depend on a grant. */
const grantOf = (kind: string, id: string, { grantId = null }: { grantId?: string | null }) =>
  kind === 'Grant' ? id : kind === 'Interaction' ? null : grantId

/** The client of a record. An open interaction names it in its parameters. */
const clientOf = ({ clientId, params }: AdapterPayload): string | null =>
  clientId ?? (params?.client_id as string | undefined) ?? null

/** The engine's records: codes, tokens, grants and interactions. Each is found by the SHA-256 of its token, and its content is sealed. */
export class Records {
  readonly #database: Database
  readonly #seal: Seal
  readonly #known: Cached<BoundedMap<Kept>>
  #byId: CompiledQuery<Found> | undefined

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
    // Removing a client or a user also removes their records.
    this.#known = new Cached(database, ['records', 'clients', 'users'], async () =>
      boundedMap<Kept>(maxCachedRecords),
    )
  }

  async find(kind: string, id: string): Promise<AdapterPayload | undefined> {
    if (isOfAnother(kind, id)) return undefined
    const key = idOf(kind, id)
    const isCached = cachedKinds.has(kind) && this.#database.seesCommitsAtOnce
    const known = isCached ? await this.#known.get() : undefined
    const kept = known?.get(key)
    if (kept && kept.expires_at + retentionSeconds > now()) return JSON.parse(kept.text) as AdapterPayload
    const row = await this.#row(key)
    if (!row || row.expires_at + retentionSeconds <= now()) return undefined
    // Of two concurrent uses, the second fails without the revocation of the grant, so the first keeps its new tokens.
    if (kind === 'RefreshToken' && row.consumed_at !== null && row.consumed_at > now() - refreshGraceSeconds)
      return undefined
    const text = this.#text(row)
    if (row.consumed_at === null) known?.set(key, { text, expires_at: row.expires_at })
    const payload = JSON.parse(text) as AdapterPayload
    return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at }
  }

  /** Compiles the query once, because it is always the same. */
  async #row(id: string): Promise<Found | undefined> {
    const { query } = this.#database
    this.#byId ??= query
      .selectFrom('oidc_records')
      .select(['id', 'payload_sealed', 'consumed_at', 'expires_at'])
      .where('id', '=', id)
      .compile()
    const { rows } = await query.executeQuery<Found>({ ...this.#byId, parameters: [id] })
    return rows[0]
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const row = await this.#database.query
      .selectFrom('oidc_records')
      .select(['id', 'payload_sealed', 'consumed_at'])
      .where('lookup', '=', digest(userCode))
      .where('kind', '=', 'DeviceCode')
      .where('expires_at', '>', now() - retentionSeconds)
      .executeTakeFirst()
    return row && (JSON.parse(this.#text(row)) as AdapterPayload)
  }

  async put(
    kind: string,
    id: string,
    payload: AdapterPayload,
    lifetime?: number,
    asError = usedUp,
  ): Promise<void> {
    const key = idOf(kind, id)
    const payload_sealed = this.#seal.seal(JSON.stringify(payload), rowOf(key))
    const expires_at = lifetime === undefined ? Number.MAX_SAFE_INTEGER : now() + lifetime
    const row = {
      id: key,
      kind,
      grant_id: grantOf(kind, id, payload),
      user_id: payload.accountId ?? null,
      client: clientOf(payload),
      lookup: payload.userCode === undefined ? null : digest(payload.userCode),
      payload_sealed,
      consumed_at: null,
      expires_at,
      written_at: now(),
    }
    const { grant_id, user_id, client, written_at } = row
    await this.#database.write(async () => {
      const { numInsertedOrUpdatedRows } = await this.#database.query
        .insertInto('oidc_records')
        .values(row)
        .onConflict((same) =>
          onceOnly.has(kind)
            ? same.column('id').doNothing()
            : // Leave consumed_at unchanged, so that a used record stays used.
              same
                .column('id')
                .doUpdateSet({ payload_sealed, expires_at, grant_id, user_id, client, written_at }),
        )
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows !== 1n) throw asError(kind)
      if (changingKinds.has(kind)) this.#database.changed('records')
    })
  }

  /** Marks a token as used. Of several concurrent calls, only one succeeds. */
  async consume(kind: string, id: string, asError = usedUp): Promise<void> {
    await this.#database.write(async () => {
      const { numUpdatedRows } = await this.#database.query
        .updateTable('oidc_records')
        .set({ consumed_at: now() })
        .where('id', '=', idOf(kind, id))
        .where('consumed_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw asError(kind)
    })
  }

  async remove(kind: string, id: string): Promise<void> {
    await this.#delete(sql`id = ${idOf(kind, id)}`)
  }

  /** Removes a grant and everything that depends on it. */
  async removeGrant(grantId: string): Promise<void> {
    await this.#delete(sql`grant_id = ${grantId}`)
  }

  /** Removes the records of a user, or those of a user with one client. */
  async removeOf(userId: string, client?: string): Promise<void> {
    await this.#delete(
      client === undefined
        ? sql`user_id = ${userId}`
        : // An open interaction does not depend on an earlier consent.
          sql`user_id = ${userId} and client = ${client} and kind <> 'Interaction'`,
    )
  }

  /** Removes the records of a user that were made since a time, and grants that were extended since then with all that they gave. */
  async removeSince(userId: string, since: number): Promise<void> {
    const ofUser = sql`user_id = ${userId} and written_at >= ${since}`
    await this.#delete(sql`(${ofUser}) or grant_id in (
      select grant_id from oidc_records where kind = 'Grant' and ${ofUser})`)
  }

  /** Removes the records of a client, all or of these kinds. */
  async removeOfClient(client: string, kinds: 'all' | readonly string[]): Promise<void> {
    if (kinds.length === 0) return
    const of = kinds === 'all' ? sql`` : sql` and kind in (${sql.join(kinds)})`
    await this.#delete(sql`client = ${client}${of}`)
  }

  async sweep(): Promise<void> {
    const which = sql<SqlBool>`expires_at < ${now() - retentionSeconds}`
    await sweepRows(
      this.#database,
      'oidc_records',
      'id',
      which,
      (query) => query.deleteFrom('oidc_records'),
      'records',
    )
  }

  /** The engine's storage adapter. `asError` makes the error for a token or proof that was already used. */
  readonly adapter = (kind: string, asError: (kind: string) => Error): Adapter => ({
    find: (id) => this.find(kind, id),
    findByUid: async () => undefined,
    findByUserCode: (userCode) => this.findByUserCode(userCode),
    upsert: (id, payload, lifetime) => this.put(kind, id, payload, lifetime, asError),
    consume: (id) => this.consume(kind, id, asError),
    destroy: (id) => this.remove(kind, id),
    // The engine removes the grant itself separately.
    revokeByGrantId: (grantId) => this.#delete(sql`grant_id = ${grantId} and kind = ${kind}`),
  })

  #text({ id, payload_sealed }: Pick<Found, 'id' | 'payload_sealed'>): string {
    return this.#seal.open(payload_sealed, rowOf(id))
  }

  async #delete(which: RawBuilder<SqlBool>): Promise<void> {
    await this.#database.write(async () => {
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('oidc_records')
        .where(which)
        .executeTakeFirstOrThrow()
      if (numDeletedRows > 0n) this.#database.changed('records')
    })
  }
}
