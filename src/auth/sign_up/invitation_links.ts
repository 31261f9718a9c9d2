import { renderSVG } from 'uqr'
import type { Caller } from '../../contract/caller.ts'
import { alreadyExists, AppError, conflict, invalidParams } from '../../contract/errors.ts'
import type { Groups } from '../../groups/groups.ts'
import type { Invitation, NewInvitation } from '../../invitations/invitation.ts'
import type { Invitations, Maker } from '../../invitations/invitations.ts'
import type { Mails } from '../../mail/mails.ts'
import type { SettingValues } from '../../settings/definitions.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import { isUnconfirmed } from '../../storage/schema.ts'
import { catalogueOf } from '../../strings/language.ts'
import type { Addresses } from '../../users/addresses.ts'
import { rightsOf, type Admission } from './admission.ts'

/** How long an invitation works, if nobody says so. */
const usualSeconds = 7 * 86_400
const longestSeconds = 366 * 86_400
/** Open invitations that one address may have. */
const maxOpen = 5

interface Parts {
  readonly database: Database
  readonly invitations: Invitations
  readonly admission: Admission
  readonly groups: Pick<Groups, 'changeable'>
  readonly addresses: Addresses
  readonly mails: Mails
  readonly setting: <K extends keyof SettingValues>(key: K) => Promise<SettingValues[K]>
  readonly publicUrl: string
}

export interface WantedInvitation {
  readonly email?: string
  readonly groups?: readonly string[]
  readonly display_name?: string
  readonly ends_at?: number
  readonly uses?: number
  readonly expires_at?: number
  readonly approve?: boolean
}

const makerFrom = ({ kind, name, user_id }: Caller): Maker => ({ user_id: user_id ?? null, kind, name })

const ahead = (path: string, at: number | undefined, most = Infinity): void => {
  if (at !== undefined && (at <= now() || at > now() + most))
    throw invalidParams(path, most === Infinity ? 'a time in the future' : 'a time within the next year')
}

/** Invites people: by mail, or by a link that is shown once. */
export class InvitationLinks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Inside a transaction. */
  async add(wanted: WantedInvitation, caller: Caller): Promise<NewInvitation> {
    const { email = '', display_name = '', ends_at, expires_at, uses = 1, approve = false } = wanted
    if (uses > 1 && email !== '') throw invalidParams('uses', '1 for an invitation to an address')
    if (uses > 1 && display_name !== '') throw invalidParams('display_name', 'none for several people')
    ahead('ends_at', ends_at)
    ahead('expires_at', expires_at, longestSeconds)
    await this.#refuseWhileClosed()
    if (email !== '') await this.#refuseTaken(email)
    const groups: string[] = []
    for (const [i, slug] of (wanted.groups ?? []).entries()) {
      const group = await this.#parts.groups.changeable(slug)
      await this.#parts.admission.require(rightsOf(caller), group.slug, `groups.${i}`)
      groups.push(group.id)
    }
    const until = expires_at ?? now() + usualSeconds
    const fields = { email, display_name, ends_at: ends_at ?? null, uses, expires_at: until, approve }
    return this.#issue(email, until, caller, (send) =>
      this.#parts.invitations.add({ ...fields, groups: [...new Set(groups)] }, makerFrom(caller), send),
    )
  }

  /** Makes a new link, which lasts as long as the first; the one before stops working. Who does this has made it. */
  async resend(id: string, caller: Caller): Promise<NewInvitation> {
    const { invitations, admission } = this.#parts
    const row = await invitations.row(id)
    if (row.revoked_at !== null || row.used >= row.uses)
      throw conflict('This invitation is over: make another one', { reason: 'invitation_over' })
    await this.#refuseWhileClosed()
    ahead('invitation', row.ends_at ?? undefined)
    if (row.email !== '') await this.#refuseTaken(row.email, 1)
    for (const { slug } of await invitations.groupsOf(id))
      await admission.require(rightsOf(caller), slug, 'invitation')
    const until = now() + (row.expires_at - row.created_at)
    return this.#issue(row.email, until, caller, (send) =>
      invitations.renew(id, makerFrom(caller), until, send),
    )
  }

  /** Mails the link, or returns it where it cannot be mailed. */
  async #issue(
    email: string,
    until: number,
    caller: Caller,
    store: (send: (token: string) => Promise<boolean>) => Promise<Invitation | undefined>,
  ): Promise<NewInvitation> {
    const { mails, setting, publicUrl } = this.#parts
    const isMailed = email !== '' && (await setting('smtp_host')) !== ''
    let link: string | null = null
    const made = await store(async (token) => {
      const address = `${publicUrl}/auth/register?invite=${token}`
      if (!isMailed) {
        link = address
        return true
      }
      const by = caller.kind === 'user' ? { by: caller.name } : {}
      return mails.send('invite', email, { lifetime: until - now(), ...by, link: address })
    })
    if (!made) throw tooMany()
    const { sign_in } = await catalogueOf(caller.language ?? (await setting('default_language')))
    const at = Math.min(made.expires_at, made.ends_at ?? Infinity)
    return {
      ...made,
      link,
      qr: link === null ? null : renderSVG(link, { border: 4 }),
      works: link === null ? null : sign_in.register.works({ count: made.uses - made.used, at }),
    }
  }

  async #refuseWhileClosed(): Promise<void> {
    if ((await this.#parts.setting('registration_mode')) === 'closed')
      throw conflict('Registration is closed here: set registration_mode to invite or open first')
  }

  async #refuseTaken(email: string, own = 0): Promise<void> {
    const { addresses, invitations } = this.#parts
    const holder = await addresses.holder(email)
    if (holder && !isUnconfirmed(holder)) throw alreadyExists('email', 'email')
    if ((await invitations.openFor(email)) - own >= maxOpen) throw tooMany()
  }
}

const tooMany = () =>
  new AppError('rate_limited', 'This address has five invitations already; try again later', {
    retry_after: 3600,
  })
