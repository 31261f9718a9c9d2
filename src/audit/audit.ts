import type { Caller } from '../caller.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import type { AuditRow } from '../storage/schema.ts'

export interface AuditFilter extends PageParams {
  readonly actor?: string
  readonly method?: string
  readonly since?: number
}

/** The journal: who did what, on what, from where, and how it ended. Rows are added and never changed. */
export class Audit {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** `target` names things, never secrets; `outcome` is `ok` or the name of the error. */
  async append(caller: Caller, method: string, target: string, outcome: string): Promise<void> {
    const row: AuditRow = {
      id: newId(),
      at: now(),
      actor: caller.name,
      caller: caller.kind,
      via: caller.via,
      uid: caller.uid ?? null,
      pid: caller.pid ?? null,
      address: caller.address ?? '',
      method,
      target,
      outcome,
    }
    await this.#database.query.insertInto('audit').values(row).execute()
  }

  /** Newest first. */
  async list(filter: AuditFilter) {
    const before = afterCursor(filter.cursor)
    let query = this.#database.query.selectFrom('audit').selectAll()
    if (before !== '') query = query.where('id', '<', before)
    if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor)
    if (filter.method !== undefined) query = query.where('method', '=', filter.method)
    if (filter.since !== undefined) query = query.where('at', '>=', filter.since)
    const rows = await query
      .orderBy('id', 'desc')
      .limit(pageSize(filter.limit) + 1)
      .execute()
    return toPage(
      rows,
      filter,
      (row) => row.id,
      (row) => row,
    )
  }
}
