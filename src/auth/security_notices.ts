import type { Caller } from '../contract/caller.ts'
import type { Mails } from '../mail/mails.ts'
import type { MailFacts } from '../mail/render.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { KnownDevices } from './known_devices.ts'
import { noticeLinkSeconds, type NoticeLinks } from './not_me/notice_links.ts'

type NoticeKind =
  | 'password_changed'
  | 'address_changed'
  | 'factors_changed'
  | 'recovery_link'
  | 'enrolment_link'
  | 'new_device'
  | 'signed_in_elsewhere'
  | 'trust_ended'

interface Parts {
  readonly database: Database
  readonly mails: Pick<Mails, 'send'>
  readonly devices: KnownDevices
  readonly noticeLinks: NoticeLinks
  readonly publicUrl: string
}

/** What tells one device of a person from another: the cookie of a browser. Programs keep none, so what they show has to do. */
const deviceOf = ({ via, device, user_agent = '', address }: Caller): string | undefined =>
  // Local callers sign in for others, and have no address.
  device ?? (via === 'socket' || address === undefined ? undefined : `program ${user_agent} ${address}`)

/** Where the change was made. Of an administrator, people learn only that it was one. */
const eventBy = (by: Caller, userId: string): NonNullable<MailFacts['event']> => {
  const at = now()
  if (by.kind !== 'guest' && by.user_id !== userId) return { at, administrator: true }
  return { at, agent: by.user_agent ?? '', address: by.address ?? '' }
}

/**
 * Mails that tell people what happened to their account: when, with which device, from which network address. Each has a link by which
 * they say that it wasn't them. They go to proved
 * addresses only, and in the language of the person's own device, because the one who caused the change may be somebody else.
 */
export class SecurityNotices {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * `address` is where the notice goes, an address that was proved until now; the person's own address if not given. With `restores`,
   * the link gives the account this address back. Inside the transaction of its cause.
   */
  async send(
    kind: NoticeKind,
    userId: string,
    by: Caller,
    {
      address,
      ...facts
    }: Pick<MailFacts, 'about' | 'change' | 'restores'> & { readonly address?: string } = {},
  ): Promise<void> {
    const { database, mails, devices, noticeLinks, publicUrl } = this.#parts
    const user = await database.query
      .selectFrom('users')
      .select(['email', 'email_verified_at', 'display_name'])
      .where('id', '=', userId)
      .executeTakeFirst()
    const to = address ?? user?.email
    if (!user || !to || (address === undefined && user.email_verified_at === null)) return
    const language = await devices.languageOf(userId)
    const event = eventBy(by, userId)
    const token = await noticeLinks.issue(userId, to, facts.restores ?? false)
    const link = token !== undefined && {
      link: `${publicUrl}/auth/not_me?token=${token}`,
      lifetime: noticeLinkSeconds,
    }
    await mails.send(kind, to, { ...facts, ...link, name: user.display_name, language, event })
  }

  /** Every sign-in ends here: a device that is new to the person is reported to them. Their first one is not. */
  async signedIn(userId: string, caller: Caller): Promise<void> {
    const device = deviceOf(caller)
    if (device === undefined) return
    if ((await this.#parts.devices.meet(userId, device, caller.language)) === 'new')
      await this.send('new_device', userId, caller)
  }

  /**
   * A browser that another device has signed in is always reported: somebody may have been talked into it. It stays new to the person, so
   * that their first own sign-in there is reported too.
   */
  async signedInElsewhere(userId: string, caller: Caller): Promise<void> {
    await this.send('signed_in_elsewhere', userId, caller)
  }
}
