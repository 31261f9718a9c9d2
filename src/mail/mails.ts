import { sql, type SqlBool } from 'kysely'
import type { Log } from '../log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/id.ts'
import { afterCursor, pageSize, toPage, type PageParams } from '../storage/page.ts'
import type { MailRow } from '../storage/schema.ts'
import type { Seal } from '../storage/seal.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { render } from './render.ts'
import { deliver, MailError, type MailServer } from './transport.ts'
import type { MailKind, Values } from './texts.ts'

/** Mails that one address may get in an hour: nobody fills a stranger's box with our help. */
const perHour = 5
/** Sent at the same time, at most. */
const abreast = 4
/** Seconds for which whoever sends a mail has it alone; longer than any server is waited for. */
const lease = 120
/** Seconds after which a mail is not worth sending any more. */
const lifetime = 86_400
/** How often a mail is tried that the server refuses for good. */
const finalTries = 5

/** Seconds to the next try: soon, and never so late that a server that is back waits for us for long. */
const pause = (tries: number) => Math.min(45, 5 * 2 ** tries)

const rowOf = (id: string) => `mails.${id}`

/**
 * Mail that leaves. Asking for one writes a row in the transaction of its cause: it is sent if that is committed, by
 * whichever process comes to it, and again until the server has taken it.
 */
export class Mails {
  readonly #database: Database
  readonly #seal: Seal
  readonly #server: () => Promise<MailServer>
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #more = false

  constructor(database: Database, seal: Seal, server: () => Promise<MailServer>, log: Log) {
    this.#database = database
    this.#seal = seal
    this.#server = server
    this.#log = log
  }

  /**
   * Sees to it that the mail leaves. Beyond five an hour to one address it does not, and nobody is told; nor if it is not
   * `really` meant, where nobody would read it: that takes the same work, so that nobody can tell by the time.
   */
  async send(kind: MailKind, address: string, values: Omit<Values, 'site'>, really = true): Promise<void> {
    const to = address.toLowerCase()
    await this.#database.write(async () => {
      const { query } = this.#database
      const { count } = await query
        .selectFrom('mails')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('address', '=', to)
        .where('created_at', '>', now() - 3600)
        .executeTakeFirstOrThrow()
      if (Number(count) >= perHour) {
        this.#log.warn({ kind }, 'an address has had its mails of this hour; this one does not leave')
        return
      }
      const id = newId()
      const at = now()
      const values_sealed = this.#seal.seal(JSON.stringify({ ...values, address }), rowOf(id))
      const row = { id, address: to, kind, values_sealed, created_at: at, due_at: at }
      await query
        .insertInto('mails')
        .values({ ...row, tries: 0, last_error: '', gave_up_at: really ? null : 0 })
        .execute()
      this.#database.afterCommit(() => this.#wake())
    })
  }

  /** Begins to send what is due, now and as long as this process lives. One process per machine is enough. */
  start(): void {
    this.#timer = setInterval(() => this.#wake(), 2000).unref()
    this.#wake()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#more = false
    await this.#running
  }

  #wake(): void {
    // Processes that only ask for mail leave it to the one that sends.
    if (this.#timer === undefined) return
    if (this.#running) {
      this.#more = true
      return
    }
    this.#running = this.#run()
      .catch((error: Error) => this.#log.warn({ error: error.message }, 'mail could not be looked through'))
      .finally(() => {
        this.#running = undefined
        const again = this.#more
        this.#more = false
        if (again) this.#wake()
      })
  }

  async #run(): Promise<void> {
    for (;;) {
      const due = await this.#claim()
      if (due.length === 0 || this.#timer === undefined) return
      const server = await this.#server()
      const taken = await Promise.all(due.map((row) => this.#try(row, server)))
      // Nobody answers there: the others need not find out one by one.
      if (taken.every((one) => !one)) return
    }
  }

  /** Takes some of what is due, so that no other process sends it meanwhile. */
  #claim(): Promise<MailRow[]> {
    return this.#database.write(async () => {
      const { query } = this.#database
      const rows = await query
        .selectFrom('mails')
        .selectAll()
        .where('gave_up_at', 'is', null)
        .where('due_at', '<=', now())
        .orderBy('due_at')
        .limit(abreast)
        .execute()
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0)
        await query
          .updateTable('mails')
          .set({ due_at: now() + lease })
          .where('id', 'in', ids)
          .execute()
      return rows
    })
  }

  /** True if the server has it. */
  async #try(row: MailRow, server: MailServer): Promise<boolean> {
    let values: Values & { readonly address: string }
    try {
      values = {
        ...JSON.parse(this.#seal.open(row.values_sealed, rowOf(row.id))),
        site: server.site,
      } as never
      await deliver(server, values.address, render(row.kind as MailKind, values), row.id, this.#log)
    } catch (error) {
      await this.#failed(row, error as Error)
      return false
    }
    await this.#settle(row.id, { gave_up_at: 0, values_sealed: '', last_error: '' })
    return true
  }

  async #failed(row: MailRow, error: Error): Promise<void> {
    const tries = row.tries + 1
    const final = error instanceof MailError && error.final && tries >= finalTries
    const old = now() - row.created_at > lifetime
    const { id, kind } = row
    if (final || old) {
      this.#log.error({ mail: id, kind, tries, error: error.message }, 'a mail was given up')
      // Its link is of no use to anybody any more.
      await this.#settle(id, { tries, last_error: error.message, gave_up_at: now(), values_sealed: '' })
    } else {
      this.#log.warn(
        { mail: id, kind, tries, error: error.message },
        'a mail did not leave; it is tried again',
      )
      await this.#settle(id, { tries, last_error: error.message, due_at: now() + pause(tries) })
    }
  }

  async #settle(id: string, fields: Partial<MailRow>): Promise<void> {
    await this.#database.write(() =>
      this.#database.query.updateTable('mails').set(fields).where('id', '=', id).execute(),
    )
  }

  /** What waits and what was given up, newest first. */
  async list(filter: PageParams) {
    const before = afterCursor(filter.cursor)
    const rows = await this.#database.query
      .selectFrom('mails')
      .select(['id', 'address', 'kind', 'created_at', 'due_at', 'tries', 'last_error', 'gave_up_at'])
      .where((eb) => eb.or([eb('gave_up_at', 'is', null), eb('gave_up_at', '>', 0)]))
      .$if(before !== '', (query) => query.where('id', '<', before))
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

  /** Sends a mail at once and tells what the server says. Rejects with MailError. */
  async test(address: string): Promise<{ sent: boolean }> {
    const server = await this.#server()
    const { site } = server
    await deliver(server, address, render('test', { site, name: address }), newId(), this.#log)
    return { sent: server.host !== '' }
  }

  /** Forgets mails that left, once they count no more, and in time those that were given up. */
  async sweep(): Promise<void> {
    const sent = sql<SqlBool>`gave_up_at = 0 and created_at < ${now() - 3600}`
    await sweepRows(this.#database, 'mails', 'id', sent)
    const givenUp = sql<SqlBool>`created_at < ${now() - 3600} and gave_up_at > 0 and gave_up_at < ${now() - 30 * 86_400}`
    await sweepRows(this.#database, 'mails', 'id', givenUp)
  }
}
