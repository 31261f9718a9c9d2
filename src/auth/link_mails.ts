import type { Mails } from '../mail/mails.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { UserRow } from '../storage/schema.ts'
import { lifetimes, type Links, type Purpose } from './one_time_tokens.ts'

interface Parts {
  readonly links: Links
  readonly mails: Mails
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly publicUrl: string
}

/** Where the link of each purpose leads, below the public URL: never below what a request calls us. */
const pages = {
  verify: '/auth/verify?token=',
  change: '/auth/verify?token=',
  reset: '/auth/reset?token=',
  magic: '/auth/magic?token=',
  invite: '/auth/register?invite=',
} as const satisfies Record<Purpose, string>

const inWords = (seconds: number): string => {
  const [count, unit] =
    seconds >= 2 * 86_400
      ? [Math.round(seconds / 86_400), 'days']
      : seconds >= 2 * 3600
        ? [Math.round(seconds / 3600), 'hours']
        : [Math.round(seconds / 60), 'minutes']
  return `${count} ${unit}`
}

/** Links on their way by mail: issues them and writes the mails that carry them. */
export class MailedLinks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Mails a link to somebody; for nobody (undefined) all is done but that the mail is not sent. */
  async send(
    purpose: Exclude<Purpose, 'invite'>,
    user: Pick<UserRow, 'id' | 'display_name'> | undefined,
    address: string,
  ): Promise<void> {
    const { links, setting } = this.#parts
    const lifetime = purpose === 'magic' ? await setting('magic_link_lifetime') : lifetimes[purpose]
    const token = await links.issue(purpose, user?.id ?? null, address, lifetime)
    await this.#mail(purpose, address, user?.display_name ?? '', { token, lifetime }, user !== undefined)
  }

  /** Invites whoever reads the mail of an address; `by` names who asked for it. */
  async invite(address: string, by: string): Promise<void> {
    const token = await this.#parts.links.issue('invite', null, address)
    await this.#mail('invite', address, address, { token, lifetime: lifetimes.invite, by })
  }

  #mail(
    purpose: Purpose,
    address: string,
    name: string,
    { token, lifetime, by }: { token: string; lifetime: number; by?: string },
    really = true,
  ): Promise<void> {
    const link = `${this.#parts.publicUrl}${pages[purpose]}${token}`
    const values = { name, link, lasts: inWords(lifetime), ...(by !== undefined && { by }) }
    return this.#parts.mails.send(purpose, address, values, really)
  }
}
