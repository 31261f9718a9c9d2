import type { OneTimeTokens } from '../auth/one_time_tokens.ts'
import type { SecurityNotices } from '../auth/security_notices.ts'
import type { Caller } from '../contract/caller.ts'
import type { Profile } from '../providers/profile.ts'
import type { KnownProvider } from '../providers/provider.ts'
import type { Addresses } from '../users/addresses.ts'
import type { Users } from '../users/users.ts'

interface Parts {
  readonly users: Users
  readonly addresses: Addresses
  readonly links: OneTimeTokens
  readonly notices: Pick<SecurityNotices, 'send'>
}

/**
 * An address that a provider has replaced may belong to somebody else by now, so it is not the account's any more. An address that
 * the person or an administrator has set here stays: the provider never reported it.
 */
export class ReplacedAddress {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Compares what the provider reports with `before`, the address that it had verified at the sign-in before; empty if that is
   * not known. With `refresh_profile` the account takes the new address, and the old one is notified. Without it, or if the new one
   * is not verified or belongs to another account, the account is left without an address. Inside the transaction of the sign-in.
   */
  async follow(
    { refresh_profile }: KnownProvider,
    userId: string,
    before: string,
    { email, email_doubtful }: Profile,
    by: Caller,
  ): Promise<void> {
    const { users, addresses, links, notices } = this.#parts
    const isReplaced = email === null ? email_doubtful : email !== before
    if (before === '' || !isReplaced) return
    const { email: present } = await users.get({ id: userId })
    if (present?.toLowerCase() !== before) return
    // A link that was mailed to the old address would still open the account, or move it.
    await links.forget(userId)
    if (refresh_profile && email !== null) {
      await addresses.free(email)
      if (!(await addresses.holder(email))) {
        await addresses.setVerified(userId, email)
        return notices.send('address_changed', userId, by, { address: present, about: email })
      }
    }
    await addresses.drop(userId)
  }
}
