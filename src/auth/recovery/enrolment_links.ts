import { renderSVG } from 'uqr'
import { refuseWhileImpersonating, type Caller } from '../../contract/caller.ts'
import { conflict } from '../../contract/errors.ts'
import type { SessionProofs } from '../../sessions/session_proofs.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import type { Users } from '../../users/users.ts'
import { invalidLink, tokenLifetimesSeconds } from '../one_time_token.ts'
import type { OneTimeTokens } from '../one_time_tokens.ts'
import type { SecurityNotices } from '../security_notices.ts'
import { makerOf, personFor, stands, type ClaimsOf } from './handed_over.ts'

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly links: OneTimeTokens
  readonly proofs: Pick<SessionProofs, 'noteLink'>
  readonly notices: Pick<SecurityNotices, 'send'>
  readonly claimsOf: ClaimsOf
  readonly publicUrl: string
}

/**
 * Links that take the place of the mailed code before the first factor of an account: somebody makes one and hands it over, and the
 * person uses it in the session in which they add the factor.
 */
export class EnrolmentLinks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Makes the link; the one before stops working. Inside a transaction. */
  async make(username: string, caller: Caller) {
    const { users, links, notices, publicUrl } = this.#parts
    const user = await personFor(users, username, caller, 'Another administrator makes the link for you')
    if (user.has_factor)
      throw conflict(
        'This person has a second factor: factors.clear removes it, and the link is for the first',
      )
    const token = await links.issueShown('enrolment', user.id, {
      username: user.username,
      maker: makerOf(caller),
    })
    await notices.send('enrolment_link', user.id, caller, { about: caller.name })
    const link = `${publicUrl}/auth/enrol?token=${token}`
    return {
      user: user.username,
      link,
      qr: renderSVG(link, { border: 4 }),
      expires_at: now() + tokenLifetimesSeconds.enrolment,
    }
  }

  /**
   * Uses a link in the session of its person. Throws unauthenticated for any other person, who uses nothing up, and if the one who made
   * it may make it no more. Inside a transaction.
   */
  async use(token: string, caller: Caller): Promise<void> {
    refuseWhileImpersonating(caller)
    if (caller.user_id === undefined || caller.session_id === undefined)
      throw conflict('This call was made without a session')
    const { database, links, proofs, claimsOf } = this.#parts
    const { user_id, wanted } = await links.read(token, 'enrolment')
    if (user_id !== caller.user_id) throw invalidLink()
    const user = await database.query
      .selectFrom('users')
      .select(['is_admin', 'context', 'has_factor'])
      .where('id', '=', user_id)
      .executeTakeFirstOrThrow()
    if (user.has_factor === 1 || !(await stands(claimsOf, wanted?.maker, user))) throw invalidLink()
    await links.use(token, 'enrolment')
    await proofs.noteLink(caller.session_id)
  }
}
