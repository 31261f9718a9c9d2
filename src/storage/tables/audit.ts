export interface AuditRow {
  id: string
  /** 1, 2, 3 …: the order in which rows were written, across all nodes. */
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
  /** HMAC over this row and the seal of the row before it. */
  seal: string
}

export interface AuditTables {
  audit: AuditRow
}
