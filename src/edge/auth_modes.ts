import type { AuthMode } from '../routes/route.ts'

interface Mode {
  /** What counts as proof of who is asking. */
  readonly credentials: readonly ('session' | 'token')[]
  /** What happens to a request without one. */
  readonly without: 'forward as guest' | 'sign in'
}

/** The auth modes of routes: the one table that decides who passes. */
export const authModes: Readonly<Record<AuthMode, Mode>> = {
  none: { credentials: [], without: 'forward as guest' },
  optional: { credentials: ['session', 'token'], without: 'forward as guest' },
  local: { credentials: ['session'], without: 'sign in' },
}
