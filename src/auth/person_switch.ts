import type { Seal } from '../secrets/seal.ts'
import type { OpenedSession } from '../sessions/opened_session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'

/** Seconds within which the person must decide. */
export const switchSeconds = 300
const row = 'auth.person_switch'

/**
 * A browser in which somebody is signed in, and somebody else has just proved who they are. The new sign-in lasts minutes, and its
 * token stays sealed in a form, until the person decides: then one of the two ends.
 */
export class PersonSwitch {
  readonly #database: Database
  readonly #seal: Seal
  readonly #sessions: Pick<Sessions, 'renewals' | 'revoke'>

  constructor(database: Database, seal: Seal, sessions: Pick<Sessions, 'renewals' | 'revoke'>) {
    this.#database = database
    this.#seal = seal
    this.#sessions = sessions
  }

  /** Returns a text for the form that asks. Nobody can read or make one. */
  sealed(token: string): string {
    return this.#seal.seal(token, row)
  }

  /**
   * Ends the sign-in that was there, and returns the new one with its full lifetime. Undefined if the time is over, or if the form was
   * used before.
   */
  async accept(text: string, replaces: string | undefined): Promise<OpenedSession | undefined> {
    const token = this.#token(text)
    if (token === undefined) return undefined
    return this.#database.write(async () => {
      const opened = await this.#sessions.renewals.keepOpened(token, switchSeconds)
      if (opened && replaces !== undefined && replaces !== opened.id)
        await this.#sessions.revoke(replaces, 'logout')
      return opened
    })
  }

  /** A sign-in with its full lifetime, if it was opened for a decision that nobody has to make any more. Undefined if it has ended. */
  async whole(token: string): Promise<OpenedSession | undefined> {
    const { renewals } = this.#sessions
    return this.#database.write(
      async () => (await renewals.keepOpened(token, switchSeconds)) ?? renewals.living(token),
    )
  }

  /** Ends the new sign-in. */
  async refuse(text: string): Promise<void> {
    const token = this.#token(text)
    if (token === undefined) return
    await this.#database.write(async () => {
      const opened = await this.#sessions.renewals.keepOpened(token, switchSeconds)
      if (opened) await this.#sessions.revoke(opened.id, 'logout')
    })
  }

  #token(text: string): string | undefined {
    try {
      return this.#seal.open(text, row)
    } catch {
      return undefined
    }
  }
}
