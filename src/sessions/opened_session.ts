export interface SessionOrigin {
  readonly kind: 'cookie' | 'token'
  /** How the user authenticated: one of our own methods, or the name of a provider. */
  readonly provider: string
  /** The second factor that was verified; empty for none. */
  readonly factor: string
  readonly address: string
  readonly user_agent: string
  /** The provider's id for its session, and its ID token, sealed. */
  readonly at_provider?: { readonly sid: string; readonly id_token: string } | undefined
  /** When the user authenticated, in Unix seconds. Now if not given, 0 if unknown. */
  readonly proven_at?: number | undefined
}

export interface OpenedSession {
  readonly id: string
  readonly token: string
  /** Seconds. */
  readonly expires_in: number
  /** For programs only: renews the session once. */
  readonly refresh_token?: string
}
