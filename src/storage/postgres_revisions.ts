import type { Kysely } from 'kysely'
import type { Client } from 'pg'
import type { Log } from '../log/log.ts'
import type { Schema, Subject } from './schema.ts'
import type { Revisions } from './revisions.ts'

/** Milliseconds for which silence counts as no change: a dead connection or a pooler may swallow a notification. */
export const defaultTrustMs = 1000

/** PostgreSQL: LISTEN notifies us of changes. While that connection is down, every check queries the database. */
export class PostgresRevisions implements Revisions {
  readonly #connect: () => Client
  readonly #query: Kysely<Schema>
  readonly #log: Log
  readonly #values = new Map<Subject, number>()
  readonly #hint: () => void
  readonly #announce: () => Promise<void>
  stamp = 0
  #listener: Client | undefined
  #known = false
  /** From a monotonic clock: if the clock went back, silence would be trusted for too long. */
  #readAt = 0
  #closed = false
  #retry: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined

  /**
   * `hint` is called when something may have changed. `announce` notifies the other processes of this daemon of our
   * commit, and resolves once they know.
   */
  constructor(
    connect: () => Client,
    query: Kysely<Schema>,
    log: Log,
    hint: () => void,
    announce: () => Promise<void>,
  ) {
    this.#connect = connect
    this.#query = query
    this.#log = log
    this.#hint = hint
    this.#announce = announce
  }

  async listen(): Promise<void> {
    const client = this.#connect()
    let ended = false
    const lost = () => {
      if (ended) return
      ended = true
      this.#known = false
      this.#listener = undefined
      if (this.#closed) return
      this.#log.warn(
        'the connection for change notifications was lost; querying the database until it is back',
      )
      this.#retry = setTimeout(() => void this.listen().catch(lost), 500).unref()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', () => this.invalidate())
    try {
      await client.connect()
      await client.query('listen hero_proxy_revisions')
      this.#listener = client
    } catch {
      lost()
    }
  }

  refresh(trustSilenceMs = defaultTrustMs): Promise<void> | undefined {
    // While a read is in progress, nothing is known yet.
    if (this.#reading) return this.#reading
    if (this.#known && performance.now() - this.#readAt < trustSilenceMs) return undefined
    return this.#readBy(this.#read())
  }

  invalidate(): void {
    this.#known = false
    // A read in progress may have started before the change: later callers wait for the read after it.
    if (this.#reading)
      void this.#readBy(this.#reading.catch(() => {}).then(() => this.#read())).catch(() => {})
    this.#hint()
  }

  #readBy(read: Promise<void>): Promise<void> {
    const reading = read.finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    // Caches that only check whether they are warm drop the promise. Its failure concerns those who wait for it.
    reading.catch(() => {})
    return (this.#reading = reading)
  }

  async #read(): Promise<void> {
    // Known only if no notification arrives during the read. Without a listener it is never known.
    this.#known = this.#listener !== undefined
    this.#readAt = performance.now()
    const rows = await this.#query.selectFrom('revisions').selectAll().execute()
    for (const { subject, value } of rows) {
      if (this.#values.get(subject as Subject) === value) continue
      this.#values.set(subject as Subject, value)
      this.stamp++
    }
  }

  of(subject: Subject): number {
    return this.#values.get(subject) ?? 0
  }

  async committed(): Promise<void> {
    this.#known = false
    await Promise.all([this.#catchUp(), this.#announce()])
  }

  async #catchUp(): Promise<void> {
    // A read in progress may have started before our commit; the one after it has not.
    await this.#reading?.catch(() => {})
    await this.refresh()
    this.#hint()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#listener?.end()
  }
}
