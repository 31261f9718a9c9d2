export interface AttemptsTables {
  /** Failed password attempts: per account, per account and network, and per network. */
  attempts: {
    key: string
    /** When everything counted so far will have drained away. */
    full_until: number
    /** Consecutive failures. */
    failures: number
    seen_at: number
  }
}
