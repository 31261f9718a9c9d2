/**
 * `decoy`: requested for an address that has no account, and never sent, so that the request takes the same amount of
 * work.
 */
export type MailState = 'waiting' | 'sent' | 'given_up' | 'decoy'

export interface MailRow {
  id: string
  address: string
  kind: string
  /** The network of the person who asked for it; empty if nobody did, or if it is unknown. */
  asked_from: string
  /** JSON of the values in the text, including links. */
  values_sealed: string
  created_at: number
  /**
   * When the next attempt is due. The process that makes the attempt postpones it, so that no other process attempts it
   * too.
   */
  due_at: number
  tries: number
  last_error: string
  state: MailState
  /** Null unless delivery was given up. */
  gave_up_at: number | null
}

export interface MailTables {
  mails: MailRow
}
