import { createHmac } from 'node:crypto'
import type { AuditRow } from '../storage/schema.ts'
import type { ChainEntry } from './chain_anchors.ts'

/** The seal of an entry: HMAC-SHA-256 over the previous seal and all fields of the entry. */
export const sealOf = (key: Uint8Array, row: Omit<AuditRow, 'seal'>, before: string): string => {
  const { id, seq, at, actor, on_behalf, caller, via, uid, pid, address, method, target, outcome } = row
  const sealedText = JSON.stringify([
    before,
    seq,
    id,
    at,
    actor,
    on_behalf,
    caller,
    via,
    uid,
    pid,
    address,
    method,
    target,
    outcome,
  ])
  return createHmac('sha256', key).update(sealedText).digest('base64url')
}

/** The first entry that does not match. */
export interface Mismatch {
  readonly seq: number
  readonly id: string | null
  readonly reason: string
}

export interface ChainCheck {
  /** The last entry that matches. */
  readonly end: ChainEntry
  readonly bad: Mismatch | null
}

/** One page of the chain. */
export interface Page {
  readonly key: Uint8Array
  readonly from: ChainEntry
  /** The last entry number to check. */
  readonly to: number
  readonly rows: number
}

/** Checks the chain over the rows after an entry. */
export const checkChain = (
  rows: Iterable<AuditRow>,
  { key, from }: Pick<Page, 'key' | 'from'>,
): ChainCheck => {
  let end = from
  for (const { seal, ...row } of rows) {
    const bad = (reason: string) => ({ end, bad: { seq: row.seq, id: row.id, reason } })
    if (row.seq !== end.seq + 1) return bad(`row ${end.seq + 1} is missing before it`)
    if (seal !== sealOf(key, row, end.seal)) return bad('it was changed or inserted')
    end = { seq: row.seq, seal }
  }
  return { end, bad: null }
}
