import type { MailRow } from '../storage/schema.ts'
import { sql, type SqlBool } from 'kysely'
import type { Log } from '../log/log.ts'
import type { MailKind } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import { RowQueue } from '../storage/row_queue.ts'
import type { Seal } from '../secrets/seal.ts'
import { sweepRows } from '../storage/sweeping.ts'
import { render, type MailFacts } from './render.ts'
import { deliver, MailError, type MailServer } from './transport.ts'

/**
 * Kinds of mail that anybody can ask for, each group with one limit for an address, so that nobody can flood a stranger's
 * mailbox through us. The kinds of a group must count alike: which one is sent depends on whether the address has an account.
 */
const requested: readonly (readonly MailKind[])[] = [
  ['verify', 'taken', 'change'],
  ['reset'],
  ['magic'],
  ['code'],
  ['invite'],
  ['access_requested'],
  ['registration_waiting'],
  ['access_approved', 'access_refused'],
]
/** Mails of a kind that one address gets per hour, where there are fewer than of others: they say what a page lists as well. */
const fewerPerHour: Partial<Record<MailKind, number>> = { access_requested: 1, registration_waiting: 1 }
/** The kind of which one address gets no more in a day than of others in an hour. */
const daily: MailKind = 'registration_waiting'
const limitSeconds = (kind: MailKind): number => (kind === daily ? 86_400 : 3600)
/** Mails of a group that one address may get per hour, asked for from one network. */
const maxPerHour = 5
/** The same from all networks together: one network alone does not use up what the person's own may ask for. */
const maxPerHourFromAll = 20
/** Notices that one address may get per hour. */
const maxNoticesPerHour = 20
/** Maximum number of mails sent at the same time. */
const maxParallel = 4
/** Seconds for which one process has a mail to itself; longer than any server timeout. */
const leaseSeconds = 120
/** Seconds after which a mail is no longer worth sending. */
const lifetimeSeconds = 86_400
/** Attempts for a mail that the server rejects permanently. */
const maxRejectedTries = 5

/** Seconds until the next attempt: short, so that a server that is back does not wait long for us. */
const retrySeconds = (tries: number) => Math.min(45, 5 * 2 ** tries)

const rowOf = (id: string) => `mails.${id}`

/**
 * Outgoing mail. `send` writes a row in the transaction of its cause. After the commit, any process delivers the mail,
 * and retries until the server accepts it.
 */
export class Mails {
  readonly #database: Database
  readonly #seal: Seal
  readonly #server: () => Promise<MailServer>
  readonly #log: Log
  readonly #queue: RowQueue<MailRow>
  readonly #noticeDropped: (kind: MailKind, address: string) => Promise<void>

  /** `noticeDropped` is called, inside the transaction, when a notice would be one too many. */
  constructor(
    database: Database,
    seal: Seal,
    server: () => Promise<MailServer>,
    log: Log,
    noticeDropped: (kind: MailKind, address: string) => Promise<void>,
  ) {
    this.#noticeDropped = noticeDropped
    this.#database = database
    this.#seal = seal
    this.#server = server
    this.#log = log
    this.#queue = new RowQueue({
      database,
      log,
      unreadable: 'the mail queue could not be read',
      lookEveryMs: 2000,
      leaseSeconds: leaseSeconds,
      oneReceiver: true,
      due: (at) => this.#due(at),
      defer: (ids, due_at) =>
        database.query.updateTable('mails').set({ due_at }).where('id', 'in', ids).execute(),
      attempt: (row) => this.#deliver(row),
      done: ({ id }) => this.#set(id, { state: 'sent', values_sealed: '', last_error: '' }),
      failed: (row, tries, error) => this.#failed(row, tries, error),
    })
  }

  /**
   * Queues a mail, in its language or the default language. Returns false if the address has reached the limit of an hour;
   * then nothing is sent. If not `really` meant, because nobody would read it, the mail is never sent, but this takes the
   * same work, so that timing reveals nothing. `askedFrom` is the network of the person who asked.
   */
  async send(
    kind: MailKind,
    address: string,
    values: MailFacts & { readonly language?: string | undefined },
    really = true,
    askedFrom = '',
  ): Promise<boolean> {
    const to = address.toLowerCase()
    return this.#database.write(async () => {
      const { query } = this.#database
      if (await this.#isOneTooMany(kind, to, askedFrom)) {
        this.#log.warn({ kind }, 'an address has reached its hourly limit of mails; this mail is dropped')
        return false
      }
      const id = newId()
      const at = now()
      const values_sealed = this.#seal.seal(JSON.stringify({ ...values, address }), rowOf(id))
      const row = { id, address: to, kind, asked_from: askedFrom, values_sealed, created_at: at, due_at: at }
      await query
        .insertInto('mails')
        .values({ ...row, tries: 0, last_error: '', state: really ? 'waiting' : 'decoy', gave_up_at: null })
        .execute()
      this.#database.afterCommit(() => this.#queue.wake())
      return true
    })
  }

  async #isOneTooMany(kind: MailKind, address: string, askedFrom: string): Promise<boolean> {
    const group = requested.find((kinds) => kinds.includes(kind))
    const others = requested.flat()
    const rows = await this.#database.query
      .selectFrom('mails')
      .select((eb) => ['asked_from', eb.fn.countAll<number>().as('count')])
      .where('address', '=', address)
      .where('created_at', '>', now() - limitSeconds(kind))
      .where('kind', group ? 'in' : 'not in', [...(group ?? others)])
      .groupBy('asked_from')
      .execute()
    const all = rows.reduce((sum, { count }) => sum + Number(count), 0)
    if (group) {
      const own = Number(rows.find(({ asked_from }) => asked_from === askedFrom)?.count ?? 0)
      return own >= (fewerPerHour[kind] ?? maxPerHour) || all >= maxPerHourFromAll
    }
    if (all < maxNoticesPerHour) return false
    await this.#noticeDropped(kind, address)
    return true
  }

  /** Starts to send mail that is due, until `close`. One process per machine is enough. */
  start(): void {
    this.#queue.start()
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }

  #due(at: number): Promise<MailRow[]> {
    return this.#database.query
      .selectFrom('mails')
      .selectAll()
      .where('state', '=', 'waiting')
      .where('due_at', '<=', at)
      .orderBy('due_at')
      .limit(maxParallel)
      .execute()
  }

  async #deliver({ id, kind, values_sealed }: MailRow): Promise<void> {
    const server = await this.#server()
    const { address, language, ...facts } = JSON.parse(
      this.#seal.open(values_sealed, rowOf(id)),
    ) as MailFacts & { readonly address: string; readonly language?: string }
    const words = await catalogueOf(language ?? server.language)
    const mail = render(words, kind as MailKind, server.site, facts)
    await deliver(server, address, mail, id, this.#log)
  }

  async #failed({ id, kind, created_at }: MailRow, tries: number, error: Error): Promise<void> {
    const final = error instanceof MailError && error.final && tries >= maxRejectedTries
    const old = now() - created_at > lifetimeSeconds
    const facts = { mail: id, kind, tries, error: error.message }
    if (final || old) {
      this.#log.error(facts, 'a mail was given up')
      // Delete the values: the link is useless now.
      const gaveUp = { state: 'given_up', gave_up_at: now(), values_sealed: '' } as const
      await this.#set(id, { tries, last_error: error.message, ...gaveUp })
    } else {
      this.#log.warn(facts, 'a mail could not be sent; it will be tried again')
      await this.#set(id, { tries, last_error: error.message, due_at: now() + retrySeconds(tries) })
    }
  }

  async #set(id: string, fields: Partial<MailRow>): Promise<void> {
    await this.#database.query.updateTable('mails').set(fields).where('id', '=', id).execute()
  }

  /** Mail that is waiting or was given up, newest first. */
  async list(filter: PageParams) {
    const query = this.#database.query
      .selectFrom('mails')
      .select(['id', 'address', 'kind', 'created_at', 'due_at', 'tries', 'last_error', 'gave_up_at'])
      .where('state', 'in', ['waiting', 'given_up'])
    return readPage(query, filter, { by: sql.ref('id'), descending: true, keyOf: ({ id }) => id })
  }

  /** Sends a mail immediately and reports the result. Rejects with MailError. */
  async test(address: string): Promise<{ sent: boolean }> {
    const server = await this.#server()
    const words = await catalogueOf(server.language)
    const rendered = render(words, 'test', server.site, { name: address })
    await deliver(server, address, rendered, newId(), this.#log)
    return { sent: server.host !== '' }
  }

  /** Deletes sent mails once they no longer count towards the limit, and after some time those that were given up. */
  async sweep(): Promise<void> {
    const sent = sql<SqlBool>`state in ('sent', 'decoy') and created_at < ${now() - 3600} and (kind <> ${daily} or created_at < ${now() - limitSeconds(daily)})`
    await sweepRows(this.#database, 'mails', 'id', sent, (query) => query.deleteFrom('mails'))
    const givenUp = sql<SqlBool>`state = 'given_up' and gave_up_at < ${now() - 30 * 86_400}`
    await sweepRows(this.#database, 'mails', 'id', givenUp, (query) => query.deleteFrom('mails'))
  }
}
