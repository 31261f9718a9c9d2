import type { Caller } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import { freshForSeconds } from '../contract/fresh_proof.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { SessionProofs } from '../sessions/session_proofs.ts'
import type { SettingValues } from '../settings/definitions.ts'
import { now } from '../storage/ids.ts'
import type { Addresses } from '../users/addresses.ts'
import type { User } from '../users/user.ts'
import { noticeLinkSeconds } from './not_me/notice_links.ts'
import type { LinkMails } from './link_mails.ts'

interface Parts {
  readonly addresses: Pick<Addresses, 'selfGivenAt'>
  readonly proofs: SessionProofs
  readonly mailed: LinkMails
  readonly passwords: Pick<Passwords, 'has'>
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly userOf: (id: string) => Promise<User>
}

/**
 * The first factor of an account. From then on the factor is asked for at every sign-in, so a stolen password alone must not be
 * enough to add it: its person also shows that they read their mail. An address that they gave themselves counts once the notice of
 * the change, with which the owner of the account takes it back, has expired.
 */
export class Enrolment {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Throws proof_required or conflict for a session that may not add the first factor of its person yet. */
  async guard(caller: Caller): Promise<void> {
    const { addresses, proofs, passwords, setting } = this.#parts
    const user = await this.#personOf(caller)
    const takes = await setting('factor_enrolment')
    if (user.has_factor) return
    const { mailed_at, link_at } = await proofs.mailedAt(caller.session_id!)
    if (link_at + freshForSeconds > now()) return
    if (takes === 'administrator')
      throw conflict('An administrator makes you a link for your first factor: users.enrolment_link', {
        reason: 'enrolment_link_needed',
      })
    if (await this.#takesProof()) {
      if ((await passwords.has(user.id)) || mailed_at + freshForSeconds > now()) return
      throw new AppError(
        'proof_required',
        'Sign in with your provider again: begin it on the page that asks',
        {
          by: 'provider',
        },
      )
    }
    if (user.email === null)
      throw conflict(
        'A code is mailed to you before your first factor: add an address to your account first',
        {
          reason: 'address_needed',
        },
      )
    const counts = (await addresses.selfGivenAt(user.id)) + noticeLinkSeconds
    if (counts > now())
      throw conflict(
        'You changed your address a short while ago: a code that goes there proves nothing yet',
        {
          reason: 'address_too_new',
          at: counts,
        },
      )
    if (mailed_at + freshForSeconds <= now())
      throw new AppError('proof_required', 'This needs a code from your mail: auth.request_mailed_code', {
        by: 'mail',
      })
  }

  /**
   * Records that the person has signed in again at their provider, in a round that was begun in this session for a proof. While the
   * fresh proof is enough, it counts as the mailed code, which people who have only a provider lack. Inside a transaction.
   */
  async noteRound(sessionId: string): Promise<void> {
    if (await this.#takesProof()) await this.#parts.proofs.noteMailed(sessionId)
  }

  /** Whether a fresh proof is enough: the setting says so, or no mail can be sent. */
  async #takesProof(): Promise<boolean> {
    const { setting } = this.#parts
    const takes = await setting('factor_enrolment')
    return takes === 'proof' || (takes === 'mail' && (await setting('smtp_host')) === '')
  }

  /** Mails a code to the caller. Throws conflict or rate_limited. */
  async request(browserSecret: string, caller: Caller): Promise<void> {
    const { mailed, setting } = this.#parts
    const { email, email_verified_at, ...user } = await this.#personOf(caller)
    if (email === null || email_verified_at === null || (await setting('smtp_host')) === '')
      throw conflict('No code can be mailed to you', { reason: 'no_mail' })
    if (!(await mailed.sendCode({ ...user, email, email_verified_at }, browserSecret, caller)))
      throw new AppError('rate_limited', 'Too many mails; try again later', { retry_after: 3600 })
  }

  #personOf({ user_id, session_id }: Caller): Promise<User> {
    if (user_id === undefined || session_id === undefined)
      throw conflict('This call was made without a session')
    return this.#parts.userOf(user_id)
  }
}
