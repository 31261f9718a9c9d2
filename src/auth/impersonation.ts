import type { Caller } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { now } from '../storage/ids.ts'
import { maySignIn } from '../storage/schema.ts'
import type { Users } from '../users/users.ts'

/** Seconds that acting as somebody else lasts at most. */
const lifetime = 3600

/** An overlay on an administrator's own session: services see the other person, we go on seeing the administrator. */
export class Impersonation {
  readonly #users: Users
  readonly #sessions: Sessions

  constructor(users: Users, sessions: Sessions) {
    this.#users = users
    this.#sessions = sessions
  }

  async begin(username: string, caller: Caller): Promise<{ user: string; until: number }> {
    if (caller.session_id === undefined)
      throw conflict('Only a signed-in administrator can act as somebody else')
    if (caller.on_behalf !== undefined)
      throw conflict(`You act as ${caller.on_behalf} already; stop that first`)
    const target = await this.#users.get({ username })
    if (target.id === caller.user_id) throw conflict('That is you')
    if (!maySignIn(target))
      throw conflict('A user who may not sign in has no identity that one could take on')
    if (target.is_admin && !caller.claims.has('proxy.admin')) {
      throw new AppError('claim_required', 'Acting as an administrator takes the claim proxy.admin', {
        claims: ['proxy.admin'],
      })
    }
    const until = now() + lifetime
    await this.#sessions.impersonate(caller.session_id, target.id, until)
    return { user: target.username, until }
  }

  async end(caller: Caller): Promise<null> {
    if (caller.session_id === undefined || caller.on_behalf === undefined)
      throw conflict('You act as nobody but yourself')
    await this.#sessions.impersonate(caller.session_id, null, null)
    return null
  }
}
