import { AppError } from '../contract/errors.ts'
import { hasEnded, type UserRow } from '../storage/schema.ts'

export const wrongLogin = () =>
  new AppError('unauthenticated', 'Wrong username, email or password', { reason: 'wrong_login' })

/** The refusal of an existing user who has proved who they are, with their name for the audit. */
export const refusalOf = (
  user: Pick<UserRow, 'username' | 'is_active' | 'awaits_approval' | 'ends_at'>,
): AppError => {
  const refusal = whyNot(user)
  refusal.about = `user=${user.username}`
  return refusal
}

/** Why somebody who has proved who they are is not signed in. They may know it; a stranger learns nothing. */
export const whyNot = (user: Pick<UserRow, 'is_active' | 'awaits_approval' | 'ends_at'>): AppError => {
  if (user.is_active === 1 && user.awaits_approval === 1)
    return new AppError('unauthenticated', 'The registration awaits approval', { reason: 'awaits_approval' })
  if (user.is_active === 1 && hasEnded(user))
    return new AppError('unauthenticated', 'The account has ended', { reason: 'account_ended' })
  return wrongLogin()
}
