export interface MailRow {
  id: string
  address: string
  kind: string
  /** JSON of what the text is filled with, links among it. */
  values_sealed: string
  created_at: number
  /** When it is tried next; whoever tries it puts this off, so that nobody else does meanwhile. */
  due_at: number
  tries: number
  last_error: string
  gave_up_at: number | null
}

export interface AuditRow {
  id: string
  /** 1, 2, 3 …: the order in which rows were written, on all nodes together. */
  seq: number
  at: number
  actor: string
  on_behalf: string
  caller: string
  via: string
  uid: number | null
  pid: number | null
  address: string
  method: string
  target: string
  outcome: string
  /** HMAC over this row and the seal of the row before. */
  seal: string
}

/** What the daemon keeps about itself: settings, mail to send, the audit. */
export interface DaemonTables {
  /** `value` is JSON, or sealed text for secrets. */
  settings: { key: string; value: string; updated_at: number }
  /** What is true of this instance as a whole and no setting: `initialised_at`, `master_secret_check`, `via`. */
  instance: { key: string; value: string }
  mails: MailRow
  audit: AuditRow
  revisions: { subject: string; value: number }
  /** What each of the last revisions changed; `entry` is the cache's own word for it. */
  revision_log: { subject: string; revision: number; entry: string }
}
