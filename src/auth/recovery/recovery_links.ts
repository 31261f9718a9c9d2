import { renderSVG } from 'uqr'
import type { Caller } from '../../contract/caller.ts'
import type { Database } from '../../storage/database.ts'
import { now } from '../../storage/ids.ts'
import { maySignIn, type UserRow } from '../../storage/schema.ts'
import type { Users } from '../../users/users.ts'
import { invalidLink, tokenLifetimesSeconds } from '../one_time_token.ts'
import type { OneTimeTokens } from '../one_time_tokens.ts'
import type { SecurityNotices } from '../security_notices.ts'
import { personFor, stands, type ClaimsOf } from './handed_over.ts'

/** How long the account page names the one who made a link. */
const shownSeconds = 30 * 86_400

interface Parts {
  readonly database: Database
  readonly users: Users
  readonly links: OneTimeTokens
  readonly notices: Pick<SecurityNotices, 'send'>
  readonly claimsOf: ClaimsOf
  readonly publicUrl: string
}

/** Links by which people choose a new password, and no more, made by somebody who may set it and handed over by them. */
export class RecoveryLinks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Makes the link; the one before stops working. Inside a transaction. */
  async make(username: string, caller: Caller) {
    const { database, users, links, notices, publicUrl } = this.#parts
    const user = await personFor(users, username, caller, 'Set your own password with auth.set_password')
    const token = await links.issueShown('recovery', user.id, { username: user.username })
    const made_at = now()
    const maker = { made_by: caller.user_id ?? null, made_by_kind: caller.kind, made_by_name: caller.name }
    await database.query
      .insertInto('recovery_links')
      .values({ user_id: user.id, ...maker, made_at })
      .onConflict((same) => same.column('user_id').doUpdateSet({ ...maker, made_at }))
      .execute()
    await notices.send('recovery_link', user.id, caller, { about: caller.name })
    const link = `${publicUrl}/auth/reset?token=${token}`
    return {
      user: user.username,
      link,
      qr: renderSVG(link, { border: 4 }),
      expires_at: made_at + tokenLifetimesSeconds.recovery,
    }
  }

  /** Throws unauthenticated unless the one who made the link of this person may still set their password. */
  async assertStands(user: UserRow): Promise<void> {
    const row = await this.#row(user.id)
    const maker = row && { user_id: row.made_by, kind: row.made_by_kind, name: row.made_by_name }
    const holds = await stands(this.#parts.claimsOf, maker, user)
    if (!holds || !maySignIn(user)) throw invalidLink()
  }

  /** Who made the last link of a person, and when; undefined if that is long ago. */
  async lastOf(userId: string): Promise<{ readonly by: string; readonly at: number } | undefined> {
    const row = await this.#row(userId)
    return row && row.made_at > now() - shownSeconds ? { by: row.made_by_name, at: row.made_at } : undefined
  }

  #row(userId: string) {
    return this.#parts.database.query
      .selectFrom('recovery_links')
      .selectAll()
      .where('user_id', '=', userId)
      .executeTakeFirst()
  }
}
