import type { Bit } from './columns.ts'

export interface ArrivalCodeRow {
  /** SHA-256 of the code, hex. */
  code_hash: string
  /** The sign-in at home. No foreign key: the row outlives it, so that an old code still leads to its path. */
  parent_id: string
  origin: string
  /** Path and query to show after the arrival. */
  path: string
  /** SHA-256 of the arrival cookie of the browser, hex. */
  arrival_hash: string
  /** Like the column of the same name in child_sessions. */
  round: number
  /** Whether an earlier code of this browser has failed: then another failure ends in a page that says why. */
  again: Bit
  /** JSON of the passage that the code is part of; empty for none. */
  passage: string
  created_at: number
  /** When the code was shown, whatever came of it. */
  used_at: number | null
}

export interface HandoverTables {
  /** Each lets one browser arrive at one origin, once, as the person of a sign-in at home. */
  arrival_codes: ArrivalCodeRow
  /** Hosts that a person has signed out of alone: they are asked before these open again. */
  left_hosts: { parent_id: string; host: string }
  /** Hosts at which a person has agreed to be signed in, for routes that ask for that once. */
  confirmed_hosts: {
    user_id: string
    host: string
    /** 0 for rows from before this was kept. */
    confirmed_at: number
  }
}
