import { sql } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Profile } from '../providers/profile.ts'
import type { Tokens } from '../providers/token_response.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** Seconds within which a person must confirm a link. */
export const pendingLifetimeSeconds = 600

/** An identity that a provider has just vouched for and that no account has. */
export interface PendingLink {
  readonly provider_id: string
  readonly profile: Profile
  readonly tokens: Tokens
  /** Where the person was going, as a path of home. */
  readonly next: string
}

export const linkExpired = () =>
  new AppError('not_found', 'This took too long or is already done; start again', {
    reason: 'flow_over',
    noun: 'link',
  })

const sealRow = (tokenHash: string) => `provider_links.${tokenHash}`

/** Identities that wait for a person to confirm the link. Only that person's browser holds the token. */
export class PendingLinks {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  /** Call it inside a transaction. */
  async add({ provider_id, ...identity }: PendingLink): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const token_hash = digest(token)
    const at = now()
    await this.#database.query
      .insertInto('provider_links')
      .values({
        token_hash,
        provider_id,
        sealed: this.#seal.seal(JSON.stringify(identity), sealRow(token_hash)),
        created_at: at,
        expires_at: at + pendingLifetimeSeconds,
      })
      .execute()
    return token
  }

  /** Returns the pending link without using it up, or undefined if it has expired. */
  async find(token: string): Promise<PendingLink | undefined> {
    const token_hash = digest(token)
    const at = now()
    const row = await this.#database.query
      .selectFrom('provider_links')
      .selectAll()
      .where('token_hash', '=', token_hash)
      .where('expires_at', '>', at)
      .executeTakeFirst()
    if (!row || row.created_at > at + 300) return undefined
    const identity = JSON.parse(this.#seal.open(row.sealed, sealRow(token_hash))) as Omit<
      PendingLink,
      'provider_id'
    >
    return { provider_id: row.provider_id, ...identity }
  }

  /** Uses the link up. Call it inside the transaction that links the identity. */
  async use(token: string): Promise<PendingLink> {
    const pending = await this.find(token)
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('provider_links')
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (!pending || numDeletedRows !== 1n) throw linkExpired()
    return pending
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'provider_links', 'token_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('provider_links'),
    )
  }
}
