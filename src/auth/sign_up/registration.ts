import type { Attempts } from '../../attempts/attempts.ts'
import type { Caller } from '../../contract/caller.ts'
import { alreadyExists, invalidParams } from '../../contract/errors.ts'
import type { Passwords } from '../../passwords/passwords.ts'
import type { SettingValues } from '../../settings/definitions.ts'
import type { Database } from '../../storage/database.ts'
import { isUnconfirmed, type InvitationRow, type UserRow } from '../../storage/schema.ts'
import type { Addresses } from '../../users/addresses.ts'
import { refuseSelfChosenName, reserveName } from '../../users/usernames.ts'
import type { Users } from '../../users/users.ts'
import type { Registrations } from '../../invitations/registrations.ts'
import { invitationNeeded, registrationClosed, type Admission } from './admission.ts'
import type { Confirmation } from '../confirmation.ts'
import type { Asking, LinkMails } from '../link_mails.ts'
import { invalidLink, type ChosenNames, type OneTimeToken } from '../one_time_token.ts'

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly addresses: Addresses
  readonly credentials: Passwords
  readonly attempts: Attempts
  readonly mailed: LinkMails
  readonly confirmation: Confirmation
  readonly admission: Admission
  readonly registrations: Registrations
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
}

export interface WantedAccount {
  readonly username: string
  readonly email?: string
  readonly password?: string
  readonly display_name?: string
  readonly invite?: string
}

type Next = { readonly next: 'verify' | 'sign_in' | 'wait' }

const next = (waits: boolean): Next => ({ next: waits ? 'wait' : 'sign_in' })

/**
 * Creating an account. Without an invitation it takes two steps: anybody may register any address, and learns nothing about it;
 * the person who opens the link that was mailed there chooses the password. What the first step was given counts for nothing
 * but the names.
 */
export class Registration {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Refuses a hopeless registration early, and a password that nobody should choose. Returns the hash of the password that an
   * invited person chooses.
   */
  async prepare(wanted: WantedAccount, caller: Caller): Promise<string | undefined> {
    const { setting, attempts, credentials } = this.#parts
    const { email, password, invite } = wanted
    const mode = await setting('registration_mode')
    if (mode === 'closed') throw registrationClosed()
    const names = [wanted.username, email ?? '', wanted.display_name ?? '']
    if (invite !== undefined) {
      const way = await this.#wayOf(await this.#open(invite), wanted)
      if (way !== 'confirm') return password === undefined ? undefined : credentials.hash(password, names)
    } else if (mode === 'invite') throw invitationNeeded()
    await attempts.count({ mailTo: addressIn(wanted) }, caller.address)
    if (password !== undefined) await credentials.check(password, names)
    return undefined
  }

  /** Creates the account. An invited person can use it at once, others after they confirm the address. */
  async register(wanted: WantedAccount, hash: string | undefined, caller: Caller): Promise<Next> {
    // The setting may have changed while the password was hashed.
    if ((await this.#parts.setting('registration_mode')) === 'closed') throw registrationClosed()
    if (wanted.invite === undefined) return this.#begin(wanted, caller)
    const invitation = await this.#open(wanted.invite)
    const way = await this.#wayOf(invitation, wanted)
    return way === 'confirm'
      ? this.#begin(wanted, caller, invitation.id)
      : this.#join(invitation, wanted, way === 'invited' ? invitation.email : null, hash)
  }

  async #open(token: string): Promise<InvitationRow> {
    const invitation = await this.#parts.admission.open(token)
    if (!invitation) throw invalidLink()
    return invitation
  }

  /**
   * How a person comes by an invitation. `invited`: it was made for an address, and its maker vouches for it. `confirm`: by a link for
   * several people they say their address, and confirm it. `nameless`: without a mail server nothing confirms an address, so the account
   * gets none, and needs a password.
   */
  async #wayOf({ email }: InvitationRow, wanted: WantedAccount): Promise<'invited' | 'confirm' | 'nameless'> {
    if (email !== '') return 'invited'
    if (wanted.email !== undefined) return 'confirm'
    if ((await this.#parts.setting('smtp_host')) !== '') throw invalidParams('email', 'your address')
    if (wanted.password === undefined) throw invalidParams('password', 'a password')
    return 'nameless'
  }

  async #join(
    invitation: InvitationRow,
    wanted: WantedAccount,
    email: string | null,
    hash: string | undefined,
  ): Promise<Next> {
    const { database, users, addresses, admission, credentials } = this.#parts
    if (email !== null) await addresses.free(email)
    await refuseSelfChosenName(database.query, wanted.username, email ?? '')
    // An administrator vouched for an invited person, so this answer may reveal that the address is taken.
    if (email !== null && (await addresses.holder(email))) throw alreadyExists('email', 'email')
    const user = await users.addRegistered({ ...namesOf(wanted), email }, true)
    if (hash !== undefined) await credentials.store(user.id, hash)
    return next(await admission.admit(user.id, invitation.id))
  }

  /** Mails the link. The answer and the work are the same whether or not the address has an account. */
  async #begin(wanted: WantedAccount, asking: Asking, invitation?: string): Promise<Next> {
    const { database, users, addresses, mailed, registrations } = this.#parts
    const { username } = wanted
    const email = addressIn(wanted)
    const names = { ...namesOf(wanted), ...(invitation !== undefined && { invitation }) }
    await refuseSelfChosenName(database.query, username, email)
    await reserveName(database.query, username, email)
    const holder = await addresses.holder(email)
    if (holder && !isUnconfirmed(holder)) await mailed.sendTaken('verify', holder, asking, names)
    else {
      if (holder) await addresses.renewUnconfirmed(holder.id)
      const user = holder ?? (await users.addRegistered({ ...namesOf(wanted), email }, false))
      // Another link to the account may confirm it: it must not pass by the invitation.
      await registrations.note(user.id, invitation)
      await mailed.send('verify', user, email, asking, { wanted: names })
    }
    return { next: 'verify' }
  }

  /** Returns the account that a link confirms, and the names that its registration wanted. Uses nothing up. */
  async #accountOf({ user_id, address, wanted }: OneTimeToken): Promise<{ account: UserRow; names: Names }> {
    const account = await this.#byId(user_id)
    if (!account || account.is_active === 0 || account.email?.toLowerCase() !== address) throw invalidLink()
    // A confirmed account keeps its names.
    const { username, display_name = username } = (isUnconfirmed(account) && wanted) || account
    return { account, names: { username, display_name } }
  }

  /** Hashes the password that the person who opens the link chooses. */
  async hashFor(link: OneTimeToken, password: string): Promise<string> {
    const { username, display_name } = (await this.#accountOf(link)).names
    return this.#parts.credentials.hash(password, [username, link.address, display_name])
  }

  /** Confirms the account of a link that is used now, inside the transaction. */
  async confirm(
    link: OneTimeToken,
    hash: string | undefined,
  ): Promise<{ user: string; awaits_approval?: true }> {
    const { database, credentials } = this.#parts
    const { account, names } = await this.#accountOf(link)
    if (!isUnconfirmed(account)) return { user: account.username }
    await refuseSelfChosenName(database.query, names.username, link.address)
    const { id, waits } = await this.#confirmAs(names, account, link.address, link.wanted?.invitation)
    if (hash !== undefined) await credentials.store(id, hash)
    return { user: names.username, ...(waits && { awaits_approval: true }) }
  }

  /** Whether a link confirms an account that somebody must approve then. */
  async awaitsApprovalThen({ user_id, address }: OneTimeToken): Promise<boolean> {
    const account = await this.#byId(user_id)
    if (!account || !isUnconfirmed(account) || account.email?.toLowerCase() !== address) return false
    const { registrations, admission } = this.#parts
    return admission.needsApproval(await registrations.invitationOf(account.id))
  }

  /**
   * Confirms an account by another link than that of its registration, inside the transaction, and returns its id. Somebody else may
   * have registered the address, so the person who uses the link chooses the names. Without a choice the username stays, and the
   * display name is the same. A confirmed account keeps its names.
   */
  async confirmBy({ user_id, address }: OneTimeToken, chosen: ChosenNames): Promise<string> {
    const account = await this.#byId(user_id)
    if (!account) throw invalidLink()
    if (!isUnconfirmed(account) || account.email?.toLowerCase() !== address) return account.id
    const { username = account.username, display_name = username } = chosen
    const { database, registrations } = this.#parts
    await refuseSelfChosenName(database.query, username, address)
    const invitation = await registrations.invitationOf(account.id)
    return (await this.#confirmAs({ username, display_name }, account, address, invitation)).id
  }

  /**
   * Another registration of the address may have had another name. What an administrator gave to that name does not follow: the
   * account begins anew.
   */
  async #confirmAs(names: Names, account: UserRow, address: string, invitation: string | null | undefined) {
    const { users, addresses, confirmation, admission } = this.#parts
    let { id } = account
    if (names.username === account.username) {
      await addresses.renameUnconfirmed(id, names.display_name)
      await confirmation.confirm(id, address)
    } else {
      await addresses.free(address)
      id = (await users.addRegistered({ ...names, email: address }, true)).id
    }
    return { id, waits: await admission.admit(id, invitation) }
  }

  #byId(id: string | null): Promise<UserRow | undefined> {
    const user = this.#parts.database.query.selectFrom('users').selectAll()
    return user.where('id', '=', id ?? '').executeTakeFirst()
  }
}

const addressIn = ({ email }: WantedAccount): string => {
  if (email === undefined) throw invalidParams('email', 'your address')
  return email
}

interface Names {
  readonly username: string
  readonly display_name: string
}

const namesOf = ({ username, display_name }: WantedAccount) => ({
  username,
  ...(display_name !== undefined && { display_name }),
})
