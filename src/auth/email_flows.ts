import { isUnconfirmed, maySignIn, type UserRow } from '../storage/schema.ts'
import { sql } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { alreadyExists, conflict } from '../contract/errors.ts'
import type { Mails } from '../mail/mails.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { refuseSelfChosenName } from '../users/usernames.ts'
import type { Addresses } from '../users/addresses.ts'
import type { Users } from '../users/users.ts'
import type { Confirmation } from './confirmation.ts'
import { invalidLink, type OneTimeTokens } from './one_time_tokens.ts'
import { LinkMails, nameInMail } from './link_mails.ts'
import type { SecurityNotices } from './security_notices.ts'
import type { SignIn } from './sign_in.ts'

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly addresses: Addresses
  readonly confirmation: Confirmation
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly links: OneTimeTokens
  readonly mails: Mails
  readonly notices: SecurityNotices
  readonly signIn: SignIn
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly publicUrl: string
}

interface Registration {
  readonly username: string
  readonly email: string
  readonly display_name?: string
  readonly invite?: string
}

/**
 * Everything that works by mail: creating an account, confirming an address, resetting a password, magic links, invitations.
 * The answer and the work are the same whether the account exists or not.
 */
export class EmailFlows {
  readonly #parts: Parts
  readonly #mailed: LinkMails

  constructor(parts: Parts) {
    this.#parts = parts
    this.#mailed = new LinkMails(parts)
  }

  // Registration.

  /** Refuses a hopeless registration early, before the slow hashing of its password. */
  async assertMayRegister({ email, invite }: Registration, caller: Caller): Promise<void> {
    const mode = await this.#parts.setting('registration_mode')
    if (mode === 'closed')
      throw conflict('Registration is closed here; ask an administrator for an account', {
        reason: 'registration_closed',
      })
    if (invite !== undefined) await this.#parts.links.read(invite, 'invite')
    else if (mode === 'invite')
      throw conflict('Registration takes an invitation here; ask an administrator for one', {
        reason: 'invitation_needed',
      })
    else await this.#count(email, caller)
  }

  /** Creates the account. An invited person can use it at once, others after they confirm the address. */
  async register(
    wanted: Registration,
    passwordHash: string,
    { language }: Caller,
  ): Promise<{ next: 'verify' | 'sign_in' }> {
    const { invite } = wanted
    const { database, links, users, addresses, credentials, setting } = this.#parts
    // The setting may have changed while the password was hashed.
    if ((await setting('registration_mode')) === 'closed')
      throw conflict('Registration is closed here', { reason: 'registration_closed' })
    const link = invite === undefined ? undefined : await links.use(invite, 'invite')
    const { username, display_name } = wanted
    // An invitation counts only for the address that it was sent to.
    const email = link?.address ?? wanted.email
    const holder = await this.#byEmail(email)
    const pending = holder !== undefined && isUnconfirmed(holder)
    // The latest registration wins, because only it gets the latest link.
    if (pending) await addresses.removeUnconfirmed(holder.id)
    await refuseSelfChosenName(database.query, username)
    if (holder && !pending) {
      // An administrator vouched for an invited person, so this answer may reveal that the address is taken.
      if (link) throw alreadyExists('email', 'email')
      await links.issue('verify', null, email)
      await this.#sendTaken(holder, language)
      return { next: 'verify' }
    }
    const fields = { username, email, ...(display_name !== undefined && { display_name }) }
    const user = await users.addRegistered(fields, link !== undefined)
    await credentials.store(user.id, passwordHash)
    if (link) return { next: 'sign_in' }
    await this.#mailed.send('verify', user, email, language)
    return { next: 'verify' }
  }

  /** Confirms the address of a new account, or the new address of an existing account. */
  async verifyEmail(token: string, by: Caller): Promise<{ user: string }> {
    const { links, addresses, notices } = this.#parts
    const link = await links.use(token, 'verify', 'change')
    const user = link.user_id === null ? undefined : await this.#byId(link.user_id)
    if (!user || user.is_active === 0) throw invalidLink()
    if (link.purpose === 'verify') {
      if (user.email?.toLowerCase() !== link.address) throw invalidLink()
      await addresses.markVerified(user.id, link.address)
      return { user: user.username }
    }
    const holder = await this.#byEmail(link.address)
    if (holder && holder.id !== user.id)
      throw conflict('This address belongs to another account now', { reason: 'address_taken' })
    await addresses.setVerified(user.id, link.address)
    await links.forget(user.id)
    if (user.email !== null && user.email_verified_at !== null)
      await notices.send('address_changed', user.id, by, { address: user.email, about: link.address })
    return { user: user.username }
  }

  /** Sends a link to a new address of the caller, whose password was just verified. */
  async changeEmail(userId: string, address: string, { language }: Caller): Promise<void> {
    const user = (await this.#byId(userId))!
    const holder = await this.#byEmail(address)
    if (holder && holder.id !== userId) {
      await this.#parts.links.issue('change', null, address)
      await this.#sendTaken(holder, language)
    } else await this.#mailed.send('change', user, address, language)
  }

  // Password resets and magic links.

  /** Counts requests by address and network, whether an account exists or not. Throws rate_limited. */
  #count(email: string, caller: Caller) {
    return this.#parts.attempts.count({ login: `mail ${email}` }, caller.address)
  }

  async countRequest(email: string, caller: Caller): Promise<void> {
    await this.#count(email, caller)
  }

  /** Sends a link if an active account has this address. The work is the same if none has. */
  async request(purpose: 'reset' | 'magic', email: string, { language }: Caller): Promise<null> {
    const user = await this.#byEmail(email)
    if (user && user.is_active === 1) await this.#mailed.send(purpose, user, user.email!, language)
    else await this.#mailed.send(purpose, undefined, email, language)
    return null
  }

  async assertMagicLinksOn(): Promise<void> {
    if (!(await this.#parts.setting('magic_links')))
      throw conflict('Signing in by a mailed link is not offered here', { reason: 'magic_links_off' })
  }

  /** Returns the user whose password a link sets, without using the link up. */
  async readReset(token: string): Promise<UserRow> {
    const { user_id } = await this.#parts.links.read(token, 'reset')
    const user = user_id === null ? undefined : await this.#byId(user_id)
    if (!user || user.is_active === 0) throw invalidLink()
    return user
  }

  /** Sets the password, confirms the address and ends all earlier sessions. */
  async resetPassword(token: string, passwordHash: string, by: Caller): Promise<{ user: string }> {
    const { links, credentials, confirmation } = this.#parts
    const { id, username } = await this.readReset(token)
    const { address } = await links.use(token, 'reset')
    await confirmation.confirm(id, address)
    await credentials.store(id, passwordHash)
    await this.passwordChanged(id, by)
    return { user: username }
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
    await notices.send('password_changed', userId, by)
  }

  /** For a user with a second factor, the link is only the first step. It is used up in a transaction of its own, which stays. */
  async requireFactorForLink(token: string): Promise<undefined> {
    await this.assertMagicLinksOn()
    const { database, links, signIn } = this.#parts
    const refusal = await database.write(async () => {
      const { user_id } = await links.read(token, 'magic')
      const user = user_id === null ? undefined : await this.#byId(user_id)
      // The link confirms the account, and drops a factor that somebody else added before.
      if (!user || !maySignIn(user) || user.has_factor === 0) return undefined
      await links.use(token, 'magic')
      return signIn.secondStep(user, 'after_magic_link')
    })
    if (refusal) throw refusal
  }

  /** Signs in the user to whom the link was mailed. */
  async openByLink(token: string, caller: Caller) {
    await this.assertMagicLinksOn()
    const { links, confirmation, signIn } = this.#parts
    const { user_id, address } = await links.use(token, 'magic')
    if (user_id === null) throw invalidLink()
    await confirmation.confirm(user_id, address)
    return signIn.open(user_id, 'magic_link', caller)
  }

  // Invitations.

  async invite(email: string, caller: Caller): Promise<null> {
    if ((await this.#parts.setting('registration_mode')) === 'closed')
      throw conflict('Registration is closed here: set registration_mode to invite or open first')
    const holder = await this.#byEmail(email)
    if (holder && holder.email_verified_at !== null) throw alreadyExists('email', 'email')
    await this.#mailed.invite(email, caller.kind === 'user' ? caller.name : undefined)
    return null
  }

  // Shared by the flows above.

  /** Tells the holder of an address that somebody tried to use it. */
  #sendTaken(holder: UserRow, language: string | undefined): Promise<void> {
    return this.#parts.mails.send('taken', holder.email!, { name: nameInMail(holder), language })
  }

  #byEmail(email: string): Promise<UserRow | undefined> {
    return this.#parts.database.query
      .selectFrom('users')
      .selectAll()
      .where(sql`lower(email)`, '=', email.toLowerCase())
      .executeTakeFirst()
  }

  #byId(id: string): Promise<UserRow | undefined> {
    return this.#parts.database.query.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  }
}
