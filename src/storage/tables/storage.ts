export interface StorageTables {
  /** Facts about the whole instance that are not settings: `initialised_at`, `master_secret_check`, `via`. */
  instance: { key: string; value: string }
  revisions: { subject: string; value: number }
  /** What each of the last revisions changed. Each cache defines what its `entry` means. */
  revision_log: { subject: string; revision: number; entry: string }
}
