import { sql } from 'kysely'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { digest } from '../secrets/digest.ts'
import { AppError } from '../contract/errors.ts'
import type { Checks } from '../providers/relying_party.ts'
import { networkOf } from '../contract/networks.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** Seconds within which the provider must send the browser back. */
export const flowLifetimeSeconds = 600
const maxOpenPerNetwork = 500
/** How far in the future, in seconds, a row may have been created, because clocks differ. */
const maxClockSkewSeconds = 300

/** A sign-in that waits for the provider's answer. */
export interface OutgoingSignIn {
  readonly provider_id: string
  /** The user who wants to link an identity; null for a sign-in. */
  readonly user_id: string | null
  /** The requested destination after the sign-in. It is checked again when it is used. */
  readonly next: string
  /** Whether the provider must authenticate the person again, even if they have a session there. */
  readonly anew: boolean
  /** Whether the person asks to stay signed in in this browser. */
  readonly remember: boolean
  /** The session in which the person proves who they are, if the flow was begun for that by a form of it. */
  readonly proves?: string | undefined
}

/** A flow whose browser has returned. */
export interface ReturnedSignIn extends OutgoingSignIn {
  readonly checks: Checks
  readonly begun_at: number
}

/** Each flow has a cookie of its own, so that several tabs do not interfere. */
export interface FlowCookie {
  readonly id: string
  readonly value: string
}

const random = () => randomBytes(32).toString('base64url')
const sealRow = (stateHash: string) => `provider_flows.${stateHash}`
const looksLikeState = (state: string) => /^[A-Za-z0-9_-]{43}$/.test(state)

/** Sign-ins that wait for a provider. They are in the database, so that any worker or node can complete them. */
export class OutgoingSignIns {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  /** Begins a flow. Returns the values for the provider and the cookie for the browser. Throws rate_limited. */
  async begin(
    flow: OutgoingSignIn,
    address: string | undefined,
  ): Promise<{ checks: Checks; cookie: FlowCookie }> {
    const checks = { state: random(), nonce: random(), verifier: random() }
    const state_hash = digest(checks.state)
    const value = random()
    const network = networkOf(address) ?? ''
    const { next, anew, remember, proves, ...row } = flow
    const at = now()
    await this.#database.write(async () => {
      const { open } = await this.#database.query
        .selectFrom('provider_flows')
        .select(({ fn }) => fn.countAll<number>().as('open'))
        .where('network', '=', network)
        .where('expires_at', '>', at)
        .executeTakeFirstOrThrow()
      if (Number(open) >= maxOpenPerNetwork)
        throw new AppError('rate_limited', 'Too many sign-ins were started but not completed', {
          reason: 'too_many_flows',
          retry_after: 60,
        })
      const secrets = JSON.stringify({
        nonce: checks.nonce,
        verifier: checks.verifier,
        next,
        anew,
        remember,
        proves,
      })
      await this.#database.query
        .insertInto('provider_flows')
        .values({
          ...row,
          state_hash,
          browser_hash: digest(value),
          network,
          sealed: this.#seal.seal(secrets, sealRow(state_hash)),
          created_at: at,
          expires_at: at + flowLifetimeSeconds,
        })
        .execute()
    })
    return { checks, cookie: { id: this.cookieId(checks.state), value } }
  }

  /** Returns the part of the cookie's name that identifies the flow. */
  cookieId(state: string): string {
    return digest(state).slice(0, 16)
  }

  /** Returns the provider of a flow, or undefined if it has expired or never existed. */
  async find(state: string): Promise<Pick<OutgoingSignIn, 'provider_id'> | undefined> {
    return this.#row(state)
  }

  /** Uses a flow up, if this is the browser that began it. Of several concurrent calls, only one gets it. */
  async take(state: string, cookie: string | undefined): Promise<ReturnedSignIn | undefined> {
    const row = await this.#row(state)
    if (!row || cookie === undefined) return undefined
    // The state alone must neither complete nor use up a flow.
    if (!timingSafeEqual(Buffer.from(digest(cookie)), Buffer.from(row.browser_hash))) return undefined
    const { state_hash, provider_id, user_id, sealed, created_at: begun_at } = row
    const { numDeletedRows } = await this.#database.write(() =>
      this.#database.query
        .deleteFrom('provider_flows')
        .where('state_hash', '=', state_hash)
        .executeTakeFirst(),
    )
    if (numDeletedRows !== 1n) return undefined
    const {
      next,
      anew,
      remember = false,
      proves,
      ...secrets
    } = JSON.parse(this.#seal.open(sealed, sealRow(state_hash))) as {
      nonce: string
      verifier: string
      next: string
      anew: boolean
      // Missing in flows from before this was kept.
      remember?: boolean
      proves?: string
    }
    return { provider_id, user_id, next, anew, remember, proves, begun_at, checks: { state, ...secrets } }
  }

  /** Forgets the identities that a user has begun to link. Inside a transaction. */
  async forget(userId: string): Promise<void> {
    await this.#database.query.deleteFrom('provider_flows').where('user_id', '=', userId).execute()
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'provider_flows', 'state_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('provider_flows'),
    )
  }

  async #row(state: string) {
    if (!looksLikeState(state)) return undefined
    const at = now()
    const row = await this.#database.query
      .selectFrom('provider_flows')
      .selectAll()
      .where('state_hash', '=', digest(state))
      .where('expires_at', '>', at)
      .executeTakeFirst()
    // Without this check, a clock that was set back would extend the life of a flow.
    return row && row.created_at <= at + maxClockSkewSeconds ? row : undefined
  }
}
