import { extname } from 'node:path'
import { sql, type SqlBool } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { checkChain, sealOf, type Mismatch, type ChainCheck } from './chain.ts'
import { ChainAnchors, origin, type ChainEntry } from './chain_anchors.ts'

export interface AuditFilter extends PageParams {
  readonly actor?: string
  readonly method?: string
  readonly outcome?: string
  readonly since?: number
  readonly until?: number
}

export interface Verification {
  readonly rows: number
  readonly first_bad: Mismatch | null
}

/**
 * Entries of the chain that are checked per step: in a separate thread, and on the event loop, where everything else
 * gets its turn in between.
 */
const pageRows = { aside: 20_000, here: 500 }
/** Entries that one transaction of the retention deletes. */
const deleteRows = 1000

const walkPage = new URL(`./walk_page${extname(import.meta.url)}`, import.meta.url)

/**
 * The audit log: who did what, on what, from where, and with which result. Rows are added and never changed. Each row
 * has a seal (HMAC with a key derived from the master secret) over itself and the previous seal. So someone who can
 * write the database but does not know the secret can neither change, insert nor remove a row unnoticed.
 */
export class Audit {
  readonly #database: Database
  readonly #key: Buffer
  readonly #marks: ChainAnchors
  /** The newest entry when this process last looked: the log only grows. */
  #seen: ChainEntry = origin

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
    this.#marks = new ChainAnchors(database, key)
  }

  /**
   * Appends an entry, inside the transaction of what it records. `target` names things, never secrets; `outcome` is
   * `ok` or the name of an error.
   */
  async append(caller: Caller, method: string, target: string, outcome: string): Promise<void> {
    await this.#database.write(async () => {
      const { query } = this.#database
      const before = await this.#end()
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
        // A lone surrogate is not valid text: it would be stored as something else, and the seal would no longer match.
        target: target.toWellFormed(),
        outcome,
      }
      const seal = sealOf(this.#key, row, before.seal)
      await query
        .insertInto('audit')
        .values({ ...row, seal })
        .execute()
      await this.#marks.write('audit_head', { seq: row.seq, seal })
    })
  }

  /**
   * The entry that the next one follows, taken from the anchor and not from the last row, so that removing rows at the
   * end leaves a permanent gap. If anchor and rows disagree, the next entry matches neither.
   */
  async #end(): Promise<ChainEntry> {
    const anchor = (await this.#marks.read('audit_head')) ?? origin
    if (anchor.seq >= this.#seen.seq) this.#seen = anchor
    const last = await this.#database.query
      .selectFrom('audit')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return { seq: Math.max(this.#seen.seq, last?.seq ?? 0), seal: this.#seen.seal }
  }

  /** Newest first. */
  async list(filter: AuditFilter) {
    let query = this.#database.reading.selectFrom('audit').selectAll()
    if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor)
    if (filter.method !== undefined) query = query.where('method', '=', filter.method)
    if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
    // Written like the partial index, which omits `ok`, the outcome of almost all entries.
    if (filter.outcome !== undefined && filter.outcome !== 'ok')
      query = query.where(sql<SqlBool>`outcome <> 'ok'`)
    // Times rise almost as the numbers do. The first and last possible numbers limit the search, and the times decide.
    // The plus sign makes SQLite find them with the index on times instead of scanning the numbers.
    if (filter.since !== undefined)
      query = query
        .where('at', '>=', filter.since)
        .where(sql<SqlBool>`seq >= (select min(+seq) from audit where at >= ${filter.since})`)
    if (filter.until !== undefined)
      query = query
        .where('at', '<', filter.until)
        .where(sql<SqlBool>`seq <= (select max(+seq) from audit where at < ${filter.until})`)
    const page = await readPage(query, filter, {
      by: sql.ref('seq'),
      descending: true,
      keyOf: (row) => String(row.seq),
      readKey: seqOf,
    })
    return { ...page, items: page.items.map(({ seal: _, ...row }) => row) }
  }

  /** Checks the whole chain and returns the first row that does not match, if any. */
  async verify(): Promise<Verification> {
    for (;;) {
      const anchor = await this.#marks.read('audit_anchor')
      if (!anchor) return { rows: 0, first_bad: { seq: 1, id: null, reason: 'rows before it are missing' } }
      const { end, bad } = await this.#walkAll(anchor)
      // Old rows that were deleted in the meantime are not missing.
      if (bad && (await this.#marks.read('audit_anchor'))?.seq !== anchor.seq) continue
      return { rows: end.seq - anchor.seq, first_bad: bad }
    }
  }

  async #walkAll(anchor: ChainEntry): Promise<ChainCheck> {
    // Read the anchor before and after the rows, because entries are written in between: the rows must reach the first
    // anchor and not pass the second.
    const before = await this.#marks.read('audit_head')
    const minSeq = Math.max(before?.seq ?? Infinity, this.#seen.seq)
    const { end, bad } = await this.#walk(anchor, Infinity)
    if (bad) return { end, bad }
    const after = await this.#marks.read('audit_head')
    const isComplete = end.seq >= minSeq && after && (after.seq > end.seq || after.seal === end.seal)
    return {
      end,
      bad: isComplete ? null : { seq: end.seq + 1, id: null, reason: 'rows after it are missing' },
    }
  }

  /** Follows the chain from one entry, up to the entry with the number `to`. */
  async #walk(from: ChainEntry, to: number): Promise<ChainCheck> {
    let end = from
    for (;;) {
      const walked = await this.#page(end, to)
      if (walked.bad || walked.end.seq === end.seq) return walked
      end = walked.end
    }
  }

  /** Like `#walk` for one page. Ends where it began if there are no more entries. */
  async #page(from: ChainEntry, to: number): Promise<ChainCheck> {
    const { threads, writing, query } = this.#database
    if (threads && !writing) {
      const last = Number.isFinite(to) ? to : Number.MAX_SAFE_INTEGER
      return threads.jobs.run(walkPage, { key: this.#key, from, to: last, rows: pageRows.aside })
    }
    const rows = await query
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', from.seq)
      .$if(Number.isFinite(to), (entries) => entries.where('seq', '<=', to))
      .orderBy('seq')
      .limit(pageRows.here)
      .execute()
    return checkChain(rows, { key: this.#key, from })
  }

  /**
   * Deletes rows older than `days`; the chain then starts after the last deleted row. 0 keeps everything. Deletes only
   * rows that match, so that traces of tampering remain.
   */
  async sweep(days: number): Promise<void> {
    if (days === 0) return
    const anchor = await this.#marks.read('audit_anchor')
    const { last } = await this.#database.query
      .selectFrom('audit')
      .select(sql<number | null>`max(+seq)`.as('last'))
      .where('at', '<', now() - days * 86400)
      .executeTakeFirstOrThrow()
    if (last === null) return
    const { bad } = anchor ? await this.#walk(anchor, last) : { bad: origin }
    if (bad) throw new Error(`the audit log does not match at entry ${bad.seq}; audit.verify reports details`)
    let from: ChainEntry | undefined = anchor
    while (from && from.seq < last) from = await this.#deleteUpTo(from, Math.min(from.seq + deleteRows, last))
  }

  /** Deletes the entries up to one, in one transaction. Returns undefined if another node was faster. */
  async #deleteUpTo(from: ChainEntry, to: number): Promise<ChainEntry | undefined> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const present = await this.#marks.read('audit_anchor')
      if (present?.seq !== from.seq) return undefined
      const entry = await query
        .selectFrom('audit')
        .select(['seq', 'seal'])
        .where('seq', '=', to)
        .executeTakeFirst()
      // It was there just before.
      if (!entry) return undefined
      await query.deleteFrom('audit').where('seq', '<=', to).execute()
      await this.#marks.write('audit_anchor', entry)
      return entry
    })
  }
}

/** Decodes the entry number in a cursor. */
const seqOf = (cursor: string): number => {
  if (!/^[1-9][0-9]{0,14}$/.test(cursor)) throw invalidParams('cursor', 'the next_cursor of the page before')
  return Number(cursor)
}
