import type { Bit } from './columns.ts'

export interface SessionRow {
  id: string
  user_id: string
  /** SHA-256 of the token, hex. The token itself is never stored. */
  token_hash: string
  /** A `cookie` session is valid only in our cookie, a `token` session only as a bearer token. */
  kind: 'cookie' | 'token'
  provider: string
  address: string
  user_agent: string
  created_at: number
  expires_at: number
  /** The second factor that was verified; empty for none. */
  factor: string
  /** When the user last authenticated, at sign-in or later. */
  proven_at: number
  /** When they last gave a second factor on top of a first; 0 for never. */
  second_at: number
  /** When they last used a passkey that verified its user; 0 for never. */
  passkey_at: number
  /** When they last showed that they read the mail of their address, by a link or a code; 0 for never. */
  mailed_at: number
  /** When they used a link for the first factor of their account; 0 for never. */
  link_at: number
  /** How many proofs were given. A clock could not say whether a proof came after a request. */
  proofs: number
  /** Up to a minute old. */
  last_used_at: number
  /** The user that the session's administrator is impersonating, and until when. */
  impersonated_user_id: string | null
  impersonating_until: number | null
  /** JSON: the services that see the other user; an empty list means all. */
  impersonated_services: string
  /** Whether trust in the browser took the place of the second factor. */
  by_trust: Bit
  /** Whether the person asked to stay signed in in this browser. */
  remembered: Bit
  /** The host of home when the session was opened. A `cookie` session of another home has ended. */
  home: string
}

/** The session of one browser at the host of a service. It says nothing about its person: all of that is read from its parent. */
export interface ChildSessionRow {
  id: string
  /** SHA-256 over its origin and its token, hex: shown at another origin, the same token leads nowhere. */
  token_hash: string
  /** The sign-in at home. */
  parent_id: string
  /** Scheme, host and port. */
  origin: string
  /** SHA-256 of the arrival cookie of the browser, hex. */
  arrival_hash: string
  /** How many children of this arrival were opened one after another within a minute. A browser that keeps no cookies counts up. */
  round: number
  /** Shared by the children that one passage opened, which live and end together; empty for none. */
  passage: string
  opened_at: number
}

export interface SessionsTables {
  sessions: SessionRow
  child_sessions: ChildSessionRow
  /** Identity providers that have vouched for a sign-in, whichever proof opened it. */
  vouchings: {
    session_id: string
    provider: string
    /** Empty for sign-ins from before this was kept. */
    identity_id: string
    /** The provider's own id for its session (`sid`); empty for none. */
    provider_sid: string
    /** The provider's ID token, sealed. We send it as a hint when the user signs out there too; empty for none. */
    id_token: string
    vouched_at: number
  }
  /** Each renews its session once. `used_at` distinguishes a second use from the first. */
  refresh_tokens: {
    token_hash: string
    session_id: string
    created_at: number
    expires_at: number
    used_at: number | null
  }
  /**
   * What was revoked before it expired, in order: a session, a token, or all tokens of a client. The other two of the
   * three columns are empty.
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
