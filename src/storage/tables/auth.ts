import type { Generated } from 'kysely'
import type { Bit } from './columns.ts'

export interface AuthTables {
  /** Browsers and programs with which people have signed in, so that a new one can be reported. */
  known_devices: {
    /** SHA-256 over the person and the value of the cookie, hex. The value itself is never stored. */
    device_hash: string
    user_id: string
    /** The language that it asked for at the last sign-in; null for none that we offer. */
    language: string | null
    first_seen_at: number
    last_seen_at: number
  }
  /** Browsers in which people give no second factor when they sign in: a row for each person. */
  trusted_browsers: {
    id: string
    user_id: string
    /** The same for all people who trust this browser. */
    browser: string
    address: string
    user_agent: string
    created_at: number
    last_used_at: number
    expires_at: number
  }
  /**
   * The values of the cookies of trusted browsers. `current`: the last that a browser has shown for the first time; `next`: those that it
   * got since; `old`: what it cannot have any more, unless somebody has copied it.
   */
  trusted_values: {
    /** SHA-256, hex. The value itself is never stored. */
    value_hash: string
    browser: string
    state: 'current' | 'next' | 'old'
  }
  one_time_tokens: {
    token_hash: string
    purpose: string
    user_id: string | null
    /** The address that it was sent to, in lower case; empty for none. */
    address: string
    /** The browser that asked for it, as a digest; empty where no browser did, or where it is unknown. */
    browser: Generated<string>
    /** JSON of the names that a registration wants; empty for other links. */
    wanted: Generated<string>
    /** Whether the person asked to stay signed in in that browser. */
    remember: Generated<Bit>
    /** SHA-256 over the code of the mail and the secret of the browser that asked, hex; empty without a code. */
    code_hash: Generated<string>
    /** SHA-256 over that secret alone, hex. */
    code_browser: Generated<string>
    code_until: Generated<number>
    /** How often a code was tried. */
    code_tries: Generated<number>
    created_at: number
    expires_at: number
  }
  /** Browsers that wait for a phone to sign them in, for minutes. */
  elsewhere_requests: {
    /** SHA-256 over the secret that the browser keeps, hex. */
    browser_hash: string
    /** SHA-256 over the code of the link, hex. */
    code_hash: string
    /** What the person types on the phone. */
    digits: string
    /** Of the browser. */
    address: string
    /** The address, or the /64 of IPv6 that it is in. */
    network: string
    user_agent: string
    /** `opened`: a phone owns it; `tried`: the right digits were typed, and the approval is being written. */
    state: 'waiting' | 'opened' | 'tried' | 'approved' | 'ended'
    /** Why it has ended; empty if it has not. */
    reason: '' | 'network' | 'family' | 'digits'
    /** Whose phone owns it. */
    user_id: string | null
    /** The sign-in of that phone. */
    session_id: string | null
    expires_at: number
  }
  /** Who made the last recovery link of a person; `made_by` is null for the operator, and for somebody who is gone. */
  recovery_links: {
    user_id: string
    made_by: string | null
    made_by_kind: string
    made_by_name: string
    made_at: number
  }
  /** Accounts that their people have closed, and when they are gone. */
  closed_accounts: { user_id: string; closed_at: number; removes_at: number }
  /** What a provider asserted, next to the one-time token of a sign-in that waits for its second factor. */
  provider_proofs: {
    token_hash: string
    provider: string
    identity_id: string
    /** Like the columns of the same names in sessions. */
    provider_sid: string
    provider_id_token: string
    /** 0 where the provider does not say. */
    proven_at: number
  }
}
