import type { Factors } from '../factors/factors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Addresses } from '../users/addresses.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'

interface Parts {
  readonly addresses: Addresses
  readonly credentials: Passwords
  readonly factors: Factors
  readonly sessions: Sessions
  readonly links: OneTimeTokens
}

/** The moment at which somebody proves, by a link mailed to it, that the address of an account is theirs. */
export class Confirmation {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Confirms the account if its address was mailed this link and nobody has confirmed it yet. All that opens the account may
   * come from somebody else, who registered the address without owning it: password, factors, sessions, tokens and links end.
   * Call it before the link's owner sets anything, inside the transaction that uses the link.
   */
  async confirm(userId: string, address: string): Promise<void> {
    const { addresses, credentials, factors, sessions, links } = this.#parts
    if (!(await addresses.markVerified(userId, address))) return
    await credentials.remove(userId)
    await factors.drop(userId)
    await sessions.revokeAll(userId, 'password')
    await links.forget(userId)
  }
}
