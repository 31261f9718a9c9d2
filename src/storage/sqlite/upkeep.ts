import { extname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Log } from '../../log/log.ts'
import checkTable from './check_table.ts'
import { asDamageError, connect } from './connect.ts'
import type { Condition, Database } from '../database.ts'

/** Milliseconds between two checks of the write-ahead log. */
const logCheckIntervalMs = 2000
/** Number of 4 KB pages that may stay in the write-ahead log. */
const maxLogPages = 256

const beside = (name: string) => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
const checkTableModule = beside('check_table')
const moveLogModule = beside('move_log')

/**
 * Maintains an SQLite file: checks all of it once, right after the start, and keeps the write-ahead log short. No
 * commit on an event loop moves the log. The jobs thread starts only when there is much to check or move.
 */
export class SqliteMaintenance {
  readonly #database: Database
  readonly #file: string
  readonly #log: Log
  readonly #report: (condition: Condition) => void
  #timer: NodeJS.Timeout | undefined
  #moving = false
  #checked: Promise<void> | undefined

  /** `report` receives the condition of the file once it is known. */
  constructor(database: Database, file: string, log: Log, report: (condition: Condition) => void) {
    this.#database = database
    this.#file = file
    this.#log = log
    this.#report = report
  }

  start(): void {
    this.#checked = this.#check().catch((error: Error) => {
      if (this.#timer)
        this.#log.error({ file: this.#file, error: error.message }, 'the database could not be checked')
    })
    this.#timer = setInterval(() => void this.#moveLog(), logCheckIntervalMs).unref()
  }

  /** Waits for the check to end: its connection may not be the last one to close, or the log would stay beside the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#checked
  }

  async #check(): Promise<void> {
    const damage = await this.#firstDamage()
    if (!this.#timer) return
    if (damage !== '') {
      // Write the log first: once `health` reports the damage, operators find the cause there.
      this.#log.error(
        { file: this.#file, found: damage },
        `the database file ${this.#file} is damaged: writes are refused; restore it from a backup`,
      )
      clearInterval(this.#timer)
      this.#timer = undefined
      await this.#database.refuseWrites()
    } else this.#database.condition = 'ok'
    this.#report(this.#database.condition)
  }

  /** Checks one table at a time, so that no read transaction stays open for long. */
  async #firstDamage(): Promise<string> {
    const { small, threads } = this.#database
    // Do not use the serving connection: pages read here would fill its cache.
    const connection = connect(this.#file, true)
    try {
      const tables = connection.prepare<[], { name: string }>(`
        select 'sqlite_schema' as name
        union all select name from sqlite_schema where type = 'table' and sql not like 'create virtual%'`)
      for (const { name } of tables.all()) {
        await turn()
        if (!this.#timer) return ''
        const damage = small
          ? checkTable(connection, name)
          : await threads!.jobs.run<string, string>(checkTableModule, name)
        if (damage !== '') return damage.split('\n')[0]!
      }
      return ''
    } catch (error) {
      if (asDamageError(this.#file, error) === error) throw error
      return (error as Error).message
    } finally {
      connection.close()
    }
  }

  async #moveLog(): Promise<void> {
    if (this.#moving) return
    this.#moving = true
    try {
      if (await this.#hasLongLog()) await this.#database.threads!.jobs.run(moveLogModule, null)
    } catch (error) {
      if (this.#timer)
        this.#log.warn({ error: (error as Error).message }, 'the write-ahead log could not be moved')
    } finally {
      this.#moving = false
    }
  }

  /**
   * Whether the log is long and has pages that are not in the file yet. Its size on disk shows neither, because the
   * file does not shrink when the log restarts.
   */
  async #hasLongLog(): Promise<boolean> {
    const { rows } = await sql<{ log: number; checkpointed: number }>`
      pragma wal_checkpoint(noop)`.execute(this.#database.query)
    const { log, checkpointed } = rows[0]!
    return log > maxLogPages && log > checkpointed
  }
}
