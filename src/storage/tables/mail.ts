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

export interface MailTables {
  mails: MailRow
}
