import { conflict } from '../../contract/errors.ts'
import type { Reactions } from '../../contract/reactions.ts'
import type { Passwords } from '../../passwords/passwords.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { Database } from '../../storage/database.ts'
import { isUnconfirmed } from '../../storage/schema.ts'
import type { Addresses } from '../../users/addresses.ts'
import type { KnownDevices } from '../known_devices.ts'
import type { NoticeLinks, ReportedEvent } from './notice_links.ts'
import type { OneTimeTokens } from '../one_time_tokens.ts'

interface Parts {
  readonly database: Database
  readonly addresses: Addresses
  readonly credentials: Pick<Passwords, 'remove'>
  readonly sessions: Sessions
  readonly devices: KnownDevices
  readonly links: OneTimeTokens
  readonly noticeLinks: NoticeLinks
  readonly reactions: Pick<Reactions, 'intrusionReported' | 'addressRestored'>
}

/** What a report would do to the address of the account: give it back, leave it, or nothing at all because it is somebody else's now. */
export type AddressFate = 'restored' | 'left' | 'of_another'

interface Report {
  readonly user: string
  /** The account has another address by now. */
  readonly address_changed: boolean
  readonly address_restored: boolean
}

/** "This wasn't me": what a person can end who learns from a security notice that somebody else is in their account. */
export class Intrusions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns what a link reports and what it would do. Asking uses nothing up. Undefined if it does not work. */
  async find(token: string): Promise<(ReportedEvent & { readonly fate: AddressFate }) | undefined> {
    const event = await this.#parts.noticeLinks.find(token)
    return event && { ...event, fate: await this.#fateOf(event) }
  }

  /**
   * Ends all sessions of the person, and what was made since the event. Nothing records in which session most things were made, so
   * the time decides. It signs nobody in, and takes no way in away: mail is one factor, and must not remove another. Only a change of
   * the address is taken back, with the password, because the intruder may know it. Throws conflict, and does nothing, if that
   * address belongs to another account now. Inside a transaction.
   */
  async report(token: string): Promise<Report> {
    const { database, sessions, devices, links, noticeLinks, reactions } = this.#parts
    const event = await noticeLinks.use(token)
    const { user_id, address, at } = event
    const fate = await this.#fateOf(event)
    if (fate === 'of_another')
      throw conflict('This address belongs to another account now', { reason: 'address_taken' })
    if (fate === 'restored') await this.#restore(event)
    const { username, email } = await database.query
      .selectFrom('users')
      .select(['username', 'email'])
      .where('id', '=', user_id)
      .executeTakeFirstOrThrow()
    await sessions.revokeAll(user_id, 'revoked')
    await links.forget(user_id)
    await devices.disown(user_id, at)
    await reactions.intrusionReported(user_id, at)
    return {
      user: username,
      address_changed: email?.toLowerCase() !== address.toLowerCase(),
      address_restored: fate === 'restored',
    }
  }

  async #fateOf({ restores, user_id, address }: ReportedEvent): Promise<AddressFate> {
    if (!restores) return 'left'
    const holder = await this.#parts.addresses.holder(address)
    if (holder?.id === user_id) return 'left'
    // An account that nobody has confirmed gives way to the person to whom the link was mailed.
    return holder && !isUnconfirmed(holder) ? 'of_another' : 'restored'
  }

  /** What the other address has proved since then counts no more, nor do notices that went there. */
  async #restore({ user_id, address, at }: ReportedEvent): Promise<void> {
    const { addresses, credentials, noticeLinks, reactions } = this.#parts
    await addresses.free(address)
    await addresses.setVerified(user_id, address)
    await credentials.remove(user_id)
    await noticeLinks.forgetSince(user_id, at)
    await reactions.addressRestored(user_id, at)
  }
}
