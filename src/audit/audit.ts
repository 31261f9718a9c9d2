import { extname } from 'node:path'
import { sql, type SqlBool } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { follow, sealOf, type Bad, type Walked } from './chain.ts'
import { Marks, origin, type Link } from './chain_anchors.ts'

export interface AuditFilter extends PageParams {
  readonly actor?: string
  readonly method?: string
  readonly outcome?: string
  readonly since?: number
  readonly until?: number
}

export interface Verification {
  readonly rows: number
  readonly first_bad: Bad | null
}

/** Entries of the chain that are looked at in one go: in a thread of its own, and where everything else has its turn in between. */
const page = { aside: 20_000, here: 500 }
/** Entries that one transaction of the retention lets go. */
const letGo = 1000

const walkPage = new URL(`./walk_page${extname(import.meta.url)}`, import.meta.url)

/**
 * The audit: who did what, on what, from where, and how it ended. Rows are added and never changed; each carries a
 * seal (HMAC under a key from the master secret) over itself and the seal before, so that whoever can write the database
 * but does not know the secret can neither change, insert nor remove a row unseen.
 */
export class Audit {
  readonly #database: Database
  readonly #key: Buffer
  readonly #marks: Marks
  /** How far the audit was when this process last looked: it only ever grows. */
  #seen: Link = origin

  constructor(database: Database, key: Buffer) {
    this.#database = database
    this.#key = key
    this.#marks = new Marks(database, key)
  }

  /** Inside the transaction of what it tells about. `target` names things, never secrets; `outcome` is `ok` or an error's name. */
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
        // Half a surrogate pair is no text: stored, it would come back as something else, and the seal would not fit it.
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
   * What the next entry follows: where the audit ended by its mark, not the last row that is there, so that taking
   * rows from the end leaves a gap for good. Where mark and rows disagree, the next entry fits neither.
   */
  async #end(): Promise<Link> {
    const mark = (await this.#marks.read('audit_head')) ?? origin
    if (mark.seq >= this.#seen.seq) this.#seen = mark
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
    // As the index has it: what went well is nearly everything, and is not in it.
    if (filter.outcome !== undefined && filter.outcome !== 'ok')
      query = query.where(sql<SqlBool>`outcome <> 'ok'`)
    // Times rise with the numbers, nearly: the first and the last number that can fit end the search, the times decide.
    // With the sign, SQLite looks for them by the index of times instead of walking along the numbers.
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

  /** Walks the whole chain and tells the first row that does not fit, if there is one. */
  async verify(): Promise<Verification> {
    for (;;) {
      const anchor = await this.#marks.read('audit_anchor')
      if (!anchor) return { rows: 0, first_bad: { seq: 1, id: null, reason: 'rows before it are missing' } }
      const { end, bad } = await this.#walkAll(anchor)
      // Old rows that were let go meanwhile are not missing.
      if (bad && (await this.#marks.read('audit_anchor'))?.seq !== anchor.seq) continue
      return { rows: end.seq - anchor.seq, first_bad: bad }
    }
  }

  async #walkAll(anchor: Link): Promise<Walked> {
    // Read on both sides of the rows, for entries are written meanwhile: the rows must reach the first, and not pass the second.
    const before = await this.#marks.read('audit_head')
    const least = Math.max(before?.seq ?? Infinity, this.#seen.seq)
    const { end, bad } = await this.#walk(anchor, Infinity)
    if (bad) return { end, bad }
    const after = await this.#marks.read('audit_head')
    const fits = end.seq >= least && after && (after.seq > end.seq || after.seal === end.seal)
    return { end, bad: fits ? null : { seq: end.seq + 1, id: null, reason: 'rows after it are missing' } }
  }

  /** Follows the chain from one entry on, at most to the one with the number `to`. */
  async #walk(from: Link, to: number): Promise<Walked> {
    let end = from
    for (;;) {
      const walked = await this.#page(end, to)
      if (walked.bad || walked.end.seq === end.seq) return walked
      end = walked.end
    }
  }

  /** The same for one page; it ends where it began when there is nothing more. */
  async #page(from: Link, to: number): Promise<Walked> {
    const { threads, writing, query } = this.#database
    if (threads && !writing) {
      const last = Number.isFinite(to) ? to : Number.MAX_SAFE_INTEGER
      return threads.jobs.run(walkPage, { key: this.#key, from, to: last, rows: page.aside })
    }
    const rows = await query
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', from.seq)
      .$if(Number.isFinite(to), (entries) => entries.where('seq', '<=', to))
      .orderBy('seq')
      .limit(page.here)
      .execute()
    return follow(rows, { key: this.#key, from })
  }

  /**
   * Lets go of rows older than `days`; the chain then hangs on the last one that left. 0 keeps everything. Only rows
   * that fit are let go: the traces of a change are not tidied away.
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
    if (bad) throw new Error(`the audit does not fit at entry ${bad.seq}; audit.verify tells more`)
    let from: Link | undefined = anchor
    while (from && from.seq < last) from = await this.#letGo(from, Math.min(from.seq + letGo, last))
  }

  /** Lets go of the entries up to one, in one transaction; undefined if another node was faster. */
  async #letGo(from: Link, to: number): Promise<Link | undefined> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const present = await this.#marks.read('audit_anchor')
      if (present?.seq !== from.seq) return undefined
      const entry = await query
        .selectFrom('audit')
        .select(['seq', 'seal'])
        .where('seq', '=', to)
        .executeTakeFirst()
      // It was there a moment ago.
      if (!entry) return undefined
      await query.deleteFrom('audit').where('seq', '<=', to).execute()
      await this.#marks.write('audit_anchor', entry)
      return entry
    })
  }
}

/** The number that a cursor of ours holds. */
const seqOf = (cursor: string): number => {
  if (!/^[1-9][0-9]{0,14}$/.test(cursor)) throw invalidParams('cursor', 'the next_cursor of the page before')
  return Number(cursor)
}
