import type { Caller } from '../contract/caller.ts'
import { networkOf } from '../contract/networks.ts'
import type { Mails } from '../mail/mails.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { UserRow } from '../storage/schema.ts'
import { now } from '../storage/ids.ts'
import { shownCode } from './mailed_code.ts'
import { tokenLifetimesSeconds, type Purpose, type WantedNames } from './one_time_token.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'

interface Parts {
  readonly links: OneTimeTokens
  readonly mails: Mails
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly publicUrl: string
}

/** Who asks for a mail: from where, in which browser, and in which language they read. */
export type Asking = Pick<Caller, 'address' | 'browser' | 'language' | 'user_agent' | 'wishes'>

/** What a mail is asked to do besides. */
interface Wishes {
  readonly wanted?: WantedNames | undefined
  /** Seconds for which the link works, instead of the usual time of its purpose. */
  readonly lasting?: number
  readonly browserSecret?: string | undefined
}

type Person = Pick<UserRow, 'id' | 'display_name' | 'email_verified_at'>

/** The page that the link of each purpose opens, always below the public URL and never below a request's Host. */
const pages = {
  verify: '/auth/verify?token=',
  change: '/auth/verify?token=',
  reset: '/auth/reset?token=',
  magic: '/auth/magic?token=',
  reopen: '/auth/reopen?token=',
} as const satisfies Record<Exclude<Purpose, 'prove' | 'recovery' | 'enrolment'>, string>

/**
 * The name by which mail to the address of an account greets its person. None before the address is proved: otherwise a
 * person who registers a stranger's address could write to them by the name that they choose.
 */
export const nameInMail = (user: Pick<UserRow, 'display_name' | 'email_verified_at'>): string =>
  user.email_verified_at === null ? '' : user.display_name

/** Issues links and sends them by mail. A link whose mail would not leave is not made. */
export class LinkMails {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Mails a link to a user. Without a user (undefined), it does the same work but sends nothing. `browserSecret`: the mail carries a
   * code as well, but none to an address that nobody has proved, because its person has to choose names first.
   */
  async send(
    purpose: Exclude<Purpose, 'prove' | 'recovery' | 'enrolment'>,
    user: Person | undefined,
    address: string,
    asking: Asking,
    { wanted, lasting, browserSecret }: Wishes = {},
  ): Promise<void> {
    const { links, setting, publicUrl, mails } = this.#parts
    const lifetime =
      lasting ?? (purpose === 'magic' ? await setting('magic_link_lifetime') : tokenLifetimesSeconds[purpose])
    const { browser, language } = asking
    // A new address is proved by this very link.
    const name = user && purpose !== 'change' ? nameInMail(user) : ''
    const remember = purpose === 'magic' && asking.wishes?.remember === true
    const who = { userId: user?.id ?? null, address, browser, browserSecret }
    const isProved = typeof user?.email_verified_at === 'number'
    await links.issue({ purpose, ...who, lifetime, wanted, remember }, (token, code) => {
      const facts = {
        link: `${publicUrl}${pages[purpose]}${token}`,
        name,
        lifetime,
        language,
        ...(purpose === 'magic' && { asked: askedBy(asking) }),
        ...(code !== undefined && isProved && { code: shownCode(code) }),
      }
      return mails.send(purpose, address, facts, user !== undefined, networkAsking(asking))
    })
  }

  /** Mails a code without a link to a signed-in person. Returns false if the address has had too many mails. */
  async sendCode(
    user: Person & { readonly email: string },
    browserSecret: string,
    asking: Asking,
  ): Promise<boolean> {
    const { links, mails } = this.#parts
    const { browser, language } = asking
    const link = { purpose: 'prove', userId: user.id, address: user.email, browser, browserSecret } as const
    const facts = { name: nameInMail(user), language, asked: askedBy(asking) }
    return links.issue(link, (_, code) =>
      mails.send('code', user.email, { ...facts, code: shownCode(code!) }, true, networkAsking(asking)),
    )
  }

  /** Tells a user that somebody wants to use their address, in place of the link that others would get, and with the same work. */
  async sendTaken(
    purpose: 'verify' | 'change',
    holder: Person & { readonly email: string | null },
    asking: Asking,
    wanted?: WantedNames,
  ): Promise<void> {
    const { links, mails } = this.#parts
    const { browser, language } = asking
    const address = holder.email!
    const facts = { name: nameInMail(holder), language }
    await links.issue({ purpose, userId: null, address, browser, wanted }, () =>
      mails.send('taken', address, facts, true, networkAsking(asking)),
    )
  }
}

/** What the mail says about the browser that asked for it. */
const askedBy = ({ address, user_agent }: Asking) => ({
  at: now(),
  ...(user_agent !== undefined && { agent: user_agent }),
  ...(address !== undefined && { address }),
})

const networkAsking = ({ address }: Asking): string => networkOf(address) ?? ''
