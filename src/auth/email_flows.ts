import type { UserRow } from '../storage/schema.ts'
import { sql } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { Credentials } from '../passwords/passwords.ts'
import { alreadyExists, conflict } from '../contract/errors.ts'
import type { Mails } from '../mail/mails.ts'
import type { MailKind } from '../strings/catalogue.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import { refuseOwnChoice } from '../users/usernames.ts'
import type { Users } from '../users/users.ts'
import { deadLink, type Links } from './one_time_tokens.ts'
import { MailedLinks } from './link_mails.ts'
import type { SignIn } from './sign_in.ts'

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly credentials: Credentials
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly links: Links
  readonly mails: Mails
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

type MoreFacts = Omit<Parameters<Mails['send']>[2], 'name'>

/**
 * Everything that goes by mail: making an account, proving an address, a new password, signing in by a link, invitations.
 * Whoever asks is told the same, after the same work, whether there is such an account or not.
 */
export class EmailFlows {
  readonly #parts: Parts
  readonly #mailed: MailedLinks

  constructor(parts: Parts) {
    this.#parts = parts
    this.#mailed = new MailedLinks(parts)
  }

  // Registration.

  /** Refuses, before a password is hashed, what could not be registered anyway. */
  async admit({ email, invite }: Registration, caller: Caller): Promise<void> {
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

  /** Makes the account: ready at once for whoever was invited, otherwise once the address is confirmed. */
  async register(
    wanted: Registration,
    passwordHash: string,
    { language }: Caller,
  ): Promise<{ next: 'verify' | 'sign_in' }> {
    const { invite } = wanted
    const { database, links, users, credentials, setting } = this.#parts
    // The setting may have changed while the password was hashed.
    if ((await setting('registration_mode')) === 'closed')
      throw conflict('Registration is closed here', { reason: 'registration_closed' })
    const link = invite === undefined ? undefined : await links.use(invite, 'invite')
    const { username, display_name } = wanted
    // An invitation is for the address it was sent to, whoever accepts it.
    const email = link?.address ?? wanted.email
    const holder = await this.#byEmail(email)
    const pending = holder !== undefined && holder.email_verified_at === null
    // The newest who registers counts, as only they get the newest link.
    if (pending) await users.removePending(holder.id)
    await refuseOwnChoice(database.query, username)
    if (holder && !pending) {
      // An invitation was asked for in this name by an administrator: that one is told.
      if (link) throw alreadyExists('email', 'email')
      await links.issue('verify', null, email)
      await this.#send('taken', holder, holder.email!, { language })
      return { next: 'verify' }
    }
    const fields = { username, email, ...(display_name !== undefined && { display_name }) }
    const user = await users.addRegistered(fields, link !== undefined)
    await credentials.store(user.id, passwordHash)
    if (link) return { next: 'sign_in' }
    await this.#mailed.send('verify', user, email, language)
    return { next: 'verify' }
  }

  /** Confirms the address of a new account, or a new address of an old one. */
  async verifyEmail(token: string): Promise<{ user: string }> {
    const { links, users } = this.#parts
    const link = await links.use(token, 'verify', 'change')
    const user = link.user_id === null ? undefined : await this.#byId(link.user_id)
    if (!user || user.is_active === 0) throw deadLink()
    if (link.purpose === 'verify') {
      if (user.email?.toLowerCase() !== link.address) throw deadLink()
      await users.markVerified(user.id, link.address)
      return { user: user.username }
    }
    const holder = await this.#byEmail(link.address)
    if (holder && holder.id !== user.id)
      throw conflict('This address belongs to another account meanwhile', { reason: 'address_taken' })
    await users.takeAddress(user.id, link.address)
    await links.forget(user.id)
    if (user.email !== null) await this.#send('address_changed', user, user.email, { about: link.address })
    return { user: user.username }
  }

  /** Sends a link to a new address of the caller, whose password was just verified. */
  async changeEmail(userId: string, address: string, { language }: Caller): Promise<void> {
    const user = (await this.#byId(userId))!
    const holder = await this.#byEmail(address)
    if (holder && holder.id !== userId) {
      await this.#parts.links.issue('change', null, address)
      await this.#send('taken', holder, holder.email!, { language })
    } else await this.#mailed.send('change', user, address, language)
  }

  // A new password, a link to sign in.

  /** Counts what is asked for about an address and from a network, whoever is there: throws rate_limited. */
  #count(email: string, caller: Caller) {
    return this.#parts.attempts.count({ login: `mail ${email}` }, caller.address)
  }

  async admitRequest(email: string, caller: Caller): Promise<void> {
    await this.#count(email, caller)
  }

  /** Sends a link, if there is somebody whom it could help; the work is the same if there is not. */
  async request(purpose: 'reset' | 'magic', email: string, { language }: Caller): Promise<null> {
    const user = await this.#byEmail(email)
    if (user && user.is_active === 1) await this.#mailed.send(purpose, user, user.email!, language)
    else await this.#mailed.send(purpose, undefined, email, language)
    return null
  }

  async admitMagicLinks(): Promise<void> {
    if (!(await this.#parts.setting('magic_links')))
      throw conflict('Signing in by a mailed link is not offered here', { reason: 'magic_links_off' })
  }

  /** Whose password a link sets; nothing is used up yet. */
  async readReset(token: string): Promise<UserRow> {
    const { user_id } = await this.#parts.links.read(token, 'reset')
    const user = user_id === null ? undefined : await this.#byId(user_id)
    if (!user || user.is_active === 0) throw deadLink()
    return user
  }

  /** Sets the password, proves the address, and ends everything that was opened before. */
  async resetPassword(token: string, passwordHash: string): Promise<{ user: string }> {
    const { links, credentials, users } = this.#parts
    const { id, username } = await this.readReset(token)
    const { address } = await links.use(token, 'reset')
    await credentials.store(id, passwordHash)
    await users.markVerified(id, address)
    await this.passwordChanged(id)
    return { user: username }
  }

  /** After every change of a password: sessions but one end, links and guesses are worth nothing, the person is told. */
  async passwordChanged(userId: string, kept?: string, from?: string): Promise<void> {
    const { sessions, links, attempts } = this.#parts
    await sessions.revokeAll(userId, 'password', kept)
    await links.forget(userId)
    await attempts.forget(`user ${userId}`)
    const user = (await this.#byId(userId))!
    if (user.email !== null && user.email_verified_at !== null)
      await this.#send('password_changed', user, user.email, from ? { about: from } : {})
  }

  /** A link of somebody with a second factor is half a sign-in: used up for it, in a write of its own, for what follows throws. */
  async askFactorByLink(token: string): Promise<undefined> {
    await this.admitMagicLinks()
    const { database, links, signIn } = this.#parts
    const due = await database.write(async () => {
      const { user_id } = await links.read(token, 'magic')
      const user = user_id === null ? undefined : await this.#byId(user_id)
      if (!user || user.is_active === 0 || user.has_factor === 0) return undefined
      await links.use(token, 'magic')
      return signIn.secondStep(user, 'after_magic_link')
    })
    if (due) throw due
  }

  /** Signs in whoever reads the mail of an account. */
  async openByLink(token: string, caller: Caller) {
    await this.admitMagicLinks()
    const { links, users, signIn } = this.#parts
    const { user_id, address } = await links.use(token, 'magic')
    if (user_id === null) throw deadLink()
    await users.markVerified(user_id, address)
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

  // What they have in common.

  /** News of a change comes in the default language: the person who caused it may not be the one who reads it. */
  #send(kind: MailKind, user: UserRow, address: string, more: MoreFacts = {}): Promise<void> {
    return this.#parts.mails.send(kind, address, { name: user.display_name, ...more })
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
