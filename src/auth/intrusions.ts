import type { Reactions } from '../contract/reactions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { KnownDevices } from './known_devices.ts'
import type { NoticeLinks } from './notice_links.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'

interface Parts {
  readonly database: Database
  readonly sessions: Sessions
  readonly devices: KnownDevices
  readonly links: OneTimeTokens
  readonly noticeLinks: NoticeLinks
  readonly reactions: Pick<Reactions, 'intrusionReported'>
}

/** "This wasn't me": what a person can end who learns from a security notice that somebody else is in their account. */
export class Intrusions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Ends all sessions of the person, and what was made since the event. Nothing records in which session most things were made, so
   * the time decides. It signs nobody in, and takes no way in away: mail is one factor, and must not remove another. Inside a
   * transaction.
   */
  async report(token: string): Promise<{ user: string; address_changed: boolean }> {
    const { database, sessions, devices, links, noticeLinks, reactions } = this.#parts
    const { user_id, address, at } = await noticeLinks.use(token)
    const { username, email } = await database.query
      .selectFrom('users')
      .select(['username', 'email'])
      .where('id', '=', user_id)
      .executeTakeFirstOrThrow()
    await sessions.revokeAll(user_id, 'revoked')
    await links.forget(user_id)
    await devices.disown(user_id, at)
    await reactions.intrusionReported(user_id, at)
    return { user: username, address_changed: email?.toLowerCase() !== address }
  }
}
