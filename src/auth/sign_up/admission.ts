import type { Audit } from '../../audit/audit.ts'
import { operator, type Caller } from '../../contract/caller.ts'
import { AppError, conflict } from '../../contract/errors.ts'
import type { GroupProofs } from '../../groups/group_proofs.ts'
import { adminGroup } from '../../groups/groups.ts'
import type { Members } from '../../groups/members.ts'
import { makerOf, type Invitations, type Maker } from '../../invitations/invitations.ts'
import type { Registrations } from '../../invitations/registrations.ts'
import type { SettingValues } from '../../settings/definitions.ts'
import type { InvitationRow } from '../../storage/schema.ts'
import type { Users } from '../../users/users.ts'

interface Parts {
  readonly audit: Audit
  readonly users: Users
  readonly members: Members
  readonly groupProofs: GroupProofs
  readonly invitations: Invitations
  readonly registrations: Registrations
  /** The claims that one who made an invitation holds now; undefined for one who is nobody any more. */
  readonly claimsOf: (maker: Maker) => Promise<Rights | undefined>
  /** Tells those who decide that somebody waits for approval. Inside a transaction. */
  readonly tellWaiting: (invitation: InvitationRow) => Promise<void>
  /** Who may create an account at this moment. */
  readonly mode: () => Promise<SettingValues['registration_mode']>
  /** The groups of everybody who signs up without an invitation. */
  readonly defaultGroups: () => Promise<readonly string[]>
}

/** What somebody may do: the operator everything. */
export type Rights = 'all' | readonly string[]

export const rightsOf = ({ kind, claims }: Caller): Rights => (kind === 'operator' ? 'all' : [...claims])

const system = operator({ via: 'socket' })

export const invitationOver = () =>
  conflict('This invitation is over: used up, revoked, too old, or of somebody who may not invite any more', {
    reason: 'invitation_over',
  })

export const registrationClosed = () =>
  conflict('Registration is closed here; ask an administrator for an account', {
    reason: 'registration_closed',
  })

export const invitationNeeded = () =>
  conflict('Registration takes an invitation here; ask an administrator for one', {
    reason: 'invitation_needed',
  })

/** What somebody must hold who invites people, also when those come. */
const invites = (rights: Rights | undefined): boolean =>
  rights === 'all' || rights?.includes('proxy.users.write') === true

/** The moment at which an account that somebody signed up for becomes somebody: by an invitation, or without one. */
export class Admission {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns the open invitation of a link. Throws unauthenticated or conflict. Uses nothing up. */
  async open(token: string): Promise<InvitationRow | undefined> {
    const row = await this.#parts.invitations.find(token)
    return row && (await this.mayInvite(makerOf(row))) ? row : undefined
  }

  /** Whether one who made an invitation may still invite people. */
  async mayInvite(maker: Maker): Promise<boolean> {
    return invites(await this.#parts.claimsOf(maker))
  }

  /** Whether somebody must approve the accounts that come by an invitation. */
  async needsApproval(invitation: string | null | undefined): Promise<boolean> {
    return typeof invitation === 'string' && (await this.#parts.invitations.row(invitation)).approve === 1
  }

  /**
   * Admits an account whose address is confirmed now, by the invitation that it came by (null if that is gone). Whether it awaits approval.
   * Throws conflict if the invitation is over, if its maker may not invite people any more, or if the setting admits nobody. Inside the
   * transaction.
   */
  async admit(userId: string, invitation: string | null | undefined): Promise<boolean> {
    const { invitations, registrations, users, mode, defaultGroups } = this.#parts
    // It may have changed since the mail was sent.
    const now = await mode()
    if (now === 'closed') throw registrationClosed()
    if (invitation === undefined) {
      if (now === 'invite') throw invitationNeeded()
      await this.giveGroups(userId, await defaultGroups())
      return false
    }
    const row = invitation === null ? undefined : await invitations.use(invitation)
    if (!row || !(await this.mayInvite(makerOf(row)))) throw invitationOver()
    const waits = row.approve === 1
    await users.admit(userId, { ends_at: row.ends_at, awaits_approval: waits })
    if (waits) {
      await registrations.note(userId, row.id)
      await this.#parts.tellWaiting(row)
    } else await registrations.forget(userId)
    await this.#note(userId, row, waits ? [] : await this.#give(userId, row))
    return waits
  }

  /** Approves an account that waits, and returns the groups that it gets. Throws claim_required. Inside a transaction. */
  async approve(userId: string, by: Caller): Promise<string[]> {
    const { invitations, registrations, users } = this.#parts
    const invitation = await registrations.invitationOf(userId)
    await users.admit(userId, { awaits_approval: false })
    await registrations.forget(userId)
    return typeof invitation !== 'string' ? [] : this.#give(userId, await invitations.row(invitation), by)
  }

  /** Throws claim_required unless somebody may put people into this group. */
  async require(rights: Rights, group: string, path: string): Promise<void> {
    if (!(await this.#mayAdd(rights, group)))
      throw new AppError('claim_required', `You may not change the members of ${group}`, {
        claims: ['proxy.groups.write', `groups.${group}.admin`],
        path,
      })
  }

  /** Gives groups to a new account, as far as nothing speaks against it. Nobody lands in a group that asks for a proof by a setting. */
  async giveGroups(userId: string, slugs: readonly string[]): Promise<void> {
    const { users, groupProofs } = this.#parts
    const { username } = await users.get({ id: userId })
    for (const slug of slugs)
      if (slug !== adminGroup && (await groupProofs.asksMembersOf(slug)) === false)
        await this.#join(slug, username)
  }

  /** The groups of an invitation, while the one who made it may change their members. */
  async #give(userId: string, row: InvitationRow, approver?: Caller): Promise<string[]> {
    const { invitations, users, claimsOf } = this.#parts
    const { username } = await users.get({ id: userId })
    const rights = (await claimsOf(makerOf(row))) ?? []
    const given = []
    for (const { slug } of await invitations.groupsOf(row.id)) {
      if (!(await this.#mayAdd(rights, slug))) continue
      if (approver) await this.require(rightsOf(approver), slug, 'users')
      await this.#join(slug, username)
      given.push(slug)
    }
    return given
  }

  /** Somebody may have made them a member by hand already. */
  async #join(group: string, user: string): Promise<void> {
    try {
      await this.#parts.members.add(group, { user }, null)
    } catch (error) {
      if (!(error instanceof AppError && error.error === 'already_exists')) throw error
    }
  }

  async #note(userId: string, row: InvitationRow, groups: readonly string[]): Promise<void> {
    const { audit, users } = this.#parts
    const { username } = await users.get({ id: userId })
    const target = `invitation=${row.id} user=${username} groups=${groups.join(',')}`
    await audit.append(system, 'invitations.join', target, 'ok')
  }

  async #mayAdd(rights: Rights, group: string): Promise<boolean> {
    if (group === adminGroup) return false
    if (rights === 'all' || rights.includes('proxy.groups.write')) return true
    const administers = `groups.${group}.admin`.toLowerCase()
    if (!rights.some((claim) => claim.toLowerCase() === administers)) return false
    return (await this.#parts.groupProofs.asksMembersOf(group)) === false
  }
}
