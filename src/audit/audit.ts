import { createHmac } from 'node:crypto'
import type { Caller } from '../caller.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { instanceFact, setInstanceFact } from '../storage/instance.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { AuditRow } from '../storage/schema.ts'

export interface AuditFilter extends PageParams {
  readonly actor?: string
  readonly method?: string
  readonly outcome?: string
  readonly since?: number
  readonly until?: number
}

/** What the chain hangs on: the number and seal of a row, as `seq:seal`. */
const head = 'audit_head'
const anchor = 'audit_anchor'

export interface Verification {
  readonly rows: number
  readonly first_bad: { readonly seq: number; readonly id: string | null; readonly reason: string } | null
}

/**
 * The journal: who did what, on what, from where, and how it ended. Rows are added and never changed; each carries a
 * seal (HMAC under a key from the master secret) over itself and the seal before, so that whoever can write the database
 * but does not know the secret can neither change, insert nor remove a row unseen.
 */
export class Audit {
  readonly #database: Database
  readonly #key: Buffer

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
  }

  /** Inside the transaction of what it tells about. `target` names things, never secrets; `outcome` is `ok` or an error's name. */
  async append(caller: Caller, method: string, target: string, outcome: string): Promise<void> {
    await this.#database.write(async () => {
      const { query } = this.#database
      const last = await query
        .selectFrom('audit')
        .select(['seq', 'seal'])
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst()
      const before = last ?? parse(await instanceFact(this.#database, anchor))
      const row = {
        id: newId(),
        seq: before.seq + 1,
        at: now(),
        actor: caller.name,
        on_behalf: caller.on_behalf ?? '',
        caller: caller.kind,
        via: caller.via,
        uid: caller.uid ?? null,
        pid: caller.pid ?? null,
        address: caller.address ?? '',
        method,
        target,
        outcome,
      }
      const seal = this.#seal(row, before.seal)
      await query
        .insertInto('audit')
        .values({ ...row, seal })
        .execute()
      await setInstanceFact(this.#database, head, `${row.seq}:${seal}`)
    })
  }

  /** Newest first. */
  async list(filter: AuditFilter) {
    const before = afterCursor(filter.cursor)
    let query = this.#database.query.selectFrom('audit').selectAll()
    if (before !== '') query = query.where('seq', '<', Number(before) || 0)
    if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor)
    if (filter.method !== undefined) query = query.where('method', '=', filter.method)
    if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
    if (filter.since !== undefined) query = query.where('at', '>=', filter.since)
    if (filter.until !== undefined) query = query.where('at', '<', filter.until)
    const rows = await query
      .orderBy('seq', 'desc')
      .limit(pageSize(filter.limit) + 1)
      .execute()
    return toPage(
      rows,
      filter,
      (row) => String(row.seq),
      ({ seal: _, ...row }) => row,
    )
  }

  /** Walks the whole chain and tells the first row that does not fit, if there is one. */
  async verify(): Promise<Verification> {
    let { seq, seal } = parse(await instanceFact(this.#database, anchor))
    const first = seq
    for (;;) {
      const rows = await this.#database.query
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(1000)
        .execute()
      for (const row of rows) {
        const bad = (reason: string) => ({
          rows: row.seq - first,
          first_bad: { seq: row.seq, id: row.id, reason },
        })
        if (row.seq !== seq + 1) return bad(`row ${seq + 1} is missing before it`)
        const { seal: given, ...rest } = row
        if (given !== this.#seal(rest, seal)) return bad('it was changed, or put in')
        seq = row.seq
        seal = given
      }
      if (rows.length < 1000) break
    }
    const end = parse(await instanceFact(this.#database, head))
    if (end.seq !== seq || end.seal !== seal) {
      return { rows: seq - first, first_bad: { seq: seq + 1, id: null, reason: 'rows after it are missing' } }
    }
    return { rows: seq - first, first_bad: null }
  }

  /** Lets go of rows older than `days`; the chain then hangs on the last one that left. 0 keeps everything. */
  async sweep(days: number): Promise<void> {
    if (days === 0) return
    await this.#database.write(async () => {
      const { query } = this.#database
      const last = await query
        .selectFrom('audit')
        .select(['seq', 'seal'])
        .where('at', '<', now() - days * 86400)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (!last) return
      await query.deleteFrom('audit').where('seq', '<=', last.seq).execute()
      await setInstanceFact(this.#database, anchor, `${last.seq}:${last.seal}`)
    })
  }

  #seal(row: Omit<AuditRow, 'seal'>, before: string): string {
    const { id, seq, at, actor, on_behalf, caller, via, uid, pid, address, method, target, outcome } = row
    const told = JSON.stringify([
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
    return createHmac('sha256', this.#key).update(told).digest('base64url')
  }
}

const parse = (fact: string | undefined): { seq: number; seal: string } => {
  const [seq = '0', seal = ''] = (fact ?? '0:').split(':')
  return { seq: Number(seq), seal }
}
