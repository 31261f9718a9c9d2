import { randomBytes } from 'node:crypto'
import { sql, type SqlBool } from 'kysely'
import { notFound } from '../contract/errors.ts'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { InvitationRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { stateOf, toInvitation, type Invitation } from './invitation.ts'

/** How long an invitation that is over stays in the list. */
const keptSeconds = 30 * 86_400

/** Who made an invitation. */
export interface Maker {
  readonly user_id: string | null
  readonly kind: string
  readonly name: string
}

interface Wanted {
  readonly email: string
  readonly display_name: string
  readonly groups: readonly string[]
  readonly ends_at: number | null
  readonly uses: number
  readonly expires_at: number
  readonly approve: boolean
}

export const makerOf = (row: InvitationRow): Maker => ({
  user_id: row.made_by,
  kind: row.made_by_kind,
  name: row.made_by_name,
})

const newToken = () => randomBytes(32).toString('base64url')

/** Invitations: links of 256 bits, stored as SHA-256, each for one address or for a number of people. */
export class Invitations {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Makes one if `send`, which gets its token, could send or show it. Returns undefined otherwise. Inside a transaction. */
  async add(
    { groups, approve, ...wanted }: Wanted,
    maker: Maker,
    send: (token: string) => Promise<boolean>,
  ): Promise<Invitation | undefined> {
    const token = newToken()
    if (!(await send(token))) return undefined
    const { query } = this.#database
    const row: InvitationRow = {
      id: newId(),
      token_hash: digest(token),
      ...wanted,
      email: wanted.email.toLowerCase(),
      used: 0,
      approve: approve ? 1 : 0,
      ...columnsOf(maker),
      created_at: now(),
      revoked_at: null,
    }
    await query.insertInto('invitations').values(row).execute()
    for (const group_id of groups)
      await query.insertInto('invitation_groups').values({ invitation_id: row.id, group_id }).execute()
    return toInvitation(row, await this.#slugs(row.id))
  }

  /** Gives one a new link, and another maker. The link before stops working. Undefined if it could not be sent. */
  async renew(
    id: string,
    maker: Maker,
    expires_at: number,
    send: (token: string) => Promise<boolean>,
  ): Promise<Invitation | undefined> {
    const token = newToken()
    if (!(await send(token))) return undefined
    await this.#database.query
      .updateTable('invitations')
      .set({ token_hash: digest(token), expires_at, ...columnsOf(maker) })
      .where('id', '=', id)
      .execute()
    return toInvitation(await this.row(id), await this.#slugs(id))
  }

  /** `mayInvite` says whether those who made them may still invite people. */
  async list(
    filter: PageParams,
    mayInvite: (maker: Maker) => Promise<boolean>,
  ): Promise<{ items: Invitation[]; next_cursor: string | null }> {
    const query = this.#database.query.selectFrom('invitations').selectAll()
    const page = await readPage(query, filter, { by: sql.ref('id'), descending: true, keyOf: ({ id }) => id })
    const items: Invitation[] = []
    for (const row of page.items) {
      const shown = toInvitation(row, await this.#slugs(row.id))
      const paused = shown.state === 'open' && !(await mayInvite(makerOf(row)))
      items.push(paused ? { ...shown, state: 'paused' } : shown)
    }
    return { ...page, items }
  }

  /** Throws not_found. */
  async row(id: string): Promise<InvitationRow> {
    const row = await this.#database.query
      .selectFrom('invitations')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw notFound('invitation', id)
    return row
  }

  /** The open invitation of a link; undefined if there is none. Looking at it uses nothing up. */
  async find(token: string): Promise<InvitationRow | undefined> {
    const row = await this.#database.query
      .selectFrom('invitations')
      .selectAll()
      .where('token_hash', '=', digest(token))
      .executeTakeFirst()
    return row && stateOf(row) === 'open' ? row : undefined
  }

  /** How many open ones an address has. */
  async openFor(email: string): Promise<number> {
    const rows = await this.#database.query
      .selectFrom('invitations')
      .selectAll()
      // Written like the partial index, so that SQLite uses it.
      .where(sql<SqlBool>`email <> ''`)
      .where('email', '=', email.toLowerCase())
      .execute()
    return rows.filter((row) => stateOf(row) === 'open').length
  }

  /**
   * Counts one use. Of several people at the last one, only one gets it: undefined for the others, and for an invitation that is over.
   * Inside the transaction that makes the account somebody.
   */
  async use(id: string): Promise<InvitationRow | undefined> {
    const { query } = this.#database
    const at = now()
    const { numUpdatedRows } = await query
      .updateTable('invitations')
      .set({ used: sql<number>`used + 1` })
      .where('id', '=', id)
      .where(sql<SqlBool>`used < uses`)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', at)
      .where((w) => w.or([w('ends_at', 'is', null), w('ends_at', '>', at)]))
      .executeTakeFirst()
    return numUpdatedRows === 1n ? this.row(id) : undefined
  }

  /** Throws not_found. An invitation that is revoked stays so. */
  async revoke(id: string): Promise<void> {
    await this.row(id)
    await this.#database.query
      .updateTable('invitations')
      .set({ revoked_at: now() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute()
  }

  /** The groups that an invitation names. */
  groupsOf(id: string): Promise<{ id: string; slug: string }[]> {
    return this.#database.query
      .selectFrom('invitation_groups')
      .innerJoin('groups', 'groups.id', 'invitation_groups.group_id')
      .select(['groups.id', 'groups.slug'])
      .where('invitation_id', '=', id)
      .orderBy('groups.slug')
      .execute()
  }

  async #slugs(id: string): Promise<string[]> {
    return (await this.groupsOf(id)).map(({ slug }) => slug)
  }

  /** Forgets what has been over for a while, unless a registration that came by it still waits. */
  async sweep(): Promise<void> {
    const before = now() - keptSeconds
    const over = sql<SqlBool>`(expires_at < ${before} or revoked_at < ${before}) and id not in (
      select invitation_id from registrations where invitation_id is not null)`
    await sweepRows(this.#database, 'invitations', 'id', over, (query) => query.deleteFrom('invitations'))
  }
}

const columnsOf = ({ user_id, kind, name }: Maker) => ({
  made_by: user_id,
  made_by_kind: kind,
  made_by_name: name,
})
