import { refuseWhileImpersonating, type Caller } from '../../contract/caller.ts'
import { AppError, conflict } from '../../contract/errors.ts'
import type { Maker } from '../../invitations/invitations.ts'
import { maySignIn, type UserRow } from '../../storage/schema.ts'
import type { User } from '../../users/user.ts'
import type { Users } from '../../users/users.ts'
import type { Rights } from '../sign_up/admission.ts'

// Links to the account of a person that somebody makes and hands over.

/** What one who made a link may do now; undefined for one who is nobody any more. */
export type ClaimsOf = (maker: Maker) => Promise<Rights | undefined>

/** The person whom a link of this caller may be for: one whose password they may set, and not themselves. Inside a transaction. */
export const personFor = async (
  users: Users,
  username: string,
  caller: Caller,
  own: string,
): Promise<User> => {
  refuseWhileImpersonating(caller)
  // A token and an agent act for a person who does not see what they do.
  if (caller.token !== undefined)
    throw new AppError('proof_required', 'This needs a sign-in: no token makes such a link')
  if (caller.kind !== 'operator' && caller.kind !== 'user') throw conflict('Only people make such a link')
  const user = await users.guard(username, caller)
  if (user.id === caller.user_id) throw conflict(own)
  if (!maySignIn(user)) throw conflict('This account may not sign in')
  return user
}

export const makerOf = ({ user_id, kind, name }: Caller): Maker => ({ user_id: user_id ?? null, kind, name })

/** Whether the one who made a link for a person may still make one. */
export const stands = async (
  claimsOf: ClaimsOf,
  maker: Maker | undefined,
  user: Pick<UserRow, 'is_admin' | 'context'>,
): Promise<boolean> => {
  const rights = maker && (await claimsOf(maker))
  // The person may have become an administrator since.
  const needed = user.is_admin === 1 || user.context === 0 ? 'proxy.admin' : 'proxy.users.write'
  return rights === 'all' || (rights?.includes('proxy.users.write') === true && rights.includes(needed))
}
