import { sql } from 'kysely'
import type { ReceivedClaims } from '../providers/received.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { Seal } from '../secrets/seal.ts'

/** How long we keep what a provider said: long enough to look why somebody lacks a group. */
const keptSeconds = 7 * 86_400

const sealRow = (identityId: string) => `received_claims.${identityId}`

/** What providers last said about people, for `providers.test`. */
export class ReceivedClaimsLog {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  /** Keeps what arrived, if the identity belongs to somebody here. Inside a transaction. */
  async keep(provider: string, subject: string, claims: ReceivedClaims['claims']): Promise<void> {
    const { query } = this.#database
    const identity = await query
      .selectFrom('user_identities')
      .select('id')
      .where('provider', '=', provider)
      .where('subject', '=', subject)
      .executeTakeFirst()
    if (!identity) return
    const sealed = this.#seal.seal(JSON.stringify(claims), sealRow(identity.id))
    const received_at = now()
    await query
      .insertInto('received_claims')
      .values({ identity_id: identity.id, sealed, received_at })
      .onConflict((same) => same.column('identity_id').doUpdateSet({ sealed, received_at }))
      .execute()
  }

  /** Returns what last arrived for a user, or undefined. */
  async of(provider: string, userId: string): Promise<ReceivedClaims | undefined> {
    const row = await this.#database.query
      .selectFrom('received_claims')
      .innerJoin('user_identities', 'user_identities.id', 'received_claims.identity_id')
      .select(['identity_id', 'sealed', 'received_at'])
      .where('user_identities.provider', '=', provider)
      .where('user_identities.user_id', '=', userId)
      .where('received_at', '>', now() - keptSeconds)
      .orderBy('received_at', 'desc')
      .executeTakeFirst()
    if (!row) return undefined
    const claims = JSON.parse(
      this.#seal.open(row.sealed, sealRow(row.identity_id)),
    ) as ReceivedClaims['claims']
    return { received_at: row.received_at, claims }
  }

  /** Everything that is kept about a user, by provider. */
  async allOf(userId: string): Promise<Record<string, unknown>> {
    const rows = await this.#database.query
      .selectFrom('received_claims')
      .innerJoin('user_identities', 'user_identities.id', 'received_claims.identity_id')
      .select(['provider', 'identity_id', 'sealed'])
      .where('user_identities.user_id', '=', userId)
      .execute()
    const claims = rows.map(({ provider, identity_id, sealed }) => [
      provider,
      JSON.parse(this.#seal.open(sealed, sealRow(identity_id))) as unknown,
    ])
    return Object.fromEntries(claims) as Record<string, unknown>
  }

  async sweep(): Promise<void> {
    const old = sql<boolean>`received_at <= ${now() - keptSeconds}`
    await sweepRows(this.#database, 'received_claims', 'identity_id', old as never, (query) =>
      query.deleteFrom('received_claims'),
    )
  }
}
