import { sql, type SqlBool } from 'kysely'
import { notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { maySignInSql, type AccessRequestRow } from '../storage/schema.ts'
import { sweepRows } from '../storage/sweeping.ts'

/** For how long a request can be decided. */
export const lifetimeSeconds = 14 * 86_400
/** How long after a refusal nobody asks for the same group again; until then, what was decided is shown. */
export const pauseSeconds = 7 * 86_400

/** A request with the names of what it is about. */
export interface FullRequest extends AccessRequestRow {
  readonly user: string
  readonly context: number
  readonly group: string
}

/** The stored requests. Those of people who may not sign in are nobody's. */
export class RequestRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Throws not_found. */
  async get(id: string): Promise<FullRequest> {
    const row = await this.#full().where('access_requests.id', '=', id).executeTakeFirst()
    if (!row) throw notFound('request', id)
    return row
  }

  /** Of a person, newest first: the open ones, and what was decided lately. */
  own(userId: string, page: PageParams) {
    const query = this.#full().where('access_requests.user_id', '=', userId).where(isCurrent())
    return readPage(query, page, { ...byId, descending: true })
  }

  /** The open requests for these groups, by slug in lower case; the oldest first. */
  open(groups: 'all' | readonly string[], page: PageParams) {
    const query = this.#full().where(isOpenSql())
    const which = groups === 'all' ? query : query.where(sql`lower(groups.slug)`, 'in', ['', ...groups])
    return readPage(which, page, byId)
  }

  current(userId: string): Promise<AccessRequestRow[]> {
    return this.#database.query
      .selectFrom('access_requests')
      .selectAll()
      .where('user_id', '=', userId)
      .where(isCurrent())
      .execute()
  }

  /** Open requests that somebody who may decide has had no mail about. */
  untold(): Promise<FullRequest[]> {
    return this.#full()
      .where(isOpenSql())
      .where('told', '=', 0)
      .orderBy('access_requests.id')
      .limit(100)
      .execute()
  }

  /** Inside a transaction. What is over would block the same request, so it goes first. */
  async add(row: AccessRequestRow): Promise<void> {
    const { query } = this.#database
    await query.deleteFrom('access_requests').where('user_id', '=', row.user_id).where(isOver()).execute()
    await query.insertInto('access_requests').values(row).execute()
  }

  async remove(id: string): Promise<void> {
    await this.#database.query.deleteFrom('access_requests').where('id', '=', id).execute()
  }

  async markTold(id: string): Promise<void> {
    await this.#database.query.updateTable('access_requests').set({ told: 1 }).where('id', '=', id).execute()
  }

  /** Decides an open request, and with it all others of the person for the same group. Inside a transaction. */
  async decide(
    { user_id, group_id }: Pick<AccessRequestRow, 'user_id' | 'group_id'>,
    decision: Pick<AccessRequestRow, 'state' | 'answer' | 'ends_at'>,
  ): Promise<void> {
    await this.#database.query
      .updateTable('access_requests')
      .set({ ...decision, decided_at: now() })
      .where('user_id', '=', user_id)
      .where('group_id', '=', group_id)
      .where('state', '=', 'open')
      .execute()
  }

  async sweep(): Promise<void> {
    await sweepRows(this.#database, 'access_requests', 'id', isOver(), (query) =>
      query.deleteFrom('access_requests'),
    )
  }

  #full() {
    return this.#database.query
      .selectFrom('access_requests')
      .innerJoin('users', 'users.id', 'access_requests.user_id')
      .innerJoin('groups', 'groups.id', 'access_requests.group_id')
      .selectAll('access_requests')
      .select(['users.username as user', 'users.context', 'groups.slug as group'])
      .where(maySignInSql())
  }
}

const byId = { by: sql<string>`access_requests.id`, keyOf: ({ id }: { readonly id: string }) => id }

export const isOpen = ({ state, expires_at }: AccessRequestRow): boolean =>
  state === 'open' && expires_at > now()

/** The refusal that keeps a person from asking for a group again, if there is one. */
export const pauseOf = (rows: readonly AccessRequestRow[], groupId: string): AccessRequestRow | undefined =>
  rows.find(
    ({ state, group_id, decided_at }) =>
      state === 'refused' && group_id === groupId && decided_at! + pauseSeconds > now(),
  )

const isOpenSql = () =>
  sql<SqlBool>`(access_requests.state = 'open' and access_requests.expires_at > ${now()})`
const isCurrent = () =>
  sql<SqlBool>`(${isOpenSql()} or (access_requests.state <> 'open' and access_requests.decided_at > ${now() - pauseSeconds}))`
const isOver = () => sql<SqlBool>`not ${isCurrent()}`
