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

/** The columns that say how a person proved who they are. */
export const provenBy = (origin: SessionOrigin, at: number) => ({
  provider: origin.provider,
  factor: origin.factor,
  address: origin.address,
  user_agent: origin.user_agent.slice(0, 300),
  proven_at: origin.proven_at ?? at,
  provider_sid: origin.at_provider?.sid ?? '',
  provider_id_token: origin.at_provider?.id_token ?? '',
})
