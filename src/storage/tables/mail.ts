/** `decoy`: asked for where nobody would read it, and never sent, so that asking takes the same work. */
export type MailState = 'waiting' | 'sent' | 'given_up' | 'decoy'

export interface MailRow {
  id: string
  address: string
  kind: string
  /** JSON of what the text is filled with, links among it. */
  values_sealed: string
  created_at: number
  /** When it is tried next; the process that tries it puts this off, so that no other does meanwhile. */
  due_at: number
  tries: number
  last_error: string
  state: MailState
  /** Null unless it was given up. */
  gave_up_at: number | null
}

export interface MailTables {
  mails: MailRow
}
