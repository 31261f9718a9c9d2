import type { OpenedSession } from '../sessions/opened_session.ts'

/** What a trusted browser gets to keep: the next value of its cookie, and for how many seconds. */
export interface NextValue {
  readonly value: string
  readonly expires_in: number
}

/** The result of a sign-in, as methods return it. */
export const signedInAs = (
  user: string,
  { token, expires_in, remembered, refresh_token }: OpenedSession,
  trusted_browser?: NextValue,
) => ({
  access_token: token,
  token_type: 'Bearer' as const,
  expires_in,
  ...(remembered && { remembered }),
  ...(trusted_browser && { trusted_browser }),
  ...(refresh_token !== undefined && { refresh_token }),
  user,
})

/** What the audit says of a sign-in: who, and whether a trusted browser took the place of the second factor or begins to. */
export const signedInTarget = (
  result: { readonly user: string; readonly trusted_browser?: NextValue } | undefined,
): string => (result ? `user=${result.user}${result.trusted_browser ? ' browser=trusted' : ''}` : '')
