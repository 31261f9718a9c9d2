/** The credentials that can identify a caller. */
export type Credential =
  /** Our cookie, for any session. */
  | 'session'
  /** Our cookie, for a session that an identity provider opened. */
  | 'provider session'
  /** One of our tokens, of a user or a program: a session token, a personal token, or a JWT for this audience. */
  | 'access token'
  /** The token of the route or of the daemon: it lets a program in without identifying it. */
  | 'static token'
  /** The client's address, if the setting `network_login` is on. */
  | 'network'
  /** The user's key signed this request. */
  | 'signature'

interface Mode {
  readonly credentials: readonly Credential[]
  /** What happens to a request without any of these credentials. */
  readonly without:
    'forward as guest' | 'ask for a token' | 'send to a provider' | 'send to sign in' | 'ask for a signature'
}

const modes = {
  none: { credentials: ['network'], without: 'forward as guest' },
  optional: { credentials: ['access token', 'session', 'network'], without: 'forward as guest' },
  bearer: { credentials: ['static token', 'access token'], without: 'ask for a token' },
  oauth: { credentials: ['provider session'], without: 'send to a provider' },
  local: { credentials: ['session'], without: 'send to sign in' },
  signature: { credentials: ['signature'], without: 'ask for a signature' },
} as const satisfies Readonly<Record<string, Mode>>

export type AuthMode = keyof typeof modes

/** The auth modes of routes: the one table that decides who passes. */
export const authModes: Readonly<Record<AuthMode, Mode>> = modes

export const authModeNames = Object.keys(modes) as readonly AuthMode[]

const withSessions: ReadonlySet<string> = new Set(
  authModeNames.filter((mode) => authModes[mode].credentials.some((name) => name.endsWith('session'))),
)

/** Whether a route with this mode knows people by a session. An unknown mode knows nobody. */
export const takesSessions = (mode: string): boolean => withSessions.has(mode)

const withGuests: ReadonlySet<string> = new Set(
  authModeNames.filter((mode) => authModes[mode].without === 'forward as guest'),
)

/** Whether a route with this mode serves people whom nobody knows. An unknown mode serves nobody. */
export const takesGuests = (mode: string): boolean => withGuests.has(mode)
