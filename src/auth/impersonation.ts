import type { Caller } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { now } from '../storage/ids.ts'
import { maySignIn } from '../storage/schema.ts'
import type { Users } from '../users/users.ts'

const maxImpersonationSeconds = 3600

/** An overlay on an administrator's own session: services see the other user, while our own methods see the administrator. */
export class Impersonation {
  readonly #users: Users
  readonly #sessions: Sessions

  constructor(users: Users, sessions: Sessions) {
    this.#users = users
    this.#sessions = sessions
  }

  /** `services` are those that see the other user; an empty list means all. */
  async begin(
    username: string,
    services: readonly string[],
    caller: Caller,
  ): Promise<{ user: string; until: number; services: string[] }> {
    if (caller.session_id === undefined)
      throw conflict('Only a signed-in administrator can impersonate another user')
    if (caller.on_behalf !== undefined)
      throw conflict(`You are already impersonating ${caller.on_behalf}; stop that first`)
    const target = await this.#users.get({ username })
    if (target.id === caller.user_id) throw conflict('You cannot impersonate yourself')
    if (!maySignIn(target)) throw conflict('You cannot impersonate a user who may not sign in')
    if (target.is_admin && !caller.claims.has('proxy.admin')) {
      throw new AppError('claim_required', 'Impersonating an administrator needs the claim proxy.admin', {
        claims: ['proxy.admin'],
      })
    }
    const until = now() + maxImpersonationSeconds
    await this.#sessions.impersonate(caller.session_id, target.id, until, services)
    return { user: target.username, until, services: [...services] }
  }

  async end(caller: Caller): Promise<null> {
    if (caller.session_id === undefined || caller.on_behalf === undefined)
      throw conflict('You are not impersonating anyone')
    await this.#sessions.impersonate(caller.session_id, null, null)
    return null
  }
}
