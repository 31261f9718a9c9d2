import type { OpenedSession } from '../sessions/opened_session.ts'

/** The result of a sign-in, as methods return it. */
export const signedInAs = (
  user: string,
  { token, expires_in, remembered, refresh_token }: OpenedSession,
) => ({
  access_token: token,
  token_type: 'Bearer' as const,
  expires_in,
  ...(remembered && { remembered }),
  ...(refresh_token !== undefined && { refresh_token }),
  user,
})
