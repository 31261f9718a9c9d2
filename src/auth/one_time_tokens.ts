import { sql } from 'kysely'
import { randomBytes } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** Lifetime of a mailed link by purpose, in seconds. A link works for its own purpose only. */
export const tokenLifetimesSeconds = {
  verify: 24 * 3600,
  change: 24 * 3600,
  reset: 3600,
  magic: 900,
  invite: 7 * 24 * 3600,
} as const
export type Purpose = keyof typeof tokenLifetimesSeconds

/** A half-completed sign-in, named after its first step. Its token allows trying the second factor and is never mailed. */
export type FirstStep = 'after_password' | 'after_magic_link' | 'after_provider'
export const firstSteps: readonly FirstStep[] = ['after_password', 'after_magic_link', 'after_provider']
const halfLifetimeSeconds = 300
/** How far in the future, in seconds, a row may have been created, because clocks differ. */
const maxClockSkewSeconds = 300

export interface OneTimeToken {
  readonly user_id: string | null
  /** The address that it was mailed to, in lower case; empty if it was not mailed. */
  readonly address: string
}

/** What a provider asserted, kept until the second step is done. */
export interface ProviderProof {
  readonly provider: string
  readonly identity_id: string
  readonly at_provider: { readonly sid: string; readonly id_token: string }
  /**
   * The host that received the provider's answer, if it is not our home. Its pages could submit another person's answer and read the
   * outcome, so the session is valid at this host only.
   */
  /** When the person authenticated at the provider, in Unix seconds; 0 if the provider does not say. */
  readonly proven_at: number
}

/** The refusal of a link that does not work. It does not reveal why. */
export const invalidLink = () =>
  new AppError(
    'unauthenticated',
    'This link is no longer valid: it was used, it is too old, or a newer one was sent',
    { reason: 'dead_link' },
  )

/** Mailed links: tokens of 256 bits, stored as SHA-256. Each works once, and only the newest of its kind works. */
export class OneTimeTokens {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Issues a token and deletes older ones for this purpose and address. For no user (null), the token is issued but opens nothing. */
  async issue(
    purpose: Purpose,
    userId: string | null,
    address: string,
    lifetime: number = tokenLifetimesSeconds[purpose],
  ) {
    const recipient = address.toLowerCase()
    return this.#database.write(async () => {
      const { query } = this.#database
      const older = query.deleteFrom('one_time_tokens').where('purpose', '=', purpose)
      await older.where('address', '=', recipient).execute()
      if (userId !== null) await older.where('user_id', '=', userId).execute()
      return this.#insert(purpose, userId, recipient, lifetime)
    })
  }

  /** Issues a token for the second step of a sign-in. A user may have several, in several browsers. */
  async begin(half: FirstStep, userId: string, by?: ProviderProof): Promise<string> {
    return this.#database.write(async () => {
      const token = await this.#insert(half, userId, '', halfLifetimeSeconds)
      if (by) {
        const { provider, identity_id, at_provider, proven_at } = by
        const { sid: provider_sid, id_token: provider_id_token } = at_provider
        await this.#database.query
          .insertInto('provider_proofs')
          .values({
            token_hash: digest(token),
            provider,
            identity_id,
            provider_sid,
            provider_id_token,
            proven_at,
          })
          .execute()
      }
      return token
    })
  }

  /** Returns what a provider asserted in the first step. Call it before `use`, which deletes this row with the token. */
  async providerProof(token: string): Promise<ProviderProof | undefined> {
    const row = await this.#database.query
      .selectFrom('provider_proofs')
      .selectAll()
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (!row) return undefined
    const { provider, identity_id, provider_sid, provider_id_token, proven_at } = row
    const at_provider = { sid: provider_sid, id_token: provider_id_token }
    return { provider, identity_id, at_provider, proven_at }
  }

  async #insert(purpose: Purpose | FirstStep, userId: string | null, address: string, lifetime: number) {
    const token = randomBytes(32).toString('base64url')
    const at = now()
    await this.#database.query
      .insertInto('one_time_tokens')
      .values({
        token_hash: digest(token),
        purpose,
        user_id: userId,
        address,
        created_at: at,
        expires_at: at + lifetime,
      })
      .execute()
    return token
  }

  /** Returns what a token is for, without using it up. Throws unauthenticated if it is not valid. */
  async read<P extends Purpose | FirstStep>(
    token: string,
    ...purposes: readonly P[]
  ): Promise<OneTimeToken & { readonly purpose: P }> {
    const row = await this.#database.query
      .selectFrom('one_time_tokens')
      .select(['user_id', 'address', 'purpose', 'created_at'])
      .where('token_hash', '=', digest(token))
      .where('purpose', 'in', purposes)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    // Without this check, a clock that was set back would extend the life of a link.
    if (!row || row.created_at > now() + maxClockSkewSeconds) throw invalidLink()
    return row as typeof row & { purpose: P }
  }

  /** Returns the address that a link was mailed to, if the link would still work. Asking uses nothing up. */
  async recipient(token: string, ...purposes: readonly Purpose[]): Promise<string | undefined> {
    try {
      const { user_id, purpose, address } = await this.read(token, ...purposes)
      return user_id !== null || purpose === 'invite' ? address : undefined
    } catch (error) {
      if (error instanceof AppError) return undefined
      throw error
    }
  }

  /** Uses a token up. Of several concurrent calls, only one succeeds. Call it inside the transaction that the token permits. */
  async use<P extends Purpose | FirstStep>(
    token: string,
    ...purposes: readonly P[]
  ): Promise<OneTimeToken & { readonly purpose: P }> {
    const link = await this.read(token, ...purposes)
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw invalidLink()
    return link
  }

  /** Deletes the tokens of a user that open anything: the password or the address changed, or the account was deactivated. */
  async forget(userId: string): Promise<void> {
    const { query } = this.#database
    const tokens = query.deleteFrom('one_time_tokens').where('user_id', '=', userId)
    await tokens.where('purpose', '!=', 'not_me').execute()
  }

  /** Deletes the half-completed sign-ins of a user. */
  async forgetFirstSteps(userId: string): Promise<void> {
    await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('user_id', '=', userId)
      .where('purpose', 'in', firstSteps)
      .execute()
  }

  /**
   * Deletes the half-completed sign-ins that a provider asserted: all of them, those of a user, or those of the provider's session
   * `sid`. With both, it includes a user's sign-ins without a `sid`, which may belong to that session. Returns how many.
   * Call it inside a transaction.
   */
  async forgetProviderProofs(
    provider: string,
    { userId, sid }: { userId?: string; sid?: string },
  ): Promise<number> {
    const { numDeletedRows } = await this.#database.query
      .deleteFrom('one_time_tokens')
      .where('purpose', '=', 'after_provider')
      .$if(userId !== undefined, (tokens) => tokens.where('user_id', '=', userId!))
      .where('token_hash', 'in', (query) =>
        query
          .selectFrom('provider_proofs')
          .select('token_hash')
          .where('provider', '=', provider)
          .$if(sid !== undefined, (proofs) =>
            proofs.where('provider_sid', 'in', userId === undefined ? [sid!] : [sid!, '']),
          ),
      )
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'one_time_tokens', 'token_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('one_time_tokens'),
    )
  }
}
