import type { Mails } from '../mail/mails.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { UserRow } from '../storage/schema.ts'
import { tokenLifetimesSeconds, type OneTimeTokens, type Purpose } from './one_time_tokens.ts'

interface Parts {
  readonly links: OneTimeTokens
  readonly mails: Mails
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly publicUrl: string
}

/** The page that the link of each purpose opens, always below the public URL and never below a request's Host. */
const pages = {
  verify: '/auth/verify?token=',
  change: '/auth/verify?token=',
  reset: '/auth/reset?token=',
  magic: '/auth/magic?token=',
  invite: '/auth/register?invite=',
} as const satisfies Record<Purpose, string>

/**
 * The name by which mail to the address of an account greets its person. None before the address is proved: otherwise a
 * person who registers a stranger's address could write to them by the name that they choose.
 */
export const nameInMail = (user: Pick<UserRow, 'display_name' | 'email_verified_at'>): string =>
  user.email_verified_at === null ? '' : user.display_name

/** Issues links and sends them by mail. */
export class LinkMails {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Mails a link to a user, in the language of the page where it was requested. Without a user (undefined), it does the same work
   * but sends nothing.
   */
  async send(
    purpose: Exclude<Purpose, 'invite'>,
    user: Pick<UserRow, 'id' | 'display_name' | 'email_verified_at'> | undefined,
    address: string,
    language: string | undefined,
  ): Promise<void> {
    const { links, setting } = this.#parts
    const lifetime =
      purpose === 'magic' ? await setting('magic_link_lifetime') : tokenLifetimesSeconds[purpose]
    const token = await links.issue(purpose, user?.id ?? null, address, lifetime)
    // A new address is proved by this very link.
    const name = user && purpose !== 'change' ? nameInMail(user) : ''
    await this.#mail(purpose, address, { token, name, lifetime, language }, user !== undefined)
  }

  /** Sends an invitation to an address; `by` is the username of the person who invites, because a display name can say anything. */
  async invite(address: string, by: string | undefined): Promise<void> {
    const token = await this.#parts.links.issue('invite', null, address)
    const facts = { lifetime: tokenLifetimesSeconds.invite, ...(by !== undefined && { by }) }
    await this.#mail('invite', address, { token, ...facts })
  }

  #mail(
    purpose: Purpose,
    address: string,
    { token, ...facts }: { token: string; name?: string; lifetime: number; by?: string; language?: string },
    deliver = true,
  ): Promise<void> {
    const link = `${this.#parts.publicUrl}${pages[purpose]}${token}`
    return this.#parts.mails.send(purpose, address, { link, ...facts }, deliver)
  }
}
