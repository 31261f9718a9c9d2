import { isUnconfirmed, maySignIn, type UserRow } from '../storage/schema.ts'
import { wishing, type Caller } from '../contract/caller.ts'
import type { Attempts, CountedAttempt } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { conflict } from '../contract/errors.ts'
import type { Mails } from '../mail/mails.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Addresses } from '../users/addresses.ts'
import { digest } from '../secrets/digest.ts'
import { countTry, wrongCode, type LinkKey, type MailedCode } from './mailed_code.ts'
import { invalidLink, remembersIn, type ChosenNames, type Purpose } from './one_time_token.ts'
import type { OneTimeTokens } from './one_time_tokens.ts'
import type { RecoveryLinks } from './recovery/recovery_links.ts'
import type { Registration } from './sign_up/registration.ts'
import type { LinkMails } from './link_mails.ts'
import type { SecurityNotices } from './security_notices.ts'
import { refusalOf } from './refused_sign_in.ts'
import type { SignIn } from './sign_in.ts'

interface Parts {
  readonly database: Database
  readonly addresses: Addresses
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly links: OneTimeTokens
  readonly mails: Mails
  readonly notices: SecurityNotices
  readonly mailed: LinkMails
  readonly registration: Registration
  readonly signIn: SignIn
  readonly recovery: Pick<RecoveryLinks, 'assertStands'>
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
}

/**
 * Everything that works by mail and is not a registration: confirming an address, resetting a password, magic links, invitations.
 * The answer and the work are the same whether the account exists or not.
 */
export class EmailFlows {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  // Confirming an address.

  /** Hashes the password that the person who opens the link to a new account chooses. */
  async hashForLink(token: string, password: string | undefined): Promise<string | undefined> {
    const { links, registration } = this.#parts
    const link = await links.read(token, 'verify', 'change')
    return link.purpose === 'verify' && password !== undefined
      ? registration.hashFor(link, password)
      : undefined
  }

  /** Confirms the address of a new account, or the new address of an existing account. */
  async verifyEmail(
    token: string,
    passwordHash: string | undefined,
    by: Caller,
  ): Promise<{ user: string; awaits_approval?: true }> {
    const { links, addresses, registration, notices } = this.#parts
    const link = await links.use(token, 'verify', 'change')
    if (link.purpose === 'verify') return registration.confirm(link, passwordHash)
    const user = link.user_id === null ? undefined : await this.#byId(link.user_id)
    if (!user || user.is_active === 0) throw invalidLink()
    await addresses.free(link.address)
    const holder = await addresses.holder(link.address)
    if (holder && holder.id !== user.id)
      throw conflict('This address belongs to another account now', { reason: 'address_taken' })
    await addresses.setVerified(user.id, link.address, true)
    await links.forget(user.id)
    if (user.email !== null && user.email_verified_at !== null)
      await notices.send('address_changed', user.id, by, {
        address: user.email,
        about: link.address,
        restores: true,
      })
    return { user: user.username }
  }

  /** Sends a link to a new address of the caller, whose password was just verified. */
  async changeEmail(userId: string, address: string, caller: Caller): Promise<void> {
    const { addresses, mailed } = this.#parts
    const user = (await this.#byId(userId))!
    const holder = await addresses.holder(address)
    if (holder && holder.id !== userId && !isUnconfirmed(holder))
      await mailed.sendTaken('change', holder, caller)
    else await mailed.send('change', user, address, caller)
  }

  // Password resets and magic links.

  /** Counts requests of a network by address, whether an account exists or not. Throws rate_limited. */
  async countRequest(email: string, caller: Caller): Promise<void> {
    await this.#parts.attempts.count({ mailTo: email }, caller.address)
  }

  /** Sends a link if an active account has this address. The work is the same if none has. */
  async request(purpose: 'reset' | 'magic', email: string, caller: Caller, secret?: string): Promise<null> {
    const { addresses, mailed, setting } = this.#parts
    const user = await addresses.holder(email)
    const wishes = (await setting('mail_codes')) ? { browserSecret: secret } : {}
    if (user && user.is_active === 1) await mailed.send(purpose, user, user.email!, caller, wishes)
    else await mailed.send(purpose, undefined, email, caller, wishes)
    return null
  }

  async assertMagicLinksOn(): Promise<void> {
    if (!(await this.#parts.setting('magic_links')))
      throw conflict('Signing in by a mailed link is not offered here', { reason: 'magic_links_off' })
  }

  /** Returns the user whose password a link sets, without using the link up. */
  async readReset(token: string): Promise<UserRow> {
    const { user_id, purpose } = await this.#parts.links.read(token, 'reset', 'recovery')
    const user = user_id === null ? undefined : await this.#byId(user_id)
    if (!user || user.is_active === 0) throw invalidLink()
    if (purpose === 'recovery') await this.#parts.recovery.assertStands(user)
    return user
  }

  /** Sets the password, confirms the address and ends all earlier sessions. `names` count for an account that nobody has confirmed. */
  async resetPassword(
    token: string,
    names: ChosenNames,
    passwordHash: string,
    by: Caller,
  ): Promise<{ user: string }> {
    const { links, credentials, registration } = this.#parts
    await this.readReset(token)
    const id = await registration.confirmBy(await links.use(token, 'reset', 'recovery'), names)
    await credentials.store(id, passwordHash)
    await this.passwordChanged(id, by)
    return { user: (await this.#byId(id))!.username }
  }

  /**
   * Call it after every change of a password. It ends all sessions, except the one in which a person changed their own, invalidates the user's links, resets the count of
   * failed attempts and notifies the user by mail.
   */
  async passwordChanged(userId: string, by: Caller): Promise<void> {
    const { sessions, links, attempts, notices } = this.#parts
    await sessions.revokeAll(userId, 'password', by.user_id === userId ? by.session_id : undefined)
    await links.forget(userId)
    await attempts.forget(`user ${userId}`)
    await attempts.forgetCodes(userId)
    await notices.send('password_changed', userId, by)
  }

  /**
   * A link that signs nobody in is used up in a transaction of its own, which stays: for a user with a second factor it is only the
   * first step, and for a registration that awaits approval it confirms the address.
   */
  async settleLink(key: LinkKey, names: ChosenNames, caller: Caller): Promise<undefined> {
    await this.assertMagicLinksOn()
    const { database, attempts, links, registration, signIn } = this.#parts
    const refusal = await database.write(async () => {
      const link = await links.read(key, 'magic')
      if (await registration.awaitsApprovalThen(link)) {
        const id = await registration.confirmBy(await links.use(key, 'magic'), names)
        return refusalOf((await this.#byId(id))!)
      }
      const { user_id } = link
      const user = user_id === null ? undefined : await this.#byId(user_id)
      // The link confirms the account, and drops a factor that somebody else added before.
      if (!user || !maySignIn(user) || !(await signIn.secondSteps.isNeeded(user, caller))) return undefined
      await links.use(key, 'magic')
      await attempts.forgetCodes(user.id)
      return signIn.secondSteps.begin(user, 'after_magic_link', { remember: remembersIn(link, caller) })
    })
    if (refusal) throw refusal
  }

  /** Signs in the user to whom the link was mailed. `names` count for an account that nobody has confirmed. */
  async openByLink(key: LinkKey, names: ChosenNames, caller: Caller) {
    await this.assertMagicLinksOn()
    const { attempts, links, registration, signIn } = this.#parts
    const link = await links.use(key, 'magic')
    const id = await registration.confirmBy(link, names)
    await attempts.forgetCodes(id)
    return signIn.open(id, 'magic_link', wishing(caller, remembersIn(link, caller)))
  }

  /**
   * Judges a code that came beside a link. A wrong one counts against the code, against the person in all browsers together, and
   * against the network. Throws unauthenticated or rate_limited.
   */
  async checkCode(key: MailedCode, purpose: Purpose, caller: Caller): Promise<CountedAttempt> {
    const { database, links, attempts } = this.#parts
    const mailedTo = await countTry(database, key.browser_secret, purpose)
    if (!mailedTo) throw wrongCode()
    const { user_id, address } = mailedTo
    const person = user_id ?? digest(address)
    const who = purpose === 'prove' ? { mailedProofOf: person } : { mailedCodeOf: person }
    const counted = await attempts.count(who, caller.address)
    const opened = await links.find(key, purpose)
    if (!opened) throw wrongCode()
    return counted
  }

  // Shared by the flows above.

  #byId(id: string): Promise<UserRow | undefined> {
    return this.#parts.database.query.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  }
}
