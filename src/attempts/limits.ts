/**
 * `burst` attempts at once, then one more every `intervalSeconds`; at most `failures` consecutive failures in total.
 */
export interface Limit {
  readonly burst: number
  readonly intervalSeconds: number
  readonly failures: number
}

export const limits = {
  /**
   * An account, from networks where its user has not signed in before. NIST SP 800-63B-4 section 3.2.2 allows a hundred
   * consecutive failures.
   */
  account: { burst: 10, intervalSeconds: 60, failures: 100 },
  /** An account, from a network where its user has signed in: attempts from elsewhere do not use up this limit. */
  place: { burst: 10, intervalSeconds: 20, failures: 100 },
  /** Codes of a second factor, from anywhere: the caller already knows the password. */
  factor: { burst: 5, intervalSeconds: 60, failures: 100 },
  /** Codes that were mailed, from all browsers together: anybody may ask for one. */
  code: { burst: 10, intervalSeconds: 60, failures: 100 },
  /** Codes that were mailed to a person who is signed in, for a fresh proof: strangers ask for none, so they use none up. */
  proof: { burst: 10, intervalSeconds: 60, failures: 100 },
  /** Codes that devices display, per user or per guest network that enters them (RFC 8628 section 5.1). */
  device: { burst: 10, intervalSeconds: 60, failures: Infinity },
  /**
   * Mails that a network asks for, to one address. Other networks have a count of their own: nobody keeps a person from
   * asking.
   */
  mail: { burst: 10, intervalSeconds: 60, failures: Infinity },
  /** A client's network, across all accounts that it tries. */
  network: { burst: 50, intervalSeconds: 6, failures: Infinity },
} as const satisfies Record<string, Limit>

/** The retry_after in seconds after too many consecutive failures; waiting alone does not help. */
const longWaitSeconds = 3600

export interface Row {
  readonly key: string
  readonly full_until: number
  readonly failures: number
  readonly seen_at: number
}

/**
 * Seconds until the bucket accepts one more attempt, or 0. The clock may have been set back: the wait is never longer
 * than for a full bucket.
 */
export const waitSeconds = (
  row: Row | undefined,
  { burst, intervalSeconds, failures }: Limit,
  at: number,
): number => {
  if (!row) return 0
  if (row.failures >= failures) return longWaitSeconds
  const full = Math.min(Math.max(row.full_until, at), at + burst * intervalSeconds)
  return Math.max(0, full + intervalSeconds - (at + burst * intervalSeconds))
}

type OwnLimit = Exclude<keyof typeof limits, 'account' | 'place' | 'network'>
const own: ReadonlySet<OwnLimit> = new Set(['factor', 'code', 'proof', 'device', 'mail'])

/** The limit of an account that is not known at the network. */
export const limitOf = (account: string): Limit => {
  const [kind] = account.split(' ')
  return own.has(kind as OwnLimit) ? limits[kind as OwnLimit] : limits.account
}
