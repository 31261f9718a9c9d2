/** What can prove who is asking. */
export type Credential =
  /** Our cookie, however its session was opened. */
  | 'session'
  /** Our cookie, of a session that an identity provider opened. */
  | 'provider session'
  /** A token of ours, of a person or a program: of a session, one that is kept, or a JWT for this place. */
  | 'access token'
  /** The token of the route or of the daemon: it lets a program in and names nobody. */
  | 'static token'
  /** The client's address, where the setting `network_login` is on. */
  | 'network'
  /** A key of the person signed this very request. */
  | 'signature'

interface Mode {
  readonly credentials: readonly Credential[]
  /** What happens to a request without one. */
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
