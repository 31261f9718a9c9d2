export interface SessionRow {
  id: string
  user_id: string
  /** SHA-256 of the token, hex: the token itself is nowhere. */
  token_hash: string
  /** `cookie` counts only as our cookie, `token` only as a bearer token. */
  kind: 'cookie' | 'token'
  provider: string
  address: string
  user_agent: string
  created_at: number
  expires_at: number
  /** What was proven besides the password or mail; empty for nothing. */
  factor: string
  /** When the person last proved who they are: at the sign-in, or since. */
  proven_at: number
  /** Up to a minute old. */
  last_used_at: number
  /** What the provider that opened the session calls it; empty for none. */
  provider_sid: string
  /** Sealed: the provider takes it as a hint when the person signs out there too; empty for none. */
  provider_id_token: string
  /** The host at which its cookie counts; empty for all of ours. */
  only_at: string
  /** Whom the session's administrator acts as, and until when. */
  impersonated_user_id: string | null
  impersonating_until: number | null
}

export interface SessionsTables {
  sessions: SessionRow
  /** Each renews its session once; `used_at` tells a second use from a first. */
  refresh_tokens: {
    token_hash: string
    session_id: string
    created_at: number
    expires_at: number
    used_at: number | null
  }
  /**
   * What was ended before its time, in the order in which it happened: a session, a token, or all tokens of a client. The others
   * of the three are empty.
   */
  revocations: {
    seq: number
    session_id: string
    token_id: string
    client: string
    user_id: string
    username: string
    reason: string
    at: number
  }
}
