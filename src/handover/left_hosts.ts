import type { Seal } from '../secrets/seal.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'

/** Seconds for which an address that leads to the sign-out page of home is valid. */
const leavingSeconds = 600
const row = 'handover.leaving'

/** A sign-in that somebody is about to end, and the service where they asked for it. */
export interface Leaving {
  readonly signInId: string
  readonly origin: string
}

/** The same in the address of home's sign-out page. */
export interface SealedLeaving extends Leaving {
  /** SHA-256 of the cookie of home by which the browser proves that it fetched the address; empty if home has not asked for one. */
  readonly browser: string
}

/** The service is its host: another port or scheme is no other service. */
const hostOf = (origin: string): string => new URL(origin).hostname

/** Signing out, and what is remembered of services that a person has signed out of while they stay signed in at home. */
export class LeftHosts {
  readonly #database: Database
  readonly #seal: Seal
  readonly #sessions: Pick<Sessions, 'children' | 'revoke'>

  constructor(database: Database, seal: Seal, sessions: Pick<Sessions, 'children' | 'revoke'>) {
    this.#database = database
    this.#seal = seal
    this.#sessions = sessions
  }

  /** Names a sign-in in the address of home's sign-out page, so that nobody else can read or choose it. */
  sealed(leaving: SealedLeaving): string {
    return this.#seal.seal(JSON.stringify({ ...leaving, until: now() + leavingSeconds }), row)
  }

  read(text: string | null): SealedLeaving | undefined {
    if (text === null || text === '' || text.length > 1000) return undefined
    try {
      const { until, ...leaving } = JSON.parse(this.#seal.open(text, row)) as SealedLeaving & {
        until: number
      }
      return until > now() ? leaving : undefined
    } catch {
      return undefined
    }
  }

  /** Ends the sessions of a sign-in at one service, which asks before it opens again. */
  async leave({ signInId, origin }: Leaving): Promise<void> {
    await this.#database.write(async () => {
      const { query } = this.#database
      await this.#sessions.children.endAt(signInId, hostOf(origin))
      const living = await query
        .selectFrom('sessions')
        .select('id')
        .where('id', '=', signInId)
        .executeTakeFirst()
      if (!living) return
      await query
        .insertInto('left_hosts')
        .values({ parent_id: signInId, host: hostOf(origin) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }

  /** Returns the origins of services that a sign-in has opened, the latest first. */
  openedBy(signInId: string): Promise<string[]> {
    return this.#sessions.children.originsOf(signInId)
  }

  /** Ends a sign-in with everything that it opened. */
  async endSignIn({ signInId }: Leaving): Promise<void> {
    await this.#sessions.revoke(signInId, 'logout')
  }

  /** Whether a person has agreed to be signed in at a service. */
  async hasConfirmed(userId: string, origin: string): Promise<boolean> {
    const found = await this.#database.query
      .selectFrom('confirmed_hosts')
      .select('host')
      .where('user_id', '=', userId)
      .where('host', '=', hostOf(origin))
      .executeTakeFirst()
    return found !== undefined
  }

  /** Forgets the services that a person has agreed to since a time. Inside a transaction. */
  async forgetConfirmed(userId: string, since: number): Promise<void> {
    const { query } = this.#database
    const confirmed = query.deleteFrom('confirmed_hosts').where('user_id', '=', userId)
    await confirmed.where('confirmed_at', '>=', since).execute()
  }

  async hasLeft({ signInId, origin }: Leaving): Promise<boolean> {
    const found = await this.#database.query
      .selectFrom('left_hosts')
      .select('host')
      .where('parent_id', '=', signInId)
      .where('host', '=', hostOf(origin))
      .executeTakeFirst()
    return found !== undefined
  }

  /**
   * The person has decided to open a service: again, or for the first time. Without a user, that holds for this sign-in alone, and the
   * service asks again in others.
   */
  async comeBack({ signInId, origin }: Leaving, userId: string | undefined): Promise<void> {
    await this.#database.write(async () => {
      const { query } = this.#database
      await query
        .deleteFrom('left_hosts')
        .where('parent_id', '=', signInId)
        .where('host', '=', hostOf(origin))
        .execute()
      if (userId === undefined) return
      await query
        .insertInto('confirmed_hosts')
        .values({ user_id: userId, host: hostOf(origin), confirmed_at: now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }
}
