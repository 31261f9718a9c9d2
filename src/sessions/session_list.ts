import { sql, type SqlBool } from 'kysely'
import { anotherDevice } from '../contract/caller.ts'
import { notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { ChildSessions } from './child_sessions.ts'
import type { Session } from './session.ts'

/** Lists the sign-ins of a user, newest first. `current` is the one that makes the call. */
export const listSessions = async (
  database: Database,
  children: Pick<ChildSessions, 'hostsOf'>,
  filter: PageParams & { user: string },
  current: string | undefined,
): Promise<{ items: Session[]; next_cursor: string | null }> => {
  const query = database.query
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'sessions.id',
      'users.username as user',
      'sessions.kind',
      'sessions.provider',
      'sessions.address',
      'sessions.user_agent',
      'sessions.factor',
      'sessions.proven_at',
      'sessions.second_at',
      'sessions.passkey_at',
      'sessions.created_at',
      'sessions.last_used_at',
      'sessions.expires_at',
      'sessions.remembered',
    ])
    .where(sql`lower(users.username)`, '=', filter.user.toLowerCase())
    .where(isAlive(now()))
  const page = await readPage(query, filter, {
    by: sql.ref('sessions.id'),
    descending: true,
    keyOf: ({ id }) => id,
  })
  const hosts = await children.hostsOf(page.items.map(({ id }) => id))
  return {
    ...page,
    items: page.items.map((row) => ({
      ...row,
      hosts: hosts.get(row.id) ?? [],
      factor: row.factor as Session['factor'],
      remembered: row.remembered === 1,
      by_another_device: row.provider === anotherDevice,
      current: row.id === current,
    })),
  }
}

/** Returns the user of a session. Throws not_found. */
export const ownerOf = async (database: Database, id: string): Promise<{ id: string; username: string }> => {
  const row = await database.query
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.username'])
    .where(
      sql<SqlBool>`(sessions.id = ${id} or sessions.id in (select parent_id from child_sessions where id = ${id}))`,
    )
    .executeTakeFirst()
  if (!row) throw notFound('session', id)
  return row
}

/** The condition that a session has not expired, or can be renewed. */
export const isAlive = (at: number) =>
  sql<SqlBool>`(sessions.expires_at > ${at} or exists (select 1 from refresh_tokens where refresh_tokens.session_id = sessions.id and refresh_tokens.expires_at > ${at} and refresh_tokens.used_at is null))`
