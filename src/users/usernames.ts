import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { alreadyExists, AppError, invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'

/** Names that suggest authority: only an administrator may assign one. */
const reservedNames: ReadonlySet<string> = new Set([
  'admin',
  'administrator',
  'sysadmin',
  'superuser',
  'root',
  'operator',
  'owner',
  'staff',
  'moderator',
  'support',
  'helpdesk',
  'security',
  'abuse',
  'postmaster',
  'hostmaster',
  'webmaster',
  'noreply',
  'no-reply',
  'hero',
  'hero_proxy',
  'hero-proxy',
  'guest',
  'anonymous',
  'nobody',
  'everybody',
  'everyone',
  'null',
  'undefined',
])

export const isReservedName = (username: string): boolean => reservedNames.has(username.toLowerCase())

/**
 * Throws invalid_params for a name that users may not choose themselves, and already_exists for one that is or was in
 * use.
 */
export const refuseSelfChosenName = async (query: Database['query'], username: string): Promise<void> => {
  if (isReservedName(username))
    throw invalidParams('username', 'another name; only an administrator may assign this one', {
      reason: 'username_reserved',
    })
  await refuseTakenName(query, username)
}

/** Throws already_exists for a username that is or was in use. */
export const refuseTakenName = async (query: Database['query'], username: string): Promise<void> => {
  const name = username.toLowerCase()
  // The audit log uses this name for the operator.
  if (name === 'system')
    throw invalidParams('username', 'any name but system', { reason: 'username_reserved' })
  const taken =
    (await query
      .selectFrom('users')
      .select('id')
      .where(sql`lower(username)`, '=', name)
      .executeTakeFirst()) ??
    (await query
      .selectFrom('removed_usernames')
      .select('username')
      .where('username', '=', name)
      .executeTakeFirst())
  if (taken) throw alreadyExists('username', 'username')
}

/** A name like the wanted one that is not reserved and was never in use. Inside a transaction. */
export const freeName = async (query: Database['query'], wanted: string): Promise<string> => {
  for (let i = 1; i < 100; i++) {
    const name = i === 1 ? wanted : `${wanted.slice(0, 60)}-${i}`
    if (await isFree(query, name)) return name
  }
  return `${wanted.slice(0, 50)}-${randomBytes(6).toString('hex')}`
}

const isFree = async (query: Database['query'], name: string): Promise<boolean> => {
  try {
    await refuseSelfChosenName(query, name)
    return true
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
