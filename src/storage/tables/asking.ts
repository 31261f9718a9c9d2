import type { Bit, OfUser } from './columns.ts'

export interface AccessRequestRow extends OfUser {
  /** The group that the place named when the person asked. */
  group_id: string
  /** `route` and its id, or `client` and its client_id. */
  place: string
  /** In the words of the person. */
  reason: string
  state: 'open' | 'approved' | 'refused'
  /** Until when it may be decided. */
  expires_at: number
  decided_at: number | null
  /** Why it was refused, in the words of who decided. */
  answer: string
  /** When the membership ends that was given; null if it was there before without an end. */
  ends_at: number | null
  /** Whether everybody who may decide has had a mail. */
  told: Bit
}

/** A person who has had a mail about a request. */
interface AccessRequestMailRow {
  request_id: string
  user_id: string
}

export interface AskingTables {
  access_requests: AccessRequestRow
  access_request_mails: AccessRequestMailRow
}
