import type { Database } from '../storage/database.ts'
import { now } from '../storage/id.ts'

/** Whoever is signed in here, as the engine sees them. */
export interface SignedIn {
  readonly session_id: string
  readonly user_id: string
  /** When they last proved who they are. */
  readonly proven_at: number
  /** Authentication methods (RFC 8176). */
  readonly amr: readonly string[]
}

/** Living sessions by their id, for tokens that end with them. */
export const livingSession = async (
  database: Database,
  id: string,
  idle: number,
): Promise<SignedIn | undefined> => {
  const row = await database.query
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['user_id', 'provider', 'factor', 'proven_at'])
    .where('sessions.id', '=', id)
    .where('expires_at', '>', now())
    .where('last_used_at', '>', now() - idle)
    .where('users.is_active', '=', 1)
    .executeTakeFirst()
  return row && { session_id: id, user_id: row.user_id, proven_at: row.proven_at, amr: methodsOf(row) }
}

const methodsOf = ({ provider, factor }: { provider: string; factor: string }): string[] => {
  if (provider === 'passkey') return ['swk', 'user', 'mfa']
  const first = provider === 'password' || provider === 'setup' ? ['pwd'] : []
  const second: Record<string, string> = { totp: 'otp', recovery: 'otp', passkey: 'swk' }
  return factor === '' ? first : [...first, second[factor]!, 'mfa']
}
