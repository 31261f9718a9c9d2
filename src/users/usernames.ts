import { randomBytes } from 'node:crypto'
import { sql, type SqlBool } from 'kysely'
import { alreadyExists, AppError, invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { isUnconfirmedSql } from '../storage/schema.ts'

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
 * use, or that a registration of another address keeps.
 */
export const refuseSelfChosenName = async (
  query: Database['query'],
  username: string,
  email = '',
): Promise<void> => {
  if (isReservedName(username))
    throw invalidParams('username', 'another name; only an administrator may assign this one', {
      reason: 'username_reserved',
    })
  await refuseTakenName(query, username, email)
  const kept = await query
    .selectFrom('reserved_names')
    .select('address')
    .where('username', '=', username.toLowerCase())
    .executeTakeFirst()
  if (kept && kept.address !== email.toLowerCase()) throw alreadyExists('username', 'username')
}

/**
 * Keeps a name for a registration that waits for its confirmation, whether or not the address has an account: otherwise the
 * answer to the next registration of the name would tell. Inside a transaction.
 */
export const reserveName = async (
  query: Database['query'],
  username: string,
  email: string,
): Promise<void> => {
  const row = { address: email.toLowerCase(), reserved_at: now() }
  await query
    .insertInto('reserved_names')
    .values({ username: username.toLowerCase(), ...row })
    .onConflict((conflict) => conflict.column('username').doUpdateSet(row))
    .execute()
}

/** Throws already_exists for a username that is or was in use, except by the unconfirmed account of this address. */
export const refuseTakenName = async (
  query: Database['query'],
  username: string,
  email = '',
): Promise<void> => {
  const name = username.toLowerCase()
  // The audit log uses this name for the operator.
  if (name === 'system')
    throw invalidParams('username', 'any name but system', { reason: 'username_reserved' })
  const taken =
    (await query
      .selectFrom('users')
      .select('id')
      .where(sql`lower(username)`, '=', name)
      .where(sql<SqlBool>`not (${isUnconfirmedSql()} and lower(email) = ${email.toLowerCase()})`)
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
