import { createHash, randomInt } from 'node:crypto'
import { sql } from 'kysely'
import type { Caller } from '../../contract/caller.ts'
import { AppError, conflict } from '../../contract/errors.ts'
import { networkOf } from '../../contract/networks.ts'
import { digest } from '../../secrets/digest.ts'
import { anotherDevice } from '../../contract/caller.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import { sweepRows } from '../../storage/sweeping.ts'
import type { SignIn } from '../sign_in.ts'
import type { ElsewhereAdmission, Reach } from './admission.ts'
import type { Nearness } from './network_rule.ts'

/** From the QR code to the session. */
export const elsewhereSeconds = 300
/** Requests that are open at once: of one network, and of all. */
const maxOfNetwork = 50
const maxOpen = 2000

interface Parts {
  readonly database: Database
  readonly signIn: Pick<SignIn, 'openForAnotherDevice'>
  readonly admission: ElsewhereAdmission
  readonly publicUrl: string
}

/** What the browser shows that waits. `over`: there is no such request any more. */
export interface Waiting {
  readonly state: 'waiting' | 'opened' | 'approved' | 'ended'
  /** Why it has ended. */
  readonly why: '' | 'network' | 'family' | 'digits' | 'over'
  readonly link: string | null
  readonly digits: string | null
  /** Who has approved it. */
  readonly user: string | null
  readonly expires_at: number | null
}

/** What the phone shows of the browser. If it may not go on, the request has ended. */
interface Opened extends Reach {
  readonly address: string
  readonly user_agent: string
}

/** What came of the one try at the digits. */
interface Tried {
  readonly address: string
  readonly fault: 'digits' | 'network' | 'family' | undefined
}

const faultOf = (network: Nearness) => (network === 'family' ? 'family' : 'network')

const over = () =>
  new AppError('unauthenticated', 'This request is over; begin again', { reason: 'elsewhere_over' })

const hashOf = (secret: string): string => digest(`elsewhere ${secret}`)
/** 128 bits that follow from the secret of the browser and do not reveal it, so that its page can show them again. */
const codeOf = (secret: string): string =>
  createHash('sha256').update(`elsewhere code ${secret}`).digest().subarray(0, 16).toString('base64url')

/**
 * Browsers that a phone of their person signs in. The browser keeps a secret, and shows the code of a link and two digits. The first
 * phone that opens the link owns the request; its person types the digits, once. Only the browser with the secret gets the session.
 */
export class ElsewhereRequests {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get #query() {
    return this.#parts.database.query
  }

  /** A browser asks to be signed in by a phone. Throws rate_limited while too many do. Inside a transaction. */
  async begin(secret: string, caller: Caller): Promise<void> {
    await this.#parts.admission.admit(caller)
    const at = now()
    const network = networkOf(caller.address) ?? ''
    if ((await this.#countOf(network, at)) >= maxOfNetwork || (await this.#countOf(null, at)) >= maxOpen)
      throw new AppError('rate_limited', 'Too many browsers wait for a phone; try again later', {
        retry_after: elsewhereSeconds,
      })
    const { numInsertedOrUpdatedRows } = await this.#query
      .insertInto('elsewhere_requests')
      .values({
        browser_hash: hashOf(secret),
        code_hash: digest(codeOf(secret)),
        digits: String(randomInt(100)).padStart(2, '0'),
        address: caller.address ?? '',
        network,
        user_agent: (caller.user_agent ?? '').slice(0, 300),
        state: 'waiting',
        reason: '',
        user_id: null,
        session_id: null,
        expires_at: at + elsewhereSeconds,
      })
      .onConflict((same) => same.doNothing())
      .executeTakeFirst()
    // Each secret is used once, or a browser could have the digits drawn anew.
    if (numInsertedOrUpdatedRows !== 1n) throw over()
  }

  /** What has become of the request of a browser. */
  async look(secret: string): Promise<Waiting> {
    const row = await this.#query
      .selectFrom('elsewhere_requests')
      .leftJoin('users', 'users.id', 'elsewhere_requests.user_id')
      .select(['digits', 'state', 'reason', 'users.username', 'elsewhere_requests.expires_at'])
      .where('browser_hash', '=', hashOf(secret))
      .where('elsewhere_requests.expires_at', '>', now())
      .executeTakeFirst()
    const nothing = { link: null, digits: null, user: null, expires_at: null }
    if (!row) return { state: 'ended', why: 'over', ...nothing }
    const { state, reason: why, digits, username, expires_at } = row
    if (state === 'ended') return { state, why, ...nothing, expires_at }
    if (state === 'approved') return { state, why, ...nothing, user: username, expires_at }
    const link = `${this.#parts.publicUrl}/auth/elsewhere/open?code=${codeOf(secret)}`
    return { state: state === 'waiting' ? 'waiting' : 'opened', why, link, digits, user: null, expires_at }
  }

  /** A phone opens the link: the first one owns the request. Inside a transaction. */
  async open(code: string, caller: Caller): Promise<Opened> {
    const { user_id, session_id } = await this.#parts.admission.phone(caller, now())
    const code_hash = digest(code)
    const row = await this.#query
      .selectFrom('elsewhere_requests')
      .select(['address', 'user_agent', 'state', 'session_id'])
      .where('code_hash', '=', code_hash)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    if (!row) throw over()
    const { address, user_agent } = row
    const { network, may } = await this.#parts.admission.reach(address, caller)
    const { numUpdatedRows } = await this.#query
      .updateTable('elsewhere_requests')
      .set({
        user_id,
        session_id,
        ...(may ? { state: 'opened' } : { state: 'ended', reason: faultOf(network) }),
      })
      .where('code_hash', '=', code_hash)
      .where((where) =>
        where.or([
          where('state', '=', 'waiting'),
          where.and([where('state', '=', 'opened'), where('session_id', '=', session_id)]),
        ]),
      )
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) {
      if (row.session_id === session_id) throw over()
      throw conflict('Another phone has opened this link before', { reason: 'elsewhere_taken' })
    }
    return { address, user_agent, network, may }
  }

  /**
   * Uses the one try at the digits, and returns what was wrong, if anything was. The transaction is its own, so that the try is used up
   * whatever comes of it.
   */
  async tryDigits(code: string, digits: string, caller: Caller): Promise<Tried> {
    const { session_id } = await this.#parts.admission.phone(caller, now())
    return this.#parts.database.write(async () => {
      const row = await this.#query
        .selectFrom('elsewhere_requests')
        .select(['digits', 'address'])
        .where('code_hash', '=', digest(code))
        .where('session_id', '=', session_id)
        .where('expires_at', '>', now())
        .executeTakeFirst()
      if (!row) throw over()
      const { network, may } = await this.#parts.admission.reach(row.address, caller)
      const fault = row.digits !== digits ? 'digits' : may ? undefined : faultOf(network)
      const { numUpdatedRows } = await this.#query
        .updateTable('elsewhere_requests')
        .set(fault === undefined ? { state: 'tried' } : { state: 'ended', reason: fault })
        .where('code_hash', '=', digest(code))
        .where('session_id', '=', session_id)
        .where('state', '=', 'opened')
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw over()
      return { address: row.address, fault }
    })
  }

  /** The person has typed the right digits. Inside a transaction. */
  async approve(code: string, caller: Caller): Promise<void> {
    const { session_id } = await this.#parts.admission.phone(caller, now())
    const { numUpdatedRows } = await this.#query
      .updateTable('elsewhere_requests')
      .set({ state: 'approved' })
      .where('code_hash', '=', digest(code))
      .where('session_id', '=', session_id)
      .where('state', '=', 'tried')
      .where('expires_at', '>', now())
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw over()
  }

  /** Opens the session of the browser, once, while the phone that approved it is still signed in. Inside a transaction. */
  async enter(secret: string, caller: Caller) {
    await this.#parts.admission.admit(caller)
    const approved = await this.#query
      .deleteFrom('elsewhere_requests')
      .where('browser_hash', '=', hashOf(secret))
      .where('state', '=', 'approved')
      .where('expires_at', '>', now())
      .returning(['user_id', 'session_id', 'address'])
      .executeTakeFirst()
    if (!approved?.user_id || !(await this.#parts.admission.reach(approved.address, caller)).may) throw over()
    const phone = await this.#query
      .selectFrom('sessions')
      .select('id')
      .where('id', '=', approved.session_id)
      .where('user_id', '=', approved.user_id)
      .where('provider', '<>', anotherDevice)
      .where('expires_at', '>', now())
      .executeTakeFirst()
    if (!phone) throw over()
    return this.#parts.signIn.openForAnotherDevice(approved.user_id, caller)
  }

  /** Whatever waits for a person ends, approved or not. Inside a transaction. */
  async forget(userId: string): Promise<void> {
    await this.#query.deleteFrom('elsewhere_requests').where('user_id', '=', userId).execute()
  }

  async sweep(): Promise<void> {
    const { database } = this.#parts
    await sweepRows(database, 'elsewhere_requests', 'browser_hash', sql`expires_at <= ${now()}`, (query) =>
      query.deleteFrom('elsewhere_requests'),
    )
  }

  async #countOf(network: string | null, at: number): Promise<number> {
    const all = this.#query
      .selectFrom('elsewhere_requests')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('expires_at', '>', at)
    const counted = network === null ? all : all.where('network', '=', network)
    return Number((await counted.executeTakeFirstOrThrow()).count)
  }
}
