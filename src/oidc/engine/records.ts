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

/** Seconds within which a refresh token that comes again was sent by the same program, which lost the answer. */
const refreshGrace = 10
/** Seconds that a row outlives its end: the engine tells a late caller what it was. */
const afterlife = 3600

const usedUp = (kind: string): Error => new Error(`${kind} was used already`)

const idOf = (kind: string, id: string) => digest(`${kind}:${id}`)
const rowOf = (id: string) => `oidc_records:${id}`

type Found = Pick<OidcRecordRow, 'id' | 'payload_sealed' | 'consumed_at' | 'expires_at'>

/** What is asked for at every use of a token, and of that what is written more than once. */
const keptKinds = new Set(['AccessToken', 'Grant', 'OurSession'])
/** Proofs that count once: of the same one twice at the same time, one is written. */
const onceOnly = new Set(['ReplayDetection'])
const changingKinds = new Set(['Grant', 'OurSession'])
/** Records kept in memory. */
const keep = 5000
interface Kept {
  /** JSON: whoever gets it may change what it makes of it. */
  readonly text: string
  readonly expires_at: number
}

/** What tokens of a kind begin with: whoever asks about one of any kind is answered by one look. */
export const tokenMarks: Readonly<Record<string, string>> = {
  AccessToken: 'at~',
  ClientCredentials: 'ct~',
  RefreshToken: 'rt~',
}
const allMarks = Object.values(tokenMarks)

/** Tokens of before have no mark, and can be of any kind. */
const isOfAnother = (kind: string, id: string): boolean =>
  Object.hasOwn(tokenMarks, kind) && !id.startsWith(tokenMarks[kind]!) && allMarks.includes(id.slice(0, 3))

/** What goes when a grant goes: a question that is still open is no fruit of it. */
const grantOf = (kind: string, id: string, { grantId = null }: { grantId?: string | null }) =>
  kind === 'Grant' ? id : kind === 'Interaction' ? null : grantId

/** Whose it is: with what a client may, the questions that are open about it end too. */
const clientOf = ({ clientId, params }: AdapterPayload): string | null =>
  clientId ?? (params?.client_id as string | undefined) ?? null

/** What the engine keeps: codes, tokens, grants, flows under way. Found by the SHA-256 of the token, sealed otherwise. */
export class Records {
  readonly #database: Database
  readonly #seal: Seal
  readonly #known: Cached<BoundedMap<Kept>>
  #byId: CompiledQuery<Found> | undefined

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
    // With a client and with a person their records go.
    this.#known = new Cached(database, ['records', 'clients', 'users'], async () => boundedMap<Kept>(keep))
  }

  async find(kind: string, id: string): Promise<AdapterPayload | undefined> {
    if (isOfAnother(kind, id)) return undefined
    const key = idOf(kind, id)
    const isKept = keptKinds.has(kind) && this.#database.hearsAtOnce
    const known = isKept ? await this.#known.get() : undefined
    const kept = known?.get(key)
    if (kept && kept.expires_at + afterlife > now()) return JSON.parse(kept.text) as AdapterPayload
    const row = await this.#row(key)
    if (!row || row.expires_at + afterlife <= now()) return undefined
    // Twice at once: the second learns nothing, and the first keeps what it got.
    if (kind === 'RefreshToken' && row.consumed_at !== null && row.consumed_at > now() - refreshGrace)
      return undefined
    const text = this.#text(row)
    if (row.consumed_at === null) known?.set(key, { text, expires_at: row.expires_at })
    const payload = JSON.parse(text) as AdapterPayload
    return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at }
  }

  /** The question is the same each time: it is put together once. */
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
      .where('expires_at', '>', now() - afterlife)
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
    }
    const { grant_id, user_id, client } = row
    await this.#database.write(async () => {
      const { numInsertedOrUpdatedRows } = await this.#database.query
        .insertInto('oidc_records')
        .values(row)
        .onConflict((same) =>
          onceOnly.has(kind)
            ? same.column('id').doNothing()
            : // What was used stays used.
              same.column('id').doUpdateSet({ payload_sealed, expires_at, grant_id, user_id, client }),
        )
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows !== 1n) throw asError(kind)
      if (changingKinds.has(kind)) this.#database.changed('records')
    })
  }

  /** Marks a token as used; of any number at the same time one succeeds. */
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

  /** Everything that came of a grant, and the grant itself. */
  async removeGrant(grantId: string): Promise<void> {
    await this.#delete(sql`grant_id = ${grantId}`)
  }

  /** Everything that a person allowed, or that they allowed one client. */
  async removeOf(userId: string, client?: string): Promise<void> {
    await this.#delete(
      client === undefined
        ? sql`user_id = ${userId}`
        : // A question that is still open is no fruit of what they allowed.
          sql`user_id = ${userId} and client = ${client} and kind <> 'Interaction'`,
    )
  }

  /** Of what people gave a client, these kinds. */
  async removeOfClient(client: string, kinds: 'all' | readonly string[]): Promise<void> {
    if (kinds.length === 0) return
    const of = kinds === 'all' ? sql`` : sql` and kind in (${sql.join(kinds)})`
    await this.#delete(sql`client = ${client}${of}`)
  }

  async sweep(): Promise<void> {
    const which = sql<SqlBool>`expires_at < ${now() - afterlife}`
    await sweepRows(
      this.#database,
      'oidc_records',
      'id',
      which,
      (query) => query.deleteFrom('oidc_records'),
      'records',
    )
  }

  /** As the engine asks for it; `asError` is what it throws for a token or proof that was used before. */
  readonly adapter = (kind: string, asError: (kind: string) => Error): Adapter => ({
    find: (id) => this.find(kind, id),
    findByUid: async () => undefined,
    findByUserCode: (userCode) => this.findByUserCode(userCode),
    upsert: (id, payload, lifetime) => this.put(kind, id, payload, lifetime, asError),
    consume: (id) => this.consume(kind, id, asError),
    destroy: (id) => this.remove(kind, id),
    // The grant itself the engine removes when it means to.
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
