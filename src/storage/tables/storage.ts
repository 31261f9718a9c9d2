export interface StorageTables {
  /** What is true of this instance as a whole and no setting: `initialised_at`, `master_secret_check`, `via`. */
  instance: { key: string; value: string }
  revisions: { subject: string; value: number }
  /** What each of the last revisions changed; `entry` is the cache's own word for it. */
  revision_log: { subject: string; revision: number; entry: string }
}
