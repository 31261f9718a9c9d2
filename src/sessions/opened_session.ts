export interface SessionOrigin {
  readonly kind: 'cookie' | 'token'
  /** How the person proved who they are: one of our own ways, or the name of a provider. */
  readonly provider: string
  /** What else was proven; empty for nothing. */
  readonly factor: string
  readonly address: string
  readonly user_agent: string
  /** What the provider calls its session, and its ID token, sealed. */
  readonly at_provider?: { readonly sid: string; readonly id_token: string } | undefined
  /** The host at which it counts; everywhere unless given. */
  readonly only_at?: string | undefined
  /** When the person proved who they are, in Unix seconds: now unless given, 0 for a time that nobody knows. */
  readonly proven_at?: number | undefined
}

export interface OpenedSession {
  readonly id: string
  readonly token: string
  /** Seconds. */
  readonly expires_in: number
  /** Of programs: renews the session once. */
  readonly refresh_token?: string
}
