import { Type, type Static } from '../../contract/schema_builder.ts'
import type { Caller } from '../../contract/caller.ts'
import { notFound } from '../../contract/errors.ts'
import { shownName } from '../../contract/names.ts'
import { Email, GroupSlug, Id, Named, Nullable, ShownName, Time, Username } from '../../contract/schemas.ts'
import type { Invitations } from '../../invitations/invitations.ts'
import type { Registrations } from '../../invitations/registrations.ts'
import type { Mails } from '../../mail/mails.ts'
import type { PageParams } from '../../storage/pager.ts'
import type { UserRow } from '../../storage/schema.ts'
import type { Database } from '../../storage/database.ts'
import type { Users } from '../../users/users.ts'
import type { Admission } from './admission.ts'

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly mails: Mails
  readonly invitations: Invitations
  readonly registrations: Registrations
  readonly admission: Admission
  readonly publicUrl: string
}

export const WaitingRegistration = Named('WaitingRegistration', {
  user: Username,
  display_name: ShownName('The name that people see'),
  email: Nullable(Email),
  invitation: Nullable(Id),
  groups: Type.Array(GroupSlug, { description: 'The groups that the invitation names' }),
  asked_at: Time,
})
type WaitingRegistration = Static<typeof WaitingRegistration>

/** Registrations that somebody must approve. The account is nobody until then. */
export class RegistrationRequests {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async list(filter: PageParams): Promise<{ items: WaitingRegistration[]; next_cursor: string | null }> {
    const { invitations, registrations } = this.#parts
    const page = await registrations.waiting(filter)
    const items = []
    for (const { username, display_name, email, invitation_id, asked_at, created_at } of page.items)
      items.push({
        user: username,
        display_name: shownName(display_name),
        email,
        invitation: invitation_id,
        groups:
          invitation_id === null ? [] : (await invitations.groupsOf(invitation_id)).map(({ slug }) => slug),
        asked_at: asked_at ?? created_at,
      })
    return { items, next_cursor: page.next_cursor }
  }

  /** All of them or none. Inside a transaction. */
  async approve(usernames: readonly string[], by: Caller) {
    const { admission, mails, publicUrl } = this.#parts
    const items = []
    for (const row of await this.#rows(usernames)) {
      items.push({ user: row.username, groups: await admission.approve(row.id, by) })
      const facts = { name: row.display_name, link: `${publicUrl}/auth/login` }
      if (row.email !== null) await mails.send('registration_approved', row.email, facts)
    }
    return { items }
  }

  /** Removes the accounts. Their names are free again. All of them or none. Inside a transaction. */
  async refuse(usernames: readonly string[], by: Caller): Promise<null> {
    const { users, mails } = this.#parts
    for (const row of await this.#rows(usernames)) {
      if (row.email !== null) await mails.send('registration_refused', row.email, { name: row.display_name })
      await users.remove(row.username, by)
    }
    return null
  }

  /** Throws not_found for somebody who does not wait. */
  async #rows(usernames: readonly string[]): Promise<UserRow[]> {
    const rows = []
    for (const name of new Set(usernames.map((each) => each.toLowerCase()))) {
      const user = await this.#parts.users.find(name)
      const row =
        user?.awaits_approval === true &&
        (await this.#parts.database.query
          .selectFrom('users')
          .selectAll()
          .where('id', '=', user.id)
          .executeTakeFirst())
      if (!row) throw notFound('registration', name)
      rows.push(row)
    }
    return rows
  }
}
