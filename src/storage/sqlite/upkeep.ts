import { extname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Log } from '../../log/log.ts'
import checkTable from './check_table.ts'
import { asDamage, connect } from './connect.ts'
import type { Condition, Database } from '../database.ts'

/** Milliseconds between two looks at the write-ahead log. */
const every = 2000
/** Pages of 4 KB that may stay in the write-ahead log. */
const shortLog = 256

const beside = (name: string) => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
const checking = beside('check_table')
const moving = beside('move_log')

/**
 * What the daemon does for an SQLite file beside its work: checks it whole once, right after the start, and keeps the write-ahead log
 * short. No commit on an event loop does the latter. The thread for jobs starts only where there is much to check or to move.
 */
export class Upkeep {
  readonly #database: Database
  readonly #file: string
  readonly #log: Log
  readonly #told: (condition: Condition) => void
  #timer: NodeJS.Timeout | undefined
  #moving = false
  #checked: Promise<void> | undefined

  /** `told` hears how the file is, once that is known. */
  constructor(database: Database, file: string, log: Log, told: (condition: Condition) => void) {
    this.#database = database
    this.#file = file
    this.#log = log
    this.#told = told
  }

  start(): void {
    this.#checked = this.#check().catch((error: Error) => {
      if (this.#timer)
        this.#log.error({ file: this.#file, error: error.message }, 'the database could not be checked')
    })
    this.#timer = setInterval(() => void this.#moveLog(), every).unref()
  }

  /** Waits for the check to end: its connection may not be the last one to close, or the log would stay beside the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#checked
  }

  async #check(): Promise<void> {
    const bad = await this.#firstDamage()
    if (!this.#timer) return
    if (bad !== '') {
      // The log comes first: once `health` says damaged, an operator finds the cause there.
      this.#log.error(
        { file: this.#file, found: bad },
        `the database file ${this.#file} is damaged: nothing is written any more; restore it from a backup`,
      )
      clearInterval(this.#timer)
      this.#timer = undefined
      await this.#database.refuseWrites()
    } else this.#database.condition = 'ok'
    this.#told(this.#database.condition)
  }

  /** A table at a time, so that no read is open for long. */
  async #firstDamage(): Promise<string> {
    const { small, threads } = this.#database
    // Not on the connection that serves: what it reads here would stay in its memory.
    const connection = connect(this.#file, true)
    try {
      const tables = connection.prepare<[], { name: string }>(`
        select 'sqlite_schema' as name
        union all select name from sqlite_schema where type = 'table' and sql not like 'create virtual%'`)
      for (const { name } of tables.all()) {
        await turn()
        if (!this.#timer) return ''
        const bad = small
          ? checkTable(connection, name)
          : await threads!.jobs.run<string, string>(checking, name)
        if (bad !== '') return bad.split('\n')[0]!
      }
      return ''
    } catch (error) {
      if (asDamage(this.#file, error) === error) throw error
      return (error as Error).message
    } finally {
      connection.close()
    }
  }

  async #moveLog(): Promise<void> {
    if (this.#moving) return
    this.#moving = true
    try {
      if (await this.#hasLongLog()) await this.#database.threads!.jobs.run(moving, null)
    } catch (error) {
      if (this.#timer)
        this.#log.warn({ error: (error as Error).message }, 'the write-ahead log could not be moved')
    } finally {
      this.#moving = false
    }
  }

  /** Whether the log is long and has pages that are not in the file yet. Its size on the disk says neither: it stays when the log begins anew. */
  async #hasLongLog(): Promise<boolean> {
    const { rows } = await sql<{ log: number; checkpointed: number }>`
      pragma wal_checkpoint(noop)`.execute(this.#database.query)
    const { log, checkpointed } = rows[0]!
    return log > shortLog && log > checkpointed
  }
}
