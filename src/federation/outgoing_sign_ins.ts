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

/** Seconds that a sign-in may be on its way. */
export const flowLifetime = 600
/** Sign-ins on their way from one network at a time. */
const mostOpen = 500

/** What a sign-in on its way is about. */
export interface Flow {
  readonly provider_id: string
  /** Who wants to link an identity; null for whoever signs in. */
  readonly user_id: string | null
  /** The host where it began, and ends. */
  readonly host: string
  /** Where to go on, as it was asked for: it is judged again when it is used. */
  readonly next: string
  /** Whether the person is to prove themselves to the provider once more: a living session there is not enough. */
  readonly anew: boolean
}

/** A flow that has come back. */
export interface Returned extends Flow {
  readonly checks: Checks
  readonly begun_at: number
}

/** What the browser keeps of a flow: its own cookie, so that several tabs do not mix. */
export interface FlowCookie {
  readonly id: string
  readonly value: string
}

const random = () => randomBytes(32).toString('base64url')
const sealRow = (stateHash: string) => `provider_flows.${stateHash}`
const looksLikeState = (state: string) => /^[A-Za-z0-9_-]{43}$/.test(state)

/** Sign-ins on their way to a provider and back, in the database: any worker and node can end what another began. */
export class Flows {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  /** Begins one, and tells what the provider and the browser are given. Throws rate_limited. */
  async begin(flow: Flow, address: string | undefined): Promise<{ checks: Checks; cookie: FlowCookie }> {
    const checks = { state: random(), nonce: random(), verifier: random() }
    const state_hash = digest(checks.state)
    const value = random()
    const network = networkOf(address) ?? ''
    const { next, anew, ...row } = flow
    const at = now()
    await this.#database.write(async () => {
      const { open } = await this.#database.query
        .selectFrom('provider_flows')
        .select(({ fn }) => fn.countAll<number>().as('open'))
        .where('network', '=', network)
        .where('expires_at', '>', at)
        .executeTakeFirstOrThrow()
      if (Number(open) >= mostOpen)
        throw new AppError('rate_limited', 'Too many sign-ins were begun and not ended', {
          reason: 'too_many_flows',
          retry_after: 60,
        })
      const secrets = JSON.stringify({ nonce: checks.nonce, verifier: checks.verifier, next, anew })
      await this.#database.query
        .insertInto('provider_flows')
        .values({
          ...row,
          state_hash,
          browser_hash: digest(value),
          network,
          sealed: this.#seal.seal(secrets, sealRow(state_hash)),
          created_at: at,
          expires_at: at + flowLifetime,
        })
        .execute()
    })
    return { checks, cookie: { id: this.cookieId(checks.state), value } }
  }

  /** The name that a flow's cookie goes by. */
  cookieId(state: string): string {
    return digest(state).slice(0, 16)
  }

  /** Where a flow began and where it went, or undefined for one that is over or never was. */
  async find(state: string): Promise<Pick<Flow, 'host' | 'provider_id'> | undefined> {
    return this.#row(state)
  }

  /** Uses a flow up, if this is the browser that began it; of any number at the same time one gets it. */
  async take(state: string, cookie: string | undefined): Promise<Returned | undefined> {
    const row = await this.#row(state)
    if (!row || cookie === undefined) return undefined
    // Whoever knows the state alone can neither end nor spoil it.
    if (!timingSafeEqual(Buffer.from(digest(cookie)), Buffer.from(row.browser_hash))) return undefined
    const { state_hash, provider_id, user_id, host, sealed, created_at: begun_at } = row
    const { numDeletedRows } = await this.#database.write(() =>
      this.#database.query
        .deleteFrom('provider_flows')
        .where('state_hash', '=', state_hash)
        .executeTakeFirst(),
    )
    if (numDeletedRows !== 1n) return undefined
    const { next, anew, ...secrets } = JSON.parse(this.#seal.open(sealed, sealRow(state_hash))) as {
      nonce: string
      verifier: string
      next: string
      anew: boolean
    }
    return { provider_id, user_id, host, next, anew, begun_at, checks: { state, ...secrets } }
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
    // A clock that was set back would make it live for longer than it was given.
    return row && row.created_at <= at + 300 ? row : undefined
  }
}
