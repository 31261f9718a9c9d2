export interface AttemptsTables {
  /** Guesses at a password, by account, by account and network, and by network. */
  attempts: {
    key: string
    /** When all that was counted will have drained away. */
    full_until: number
    /** In a row. */
    failures: number
    seen_at: number
  }
}
